// Taking a sync back: what becomes of each record that it made or changed in the target. Pure.
export * from './rollback.js';
export * from './outcome.js';
