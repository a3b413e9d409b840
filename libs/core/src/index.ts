// Pure decisions: no await, clock, Nest, TypeORM or kafkajs in this library.
export * from './model/ids.js';
export * from './model/json.js';
export * from './model/version.js';
export * from './attachments/index.js';
export * from './batching/index.js';
export * from './canonical/index.js';
export * from './capture/index.js';
export * from './links/index.js';
export * from './mapping/index.js';
export * from './money/index.js';
export * from './pacing/index.js';
export * from './preflight/index.js';
export * from './references/index.js';
export * from './registry/index.js';
export * from './requests/index.js';
export * from './retry/index.js';
export * from './scheduling/index.js';
