export * from './governor-store.js';
