// The governor: when a call may be sent, so that no quota window of QBO is ever exceeded.
export * from './policy.js';
export * from './governor.js';
export * from './outlook.js';
export * from './database-clock.js';
export * from './platform-circuit.js';
export * from './read-budget.js';
