// What to do after a failure: the fault router of qbo-api.md 11.2 as data, and back-off.
export * from './fault-class.js';
export * from './fault-table.js';
export * from './next-step.js';
