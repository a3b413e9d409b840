// The platform's circuit, one row for all processes, and the metered reads by company, month and purpose. New tables only:
// nothing is locked.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PlatformCircuitAndReads1763700000055 implements MigrationInterface {
  name = 'PlatformCircuitAndReads1763700000055';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table platform_circuit (
        singleton boolean primary key default true constraint platform_circuit_one_row check (singleton),
        version bigint not null,
        state jsonb not null
      );
      create table company_circuits (
        realm_id text not null,
        process text not null,
        state text not null,
        changed_at timestamptz not null,
        primary key (realm_id, process)
      );
      -- By day, so that the forecast knows the last days; some thirty rows per company, purpose and month.
      create table metered_reads (
        realm_id text not null,
        day date not null,
        purpose text not null,
        reads bigint not null,
        primary key (day, realm_id, purpose)
      );`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table metered_reads; drop table company_circuits; drop table platform_circuit');
  }
}
