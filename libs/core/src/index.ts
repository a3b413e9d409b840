// Pure decisions: no await, clock, Nest, TypeORM or kafkajs in this library.
export * from './model/ids.js';
export * from './model/json.js';
export * from './model/version.js';
