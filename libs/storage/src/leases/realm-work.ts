// Which companies have work now, and the word that one got some. The rows are kept by triggers (migration 0040); this store
// asks them, puts a company to rest until its next moment, and hears at once when that moment was moved forward. Cost: one
// look into one index, whatever the number of companies that sleep.
import { Injectable } from '@nestjs/common';
import type { Log } from '#common/logging';
import { Database, type Listening, type Tx } from '../database.js';
import type { LeasePurpose } from './realm-leases.js';

/** Purposes whose work is kept in `realm_work`; capture has due times of its own. */
export type WorkPurpose = Exclude<LeasePurpose, 'capture'>;

@Injectable()
export class RealmWork {
  constructor(private readonly db: Database) {}

  /** Companies that may have work and that nobody acts for, longest due first. */
  async unowned(purpose: WorkPurpose, at: Date, limit: number): Promise<string[]> {
    const rows = await this.db.query<{ realm_id: string }>(
      `select w.realm_id from realm_work w
       where w.purpose = $1 and w.due_at <= $2
         and not exists (select from realm_leases l where l.realm_id = w.realm_id and l.purpose = w.purpose
                         and l.expires_at > clock_timestamp())
       order by w.due_at limit $3`,
      [purpose, at, limit],
    );
    return rows.map((row) => row.realm_id);
  }

  /** Which of these have work now: the safety net under the word, for companies at rest. */
  async dueAmong(purpose: WorkPurpose, realmIds: readonly string[], at: Date): Promise<string[]> {
    if (realmIds.length === 0) return [];
    const rows = await this.db.query<{ realm_id: string }>(
      `select realm_id from realm_work where purpose = $1 and due_at <= $2 and realm_id = any($3)`,
      [purpose, at, realmIds],
    );
    return rows.map((row) => row.realm_id);
  }

  /**
   * Puts a company to rest until the next moment at which there is something to do, and answers that moment; undefined when
   * only something new can make work. The row is locked before the look, so whoever makes work at this moment either is
   * seen by it or moves the moment forward again and says so.
   */
  async rest(
    purpose: WorkPurpose,
    realmId: string,
    nextMoment: (tx: Tx) => Promise<Date | undefined>,
  ): Promise<Date | undefined> {
    return this.db.withTransaction(async (tx) => {
      await tx.query(
        `insert into realm_work (realm_id, purpose, due_at) values ($1, $2, '-infinity') on conflict do nothing`,
        [realmId, purpose],
      );
      await tx.query('select from realm_work where purpose = $1 and realm_id = $2 for update', [purpose, realmId]);
      const next = await nextMoment(tx);
      await tx.query('update realm_work set due_at = $3 where purpose = $1 and realm_id = $2', [
        purpose,
        realmId,
        next ?? 'infinity',
      ]);
      return next;
    });
  }

  /** Hears of companies of this purpose that got work; goes on by itself after a lost connection. */
  listen(purpose: WorkPurpose, log: Log, heard: (realmId: string) => void): Listening {
    return this.db.listen(`realm_work_${this.db.schema}`, log, (payload) => {
      const [told, realmId] = payload.split(' ');
      if (told === purpose && realmId !== undefined) heard(realmId);
    });
  }
}
