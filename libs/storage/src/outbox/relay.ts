// Publishes the outbox. One relay works at a time in the whole installation (advisory lock, held for one batch), in id
// order, and deletes a row only after the broker acknowledged it: a crash in between publishes again, with the same id.
//
// Modes: idle -> running (start) -> stopped (stop, for good). In `running` one round is in flight at most; `wake` ends the
// pause between rounds. `stop` waits for the round in flight.
import { failpoint } from '#common/failpoints';
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import type { Database } from '../database.js';

/**
 * Port: Kafka's producer, given by the app. Resolves when everything is acknowledged. Rejects with an error named
 * `InvalidEvent`, before anything is sent, when a record breaks its schema and can never be published.
 */
export interface OutboxPublisher {
  publishAll(
    records: { topic: string; key: string; id: string; time: Date; traceparent?: string; value: unknown }[],
  ): Promise<void>;
}

interface OutboxRow {
  id: string;
  topic: string;
  key: string;
  event_id: string;
  event_time: Date;
  traceparent: string | null;
  value: unknown;
}

export interface RelayOptions {
  clock: Clock;
  log: Log;
  /** pause when there was nothing to publish; rows written by another process wait this long at most */
  pollMs?: number;
  batch?: number;
}

const maxBackoffMs = 5000;

export class OutboxRelay {
  private mode: 'idle' | 'running' | 'stopped' = 'idle';
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();
  private pause = new AbortController();
  private woken = false;

  constructor(
    private readonly db: Database,
    private readonly publisher: OutboxPublisher,
    private readonly o: RelayOptions,
  ) {}

  start(): void {
    if (this.mode !== 'idle') throw new Error(`a relay starts once; this one is ${this.mode}`);
    this.mode = 'running';
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.mode = 'stopped';
    this.stopping.abort();
    this.pause.abort();
    await this.loop;
  }

  /** For a process that leaves: what it announced last goes out now if this relay gets its turn, else with the next one. */
  async drain(): Promise<void> {
    await this.publishOnce().catch(() => undefined);
    await this.stop();
  }

  /** There is something new: do not wait for the poll. */
  wake(): void {
    this.woken = true;
    this.pause.abort();
  }

  /** One batch; answers how many rows went out, undefined when another relay is at work. */
  async publishOnce(): Promise<number | undefined> {
    const limit = this.o.batch ?? 500;
    // One cheap statement while there is nothing to do, which is nearly always: every process has a relay that polls.
    const [waiting] = await this.db.query('select from outbox where refused is null limit 1');
    if (!waiting) return 0;
    return this.db.withTransaction(async (tx) => {
      const [lock] = await tx.query<{ mine: boolean }>(
        `select pg_try_advisory_xact_lock(hashtextextended('outbox relay of ' || current_schema(), 0)) as mine`,
      );
      if (!lock!.mine) return undefined;
      const rows = await tx.query<OutboxRow>(
        `select id, topic, key, event_id, event_time, traceparent, value from outbox where refused is null
         order by id limit $1`,
        [limit],
      );
      if (rows.length === 0) return 0;
      await failpoint('outbox.before-publish');
      const refused = await this.publish(rows);
      await failpoint('outbox.published');
      for (const { row, reason } of refused) {
        this.o.log.error({ topic: row.topic, key: row.key, eventId: row.event_id, reason }, 'announcement refused');
        await tx.query('update outbox set refused = $2 where id = $1', [row.id, reason]);
      }
      await tx.query('delete from outbox where id = any($1::bigint[]) and refused is null', [
        rows.map((row) => row.id),
      ]);
      await failpoint('outbox.deleted');
      return rows.length;
    });
  }

  /** All at once; when one of them is invalid, one by one, so that only that one is left. Answers what was refused. */
  private async publish(rows: readonly OutboxRow[]): Promise<{ row: OutboxRow; reason: string }[]> {
    try {
      await this.publisher.publishAll(rows.map(publication));
      return [];
    } catch (error) {
      if (!isInvalid(error)) throw error;
    }
    const refused: { row: OutboxRow; reason: string }[] = [];
    for (const row of rows) {
      try {
        await this.publisher.publishAll([publication(row)]);
      } catch (error) {
        if (!isInvalid(error)) throw error;
        refused.push({ row, reason: error.message });
      }
    }
    return refused;
  }

  private async run(): Promise<void> {
    const { clock, log, pollMs = 200, batch = 500 } = this.o;
    let failures = 0;
    while (this.mode === 'running') {
      this.woken = false;
      let published: number | undefined;
      try {
        published = await this.publishOnce();
        if (failures > 0) log.info({ failures }, 'outbox is published again');
        failures = 0;
      } catch (error) {
        failures++;
        // Rows stay where they are; once per step is enough to be seen and not to flood.
        log.warn({ err: error, failures }, 'outbox not published, will try again');
      }
      if (published === batch) continue;
      if (failures > 0) await clock.sleep(Math.min(maxBackoffMs, pollMs * 2 ** failures), this.stopping.signal);
      else if (!this.woken) {
        this.pause = new AbortController();
        if (this.mode !== 'running') break;
        await clock.sleep(pollMs, this.pause.signal);
      }
    }
  }
}

const isInvalid = (error: unknown): error is Error => (error as Error).name === 'InvalidEvent';

const publication = (row: OutboxRow): Parameters<OutboxPublisher['publishAll']>[0][number] => ({
  topic: row.topic,
  key: row.key,
  id: row.event_id,
  time: row.event_time,
  ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  value: row.value,
});
