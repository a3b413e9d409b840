// A link: what one target record should be, what it is, and what may happen next. Pure.
export * from './link.js';
export * from './state.js';
export * from './plan.js';
export * from './adoption.js';
export * from './sparse.js';
export * from './difference.js';
export * from './collisions.js';
export * from './money.js';
export * from './rounding.js';
export * from './settle.js';
export * from './frozen.js';
export * from './asleep.js';
export * from './pair.js';
export * from './drift.js';
export * from './waits.js';
export * from './closed-books.js';
export * from './settings.js';
