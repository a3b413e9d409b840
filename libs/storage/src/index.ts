// PostgreSQL: migrations, stores, outbox, leases, tenant transaction. TypeORM entities do not leave this library.
export * from './database.js';
export * from './storage.module.js';
export * from './configuration/index.js';
export * from './leases/realm-leases.js';
export * from './outbox/outbox.js';
export * from './outbox/relay.js';
export * from './governor/governor-store.js';
export * from './sync-log/sync-log.js';
export * from './audit-log/audit-log.js';
export * from './links/index.js';
