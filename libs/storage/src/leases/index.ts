export * from './realm-leases.js';
export * from './realm-work.js';
export * from './owned-realms.js';
export * from './turns.js';
