// Whether a migration is done and right: one report, from counts of both companies and their own trial balances.
export * from './report.js';
export * from './trial-balance.js';
