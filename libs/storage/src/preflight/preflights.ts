// The newest preflight of each sync.
import { Injectable } from '@nestjs/common';
import type { Finding } from '#core';
import { Database } from '../database.js';
import type { Tx } from '../database.js';

export interface Preflight {
  checkedAt: Date;
  findings: Finding[];
}

@Injectable()
export class Preflights {
  constructor(private readonly db: Database) {}

  /** An older look that ends later does not replace a newer one. */
  async store(tx: Tx, of: { syncId: string; organizationId: string }, preflight: Preflight): Promise<void> {
    await tx.query(
      `insert into preflights (sync_id, organization_id, checked_at, findings) values ($1, $2, $3, $4)
       on conflict (sync_id) do update set checked_at = excluded.checked_at, findings = excluded.findings
       where preflights.checked_at <= excluded.checked_at`,
      [of.syncId, of.organizationId, preflight.checkedAt, JSON.stringify(preflight.findings)],
    );
  }

  /** undefined: nobody has looked yet */
  async find(syncId: string, tx: Tx = this.db): Promise<Preflight | undefined> {
    const [row] = await tx.query<Preflight>(
      'select checked_at as "checkedAt", findings from preflights where sync_id = $1',
      [syncId],
    );
    return row;
  }
}
