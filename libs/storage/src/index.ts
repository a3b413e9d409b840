// PostgreSQL: migrations, stores, outbox, leases, tenant transaction. TypeORM entities do not leave this library.
export * from './database.js';
export * from './storage.module.js';
export * from './configuration/index.js';
export * from './leases/index.js';
export * from './consumer-places/index.js';
export * from './outbox/index.js';
export * from './governor/index.js';
export * from './preflight/index.js';
export * from './validation/index.js';
export * from './sync-log/index.js';
export * from './audit-log/index.js';
export * from './links/index.js';
export * from './capture/index.js';
export * from './mapping/index.js';
export * from './attachments/index.js';
export * from './attachment-report/index.js';
