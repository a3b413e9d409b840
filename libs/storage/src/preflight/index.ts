export * from './preflights.js';
