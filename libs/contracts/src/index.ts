// What travels between processes: topics, event types, schemas, headers.
export * from './events.js';
export * from './topics.js';
export * from './headers.js';
export * from './schemas.js';
