// Who did what, chained per organization: hash = sha256(previous hash | sequence | canonical entry). A changed, inserted,
// reordered or missing entry is found with the first sequence number that does not fit. A chain alone cannot show a cut
// tail: keep the head that `verify` answers somewhere else and pass it the next time.
import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Json } from '#core';
import { Database } from '../database.js';
import type { Tx } from '../database.js';

export interface AuditEntry {
  eventId: string;
  at: Date;
  actor: string;
  action: string;
  subject: string;
  details: Json;
}

export interface AuditRow extends AuditEntry {
  sequence: string;
  previousHash: string;
  hash: string;
}

export interface ChainHead {
  sequence: string;
  hash: string;
}

export type ChainVerdict =
  | { kind: 'intact'; entries: number; head: ChainHead | undefined }
  | { kind: 'broken'; firstBadSequence: string; reason: string };

const columns = `sequence::text, event_id as "eventId", at, actor, action, subject, details, previous_hash as "previousHash", hash`;
const verifyPage = 1000;

@Injectable()
export class AuditLog {
  constructor(private readonly db: Database) {}

  /** Appends in the order given; an entry that is there already (by eventId) is left out. Answers how many were new. */
  async append(organizationId: string, entries: readonly AuditEntry[]): Promise<number> {
    return this.db.withTransaction(async (tx) => {
      // One writer per chain: the next hash needs the last one. A global chain would serialize all organizations.
      await tx.query(`select pg_advisory_xact_lock(hashtextextended('audit chain ' || current_schema() || $1, 0))`, [
        organizationId,
      ]);
      const known = await tx.query<{ eventId: string }>(
        'select event_id as "eventId" from audit_log where organization_id = $1 and event_id = any($2)',
        [organizationId, entries.map((entry) => entry.eventId)],
      );
      const seen = new Set(known.map((row) => row.eventId));
      const [head] = await tx.query<ChainHead>(
        'select sequence::text, hash from audit_log where organization_id = $1 order by audit_log.sequence desc limit 1',
        [organizationId],
      );
      let sequence = BigInt(head?.sequence ?? 0);
      let previousHash = head?.hash ?? '';
      let added = 0;
      for (const entry of entries) {
        if (seen.has(entry.eventId)) continue;
        seen.add(entry.eventId);
        sequence += 1n;
        added += 1;
        const hash = chainHash(previousHash, String(sequence), entry);
        await tx.query(
          `insert into audit_log (organization_id, sequence, event_id, at, actor, action, subject, details, previous_hash, hash)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
          [
            organizationId,
            String(sequence),
            entry.eventId,
            entry.at,
            entry.actor,
            entry.action,
            entry.subject,
            JSON.stringify(entry.details),
            previousHash,
            hash,
          ],
        );
        previousHash = hash;
      }
      return added;
    });
  }

  /** Newest first; `before`: the sequence the last page ended at. */
  async list(
    organizationId: string,
    page: { limit: number; before?: string | undefined },
    tx: Tx = this.db,
  ): Promise<AuditRow[]> {
    return tx.query<AuditRow>(
      `select ${columns} from audit_log where organization_id = $1 and ($2::bigint is null or audit_log.sequence < $2)
       order by audit_log.sequence desc limit $3`,
      [organizationId, page.before ?? null, page.limit],
    );
  }

  /** Walks the chain from its start. `anchor`: a head that was noted earlier and must still be there. */
  async verify(organizationId: string, anchor?: ChainHead): Promise<ChainVerdict> {
    let head: ChainHead | undefined;
    let entries = 0;
    for (;;) {
      const rows = await this.db.query<AuditRow>(
        `select ${columns} from audit_log where organization_id = $1 and audit_log.sequence > $2
         order by audit_log.sequence limit $3`,
        [organizationId, head?.sequence ?? '0', verifyPage],
      );
      for (const row of rows) {
        const expected = String(BigInt(head?.sequence ?? 0) + 1n);
        if (row.sequence !== expected) return broken(expected, `entry ${expected} is missing`);
        if (row.previousHash !== (head?.hash ?? '')) return broken(row.sequence, 'does not follow the entry before it');
        if (row.hash !== chainHash(row.previousHash, row.sequence, row)) return broken(row.sequence, 'was changed');
        if (anchor?.sequence === row.sequence && anchor.hash !== row.hash)
          return broken(row.sequence, 'is not what was anchored');
        head = { sequence: row.sequence, hash: row.hash };
        entries += 1;
      }
      if (rows.length < verifyPage) break;
    }
    if (anchor && BigInt(anchor.sequence) > BigInt(head?.sequence ?? 0)) {
      return broken(
        String(BigInt(head?.sequence ?? 0) + 1n),
        `the chain was cut: it reached ${anchor.sequence} before`,
      );
    }
    return { kind: 'intact', entries, head };
  }
}

const broken = (firstBadSequence: string, reason: string): ChainVerdict => ({
  kind: 'broken',
  firstBadSequence,
  reason,
});

function chainHash(previousHash: string, sequence: string, entry: AuditEntry): string {
  const { eventId, at, actor, action, subject, details } = entry;
  const content = canonical([eventId, at.toISOString(), actor, action, subject, details]);
  return createHash('sha256').update(`${previousHash}|${sequence}|${content}`).digest('hex');
}

/** JSON with sorted keys: jsonb keeps the values but not the order they were written in. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
