export * from './costs.js';
export * from './pack.js';
