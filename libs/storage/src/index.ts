// PostgreSQL: migrations, stores, outbox, leases, tenant transaction. TypeORM entities do not leave this library.
export {};
