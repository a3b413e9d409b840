export * from './sync-log.js';
