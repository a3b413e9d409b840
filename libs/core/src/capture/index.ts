// What to read from a source company, and what of it is news: the decisions of capture, without doing anything.
export * from './deliveries.js';
export * from './look.js';
export * from './news.js';
export * from './statements.js';
export * from './beside.js';
