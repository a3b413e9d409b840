// The exclusive right to act for a realm: a row with an owner, an expiry and a fencing number that rises with every
// change of owner. Time is the database's, one clock for all processes. Whoever acts passes its fence along; a process
// that slept through its expiry (a zombie) fails `assertFence` in the very transaction that would have done harm.
import { failpoint } from '#common/failpoints';
import { Injectable } from '@nestjs/common';
import { Database } from '../database.js';
import type { Tx } from '../database.js';

export type LeasePurpose = 'capture' | 'writer' | 'attachments';

export class FenceLost extends Error {
  readonly code = 'LEASES.FENCE.LOST';

  constructor(
    readonly realmId: string,
    readonly purpose: LeasePurpose,
    readonly fence: bigint,
  ) {
    super(`another process acts for realm ${realmId} (${purpose}); fence ${fence} is over`);
    this.name = 'FenceLost';
  }
}

@Injectable()
export class RealmLeases {
  constructor(private readonly db: Database) {}

  /** Takes a free, expired or own lease. An own one that is still good keeps its fence. */
  async acquire(
    realmId: string,
    purpose: LeasePurpose,
    owner: string,
    ttlMs: number,
  ): Promise<{ fence: bigint } | undefined> {
    const [row] = await this.db.query<{ fence: string }>(
      `insert into realm_leases as held (realm_id, purpose, owner, fence, expires_at)
       values ($1, $2, $3, 1, clock_timestamp() + $4 * interval '1 millisecond')
       on conflict (realm_id, purpose) do update
         set owner = excluded.owner,
             expires_at = excluded.expires_at,
             fence = held.fence + case when held.owner = excluded.owner and held.expires_at > clock_timestamp() then 0 else 1 end
         where held.owner = excluded.owner or held.expires_at <= clock_timestamp()
       returning fence`,
      [realmId, purpose, owner, ttlMs],
    );
    if (row) await failpoint('lease.acquired');
    return row && { fence: BigInt(row.fence) };
  }

  /** Prolongs all of an owner's leases in one statement; answers those that were lost. */
  async renew(owner: string, purpose: LeasePurpose, realmIds: readonly string[], ttlMs: number): Promise<string[]> {
    if (realmIds.length === 0) return [];
    await failpoint('lease.before-renew');
    const kept = await this.db.query<{ realm_id: string }>(
      `update realm_leases set expires_at = clock_timestamp() + $4 * interval '1 millisecond'
       where owner = $1 and purpose = $2 and realm_id = any($3) and expires_at > clock_timestamp()
       returning realm_id`,
      [owner, purpose, realmIds, ttlMs],
    );
    await failpoint('lease.renewed');
    const held = new Set(kept.map((row) => row.realm_id));
    return realmIds.filter((realmId) => !held.has(realmId));
  }

  /**
   * Says that this owner is there, and answers what its share is made of: the owners that are there, the companies that are
   * held, and those that have work and nobody.
   */
  async share(
    owner: string,
    purpose: Exclude<LeasePurpose, 'capture'>,
    ttlMs: number,
  ): Promise<{ owners: number; held: number; unowned: number }> {
    await this.db.query(
      `insert into realm_owners (owner, purpose, expires_at) values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
       on conflict (purpose, owner) do update set expires_at = excluded.expires_at`,
      [owner, purpose, ttlMs],
    );
    const [row] = await this.db.query<{ owners: number; held: number; unowned: number }>(
      `select (select count(*) from realm_owners where purpose = $1 and expires_at > clock_timestamp())::int as owners,
         (select count(*) from realm_leases where purpose = $1 and expires_at > clock_timestamp())::int as held,
         (select count(*) from realm_work w where w.purpose = $1 and w.due_at <= clock_timestamp() and not exists (
            select from realm_leases l where l.realm_id = w.realm_id and l.purpose = w.purpose
              and l.expires_at > clock_timestamp()))::int as unowned`,
      [purpose],
    );
    return row!;
  }

  /** This owner takes no more companies; owners that were killed are forgotten with it. */
  async leave(owner: string, purpose: LeasePurpose): Promise<void> {
    await this.db.query(
      'delete from realm_owners where purpose = $1 and (owner = $2 or expires_at < clock_timestamp())',
      [purpose, owner],
    );
  }

  /** Gives it back at once. The row stays: its fence must go on rising. */
  async release(realmId: string, purpose: LeasePurpose, owner: string): Promise<void> {
    await this.db.query(
      `update realm_leases set expires_at = '-infinity', owner = '' where realm_id = $1 and purpose = $2 and owner = $3`,
      [realmId, purpose, owner],
    );
  }

  /** Holds the lease row until the transaction ends, so that nobody takes over in the middle. @throws FenceLost */
  async assertFence(tx: Tx, realmId: string, purpose: LeasePurpose, fence: bigint): Promise<void> {
    const rows = await tx.query(
      `select from realm_leases where realm_id = $1 and purpose = $2 and fence = $3 and expires_at > clock_timestamp() for share`,
      [realmId, purpose, String(fence)],
    );
    if (rows.length === 0) throw new FenceLost(realmId, purpose, fence);
  }
}
