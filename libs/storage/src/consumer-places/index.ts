export * from './consumer-places.js';
