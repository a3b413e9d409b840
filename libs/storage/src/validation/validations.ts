// Validations of migrations: what our own rows say of a sync, and the reports as they were signed. A report is added, never changed.
import { Injectable } from '@nestjs/common';
import type { AccountBalance, LinkTally, ValidationReport } from '#core';
import { Database } from '../database.js';
import type { Tx } from '../database.js';

export interface Validation {
  number: number;
  at: Date;
  author: string;
  reason: string;
  verdict: ValidationReport['verdict'];
  report: ValidationReport;
}

/** Without the report itself. */
export type ValidationHead = Omit<Validation, 'report'>;

@Injectable()
export class Validations {
  constructor(private readonly db: Database) {}

  /** Two people who press at once get two numbers: the sync's row is locked. */
  async add(
    tx: Tx,
    of: { syncId: string; organizationId: string },
    validation: Omit<Validation, 'number' | 'verdict'>,
  ): Promise<Validation> {
    await tx.query('select from syncs where id = $1 for no key update', [of.syncId]);
    const { at, author, reason, report } = validation;
    const [row] = await tx.query<{ number: number }>(
      `insert into validations (sync_id, number, organization_id, at, author, reason, verdict, report)
       select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7 from validations where sync_id = $1 returning number`,
      [of.syncId, of.organizationId, at, author, reason, report.verdict, JSON.stringify(report)],
    );
    return { ...validation, number: row!.number, verdict: report.verdict };
  }

  /** The newest one, or that of a number. */
  async find(syncId: string, number?: number): Promise<Validation | undefined> {
    const [row] = await this.db.query<Validation>(
      `select number, at, author, reason, verdict, report from validations
       where sync_id = $1 and ($2::int is null or number = $2) order by number desc limit 1`,
      [syncId, number ?? null],
    );
    return row;
  }

  /** The newest hundred, newest first. */
  async heads(syncId: string): Promise<ValidationHead[]> {
    return this.db.query<ValidationHead>(
      'select number, at, author, reason, verdict from validations where sync_id = $1 order by number desc limit 100',
      [syncId],
    );
  }

  /** What the target had of its own, as the newest validation before the first write said. */
  async baseline(
    syncId: string,
  ): Promise<{ number: number; counts: Record<string, number>; balances: AccountBalance[] } | undefined> {
    const [row] = await this.db.query<{
      number: number;
      own: { counts: Record<string, number>; balances: AccountBalance[] };
    }>(
      `select number, report -> 'own' as own from validations where sync_id = $1 and verdict = 'baseline' order by number desc limit 1`,
      [syncId],
    );
    return row && { number: row.number, ...row.own };
  }

  /** Links and files of a sync, by what a report says of them. */
  async tallies(syncId: string): Promise<LinkTally[]> {
    const state = `case when state = 'settled' then 'settled' when state in ('held', 'failed', 'waiting') then 'held' else 'open' end`;
    const code = `case when state in ('held', 'failed', 'waiting') then coalesce(failure_code, 'WAITING') end`;
    return this.db.query<LinkTally>(
      `select entity_type as "entityType", case when desired_op = 'delete' then 'gone' when desired_op = 'exclude' then 'excluded'
           else 'there' end as wish, ${state} as state, ${code} as code, target_id is not null as "hasTarget", count(*)::int as count
       from links where sync_id = $1 group by 1, 2, 3, 4, 5
       union all
       select 'Attachable', case when desired_deleted then 'gone' else 'there' end, ${state}, ${code}, target_id is not null, count(*)::int
       from attachment_links where sync_id = $1 group by 1, 2, 3, 4, 5`,
      [syncId],
    );
  }

  /** Target ids of the accounts of the source. */
  async accounts(syncId: string): Promise<Map<string, string>> {
    const rows = await this.db.query<{ source_id: string; target_id: string }>(
      `select l.source_id, coalesce(h.target_id, l.target_id) as target_id from links l
         -- a merged account lives on in another one
         left join links h on h.sync_id = l.sync_id and h.entity_type = l.entity_type and h.source_id = l.merged_into
       where l.sync_id = $1 and l.entity_type = 'Account' and l.target_id is not null`,
      [syncId],
    );
    return new Map(rows.map((row) => [row.source_id, row.target_id]));
  }
}
