// Publishes the outbox. One relay works at a time in the whole installation (advisory lock, held for one batch), in id
// order, and deletes a row only after the broker acknowledged it: a crash in between publishes again, with the same id.
//
// Modes: idle -> running (start) -> stopped (stop, for good). In `running` one round is in flight at most; `wake` ends the
// pause between rounds. `stop` waits for the round in flight.
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import type { Database } from '../database.js';

/** Port: Kafka's producer, given by the app. Resolves when everything is acknowledged. */
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

  /** There is something new: do not wait for the poll. */
  wake(): void {
    this.woken = true;
    this.pause.abort();
  }

  /** One batch; answers how many rows went out, undefined when another relay is at work. */
  async publishOnce(): Promise<number | undefined> {
    const limit = this.o.batch ?? 500;
    return this.db.withTransaction(async (tx) => {
      const [lock] = await tx.query<{ mine: boolean }>(
        `select pg_try_advisory_xact_lock(hashtextextended('outbox relay of ' || current_schema(), 0)) as mine`,
      );
      if (!lock!.mine) return undefined;
      const rows = await tx.query<OutboxRow>(
        `select id, topic, key, event_id, event_time, traceparent, value from outbox order by id limit $1`,
        [limit],
      );
      if (rows.length === 0) return 0;
      await this.publisher.publishAll(
        rows.map((row) => ({
          topic: row.topic,
          key: row.key,
          id: row.event_id,
          time: row.event_time,
          ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
          value: row.value,
        })),
      );
      await tx.query('delete from outbox where id = any($1::bigint[])', [rows.map((row) => row.id)]);
      return rows.length;
    });
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
