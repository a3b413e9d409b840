export * from './capture-store.js';
