// OAuth grants, sealed by libs/qbo before they come here. Satisfies that library's port for custody: one renewal at a
// time per company over all processes, and every step durable as soon as its promise resolves.
//
// The lock is a session advisory lock, not a row lock: "a renewal has started" must be committed while the lock is still
// held, which one transaction cannot do.
import { Injectable } from '@nestjs/common';
import { Database } from '../database.js';
import type { Tx } from '../database.js';

export interface StoredGrant {
  realmId: string;
  organizationId: string;
  accessTokenSealed: string;
  refreshTokenSealed: string;
  previousRefreshTokenSealed: string | null;
  accessExpiresAt: Date;
  refreshStartedAt: Date | null;
  /** rises with every stored pair */
  grantVersion: string;
  /** why a person must reconnect; null while the grant is alive */
  reconnectReason: string | null;
}

export type SealedTokens = Pick<StoredGrant, 'accessTokenSealed' | 'refreshTokenSealed' | 'previousRefreshTokenSealed'>;

export interface SealedPair {
  accessTokenSealed: string;
  refreshTokenSealed: string;
  accessExpiresAt: Date;
  refreshExpiresAt: Date;
  refreshHardExpiresAt: Date | null;
  refreshedAt: Date;
}

export interface HeldGrant {
  noteRefreshStarted(at: Date): Promise<void>;
  store(pair: SealedPair): Promise<void>;
  markReconnectNeeded(reason: string): Promise<void>;
}

export class GrantMissing extends Error {
  readonly code = 'GRANTS.GRANT.MISSING';

  constructor(readonly realmId: string) {
    super(`company ${realmId} has no grant; connect it first`);
    this.name = 'GrantMissing';
  }
}

@Injectable()
export class Grants {
  constructor(private readonly db: Database) {}

  async find(realmId: string, tx: Tx = this.db): Promise<StoredGrant | undefined> {
    const [grant] = await tx.query<StoredGrant>(
      `select g.realm_id as "realmId", g.organization_id as "organizationId", g.access_token_sealed as "accessTokenSealed",
              g.refresh_token_sealed as "refreshTokenSealed", g.previous_refresh_token_sealed as "previousRefreshTokenSealed",
              g.access_expires_at as "accessExpiresAt", g.refresh_started_at as "refreshStartedAt",
              g.grant_version::text as "grantVersion",
              case c.status when 'connected' then null else coalesce(c.status_reason, c.status) end as "reconnectReason"
       from oauth_grants g join companies c using (realm_id) where g.realm_id = $1`,
      [realmId],
    );
    return grant;
  }

  /** @throws GrantMissing */
  alone<T>(realmId: string, renew: (grant: StoredGrant, held: HeldGrant) => Promise<T>): Promise<T> {
    return this.locked(realmId, (grant, session) =>
      renew(grant, {
        noteRefreshStarted: async (at) => {
          await session.query('update oauth_grants set refresh_started_at = $2 where realm_id = $1', [realmId, at]);
        },
        store: (pair) => this.store(session, realmId, pair).catch(() => this.store(this.db, realmId, pair)),
        markReconnectNeeded: (reason) => this.markReconnectNeeded(session, realmId, reason),
      }),
    );
  }

  /** Companies whose grant holds anything that another key has sealed. */
  async sealedByOthersThan(keyId: string): Promise<string[]> {
    const found = await this.db.query<{ realm_id: string }>(
      `select realm_id from oauth_grants
       where exists (select from unnest(array[access_token_sealed, refresh_token_sealed, previous_refresh_token_sealed]) as sealed
         where split_part(sealed, '.', 2) <> $1)
       order by realm_id`,
      [keyId],
    );
    return found.map(({ realm_id }) => realm_id);
  }

  /** The same tokens sealed anew, while nobody renews them. @throws GrantMissing, and what `again` throws */
  reseal(realmId: string, again: (grant: StoredGrant) => SealedTokens): Promise<void> {
    return this.locked(realmId, async (grant, session) => {
      const { accessTokenSealed, refreshTokenSealed, previousRefreshTokenSealed } = again(grant);
      await session.query(
        `update oauth_grants set access_token_sealed = $2, refresh_token_sealed = $3, previous_refresh_token_sealed = $4
         where realm_id = $1 and grant_version = $5`,
        [realmId, accessTokenSealed, refreshTokenSealed, previousRefreshTokenSealed, grant.grantVersion],
      );
    });
  }

  private locked<T>(realmId: string, act: (grant: StoredGrant, session: Tx) => Promise<T>): Promise<T> {
    return this.db.withSession(async (session) => {
      const lock = `hashtextextended('renewal of ' || current_schema() || '.' || $1, 0)`;
      await session.query(`select pg_advisory_lock(${lock})`, [realmId]);
      try {
        const grant = await this.find(realmId, session);
        if (!grant) throw new GrantMissing(realmId);
        return await act(grant, session);
      } finally {
        // A broken connection has given its locks back already.
        await session.query(`select pg_advisory_unlock(${lock})`, [realmId]).catch(() => undefined);
      }
    });
  }

  /**
   * A new pair: at connect (the company's row exists) and after every renewal. The old refresh token is kept one step: a
   * crash between Intuit's answer and this statement leaves only it. A second connection is tried by `alone` when the
   * first one broke: a pair that Intuit gave out and nobody stored would be a lost company.
   */
  async store(tx: Tx, realmId: string, pair: SealedPair): Promise<void> {
    const stored = await tx.query(
      `insert into oauth_grants as known (realm_id, organization_id, access_token_sealed, refresh_token_sealed, access_expires_at,
         refresh_expires_at, refresh_hard_expires_at, refreshed_at)
       select realm_id, organization_id, $2, $3, $4, $5, $6, $7 from companies where realm_id = $1
       on conflict (realm_id) do update set
         access_token_sealed = excluded.access_token_sealed,
         previous_refresh_token_sealed = known.refresh_token_sealed,
         refresh_token_sealed = excluded.refresh_token_sealed,
         access_expires_at = excluded.access_expires_at,
         refresh_expires_at = excluded.refresh_expires_at,
         refresh_hard_expires_at = coalesce(excluded.refresh_hard_expires_at, known.refresh_hard_expires_at),
         refreshed_at = excluded.refreshed_at,
         refresh_started_at = null,
         grant_version = known.grant_version + 1
       returning realm_id`,
      [
        realmId,
        pair.accessTokenSealed,
        pair.refreshTokenSealed,
        pair.accessExpiresAt,
        pair.refreshExpiresAt,
        pair.refreshHardExpiresAt,
        pair.refreshedAt,
      ],
    );
    if (stored.length === 0) throw new GrantMissing(realmId);
  }

  /** The company's work is held from here on; only a person can mend it. */
  async markReconnectNeeded(tx: Tx, realmId: string, reason: string): Promise<void> {
    await tx.query(
      `update companies set status = 'reconnect_needed', status_reason = $2 where realm_id = $1 and status <> 'disconnected'`,
      [realmId, reason],
    );
  }
}
