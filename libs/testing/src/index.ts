// What tests (and tools that play a whole installation) share: where the infrastructure of this run is, a schema and a
// topic prefix of one's own, an emulator of one's own with a client that steers it.
export * from './emulator.js';
export * from './infrastructure.js';
export * from './isolation.js';
export * from './question.js';
