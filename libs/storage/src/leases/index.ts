export * from './realm-leases.js';
