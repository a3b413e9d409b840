// The governor of every realm, shared by all processes: the pure pacing state of libs/core in one row per realm, changed
// under that row's lock, so three services together never exceed a window that one of them would keep.
//
// Inside one process calls of one lane (realm, kind, app, class) stand in a queue of which only the head asks the row:
// a hundred waiting calls cost one statement per grant, not a hundred. Nobody sleeps inside a transaction. A lane is
//   asking   its head is at the row
//   asleep   the row said "not before T": it sleeps until T, or until this process hands a grant of the realm back
// and is forgotten when its queue is empty.
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { admit, complete, defaultPacingPolicy, initialPacing, outlook, usage } from '#core';
import type { CallClass, PacingPolicy, PacingState, QuotaOutlook } from '#core';
import { Database } from '../database.js';

export interface GovernorRequest {
  kind: 'single' | 'batch';
  /** which of our services asks; it has a queue of its own */
  app: string;
  class: CallClass;
}

/** Leave to send one request. `complete` when its answer is in: the platform's windows are freed at response time. */
export interface GovernorGrant {
  complete(outcome: 'ok' | 'throttled'): Promise<void>;
}

export interface QuotaUse {
  /** slots of the minute in use: in flight, or answered within the last 60 s */
  lastMinute: number;
  inFlight: number;
  perMinute: number;
  /** share of the full rate after a 429 */
  factor: number;
  frozenUntil: Date | undefined;
  updatedAt: Date;
}

interface Waiting {
  signal: AbortSignal | undefined;
  resolve: (grant: GovernorGrant) => void;
  reject: (error: unknown) => void;
}

interface Lane {
  realmId: string;
  request: GovernorRequest;
  queue: Waiting[];
  nap: AbortController | undefined;
}

// Slots given back by another process are not announced; whoever waits for one looks again after this long at most.
const maxNapMs = 500;
// Intuit counts per realm and registered app (client id). All services of an installation are one such app, so they share
// its 10 in flight, its spacing and its batches; with one name per service each would have taken them for itself.
const intuitApp = 'installation';
// Back-off while PostgreSQL is away: without the row nothing may be sent.
const rowAwayMs = 1000;

@Injectable()
export class GovernorStore {
  private readonly lanes = new Map<string, Lane>();
  policy: PacingPolicy = defaultPacingPolicy;

  constructor(
    private readonly db: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Resolves when the request may be sent. Rejects only with the signal's reason. */
  acquire(realmId: string, request: GovernorRequest, signal?: AbortSignal): Promise<GovernorGrant> {
    return new Promise<GovernorGrant>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const key = `${realmId} ${request.kind} ${request.class} ${request.app}`;
      const known = this.lanes.get(key);
      const lane: Lane = known ?? { realmId, request, queue: [], nap: undefined };
      const waiting: Waiting = {
        signal,
        resolve: (grant) => {
          signal?.removeEventListener('abort', leave);
          resolve(grant);
        },
        reject,
      };
      const leave = () => {
        const place = lane.queue.indexOf(waiting);
        // Not in the queue: it is being granted this very moment, and the grant handles the abort.
        if (place >= 0) {
          lane.queue.splice(place, 1);
          reject(signal!.reason as Error);
        }
      };
      signal?.addEventListener('abort', leave, { once: true });
      lane.queue.push(waiting);
      if (!known) {
        this.lanes.set(key, lane);
        void this.serve(key, lane);
      }
    });
  }

  /** What it would say now, without asking for leave: to choose between a batch and single requests. */
  async outlook(realmId: string, callClass: CallClass): Promise<QuotaOutlook> {
    const [row] = await this.db.query<{ state: PacingState }>('select state from governor_state where realm_id = $1', [
      realmId,
    ]);
    const state = row?.state ?? initialPacing(this.policy);
    return outlook(state, this.policy, this.clock.nowMs(), { app: intuitApp, class: callClass });
  }

  async quotaUse(realmIds: readonly string[]): Promise<Map<string, QuotaUse>> {
    const rows = await this.db.query<{ realm_id: string; state: PacingState; updated_at: Date }>(
      'select realm_id, state, updated_at from governor_state where realm_id = any($1)',
      [realmIds],
    );
    const nowMs = this.clock.nowMs();
    return new Map(
      rows.map(({ realm_id, state, updated_at }) => {
        const { held, limit, factor } = usage(state, nowMs);
        return [
          realm_id,
          {
            lastMinute: held,
            inFlight: state.open.length,
            perMinute: limit,
            factor,
            frozenUntil: state.frozenUntilMs > nowMs ? new Date(state.frozenUntilMs) : undefined,
            updatedAt: updated_at,
          },
        ];
      }),
    );
  }

  private async serve(key: string, lane: Lane): Promise<void> {
    while (lane.queue.length > 0) {
      let untilMs: number;
      try {
        const decision = await this.ask(lane);
        if (decision.kind === 'go') {
          this.hand(lane, decision.grantId);
          continue;
        }
        untilMs = Math.min(decision.untilMs, this.clock.nowMs() + maxNapMs);
      } catch {
        // Not the waiting call's fault: it waits until the row can be asked, and its signal still ends it.
        untilMs = this.clock.nowMs() + rowAwayMs;
      }
      lane.nap = new AbortController();
      // At least a millisecond: a clock a hair behind the decision's must not spin.
      await this.clock.sleep(Math.max(1, untilMs - this.clock.nowMs()), lane.nap.signal);
      lane.nap = undefined;
    }
    this.lanes.delete(key);
  }

  private hand(lane: Lane, grantId: number): void {
    const grant = { complete: (outcome: 'ok' | 'throttled') => this.complete(lane.realmId, grantId, outcome) };
    const first = lane.queue.shift();
    if (first) first.resolve(grant);
    // Everybody left while the row was asked: the slot is given back, counted as a call that was answered.
    else void grant.complete('ok').catch(() => undefined);
  }

  private ask(lane: Lane): Promise<ReturnType<typeof admit>['decision']> {
    return this.change(lane.realmId, (state) => {
      const admitted = admit(state, this.policy, this.clock.nowMs(), { ...lane.request, app: intuitApp });
      return [admitted.state, admitted.decision];
    });
  }

  private async complete(realmId: string, grantId: number, outcome: 'ok' | 'throttled'): Promise<void> {
    await this.change(realmId, (state) => [complete(state, this.clock.nowMs(), grantId, outcome), undefined]);
    // A slot is free (or the realm frozen): whoever sleeps here looks again.
    for (const lane of this.lanes.values()) if (lane.realmId === realmId) lane.nap?.abort();
  }

  // The clock is read under the row's lock: read before, a process that waited for the lock would write an older time
  // over a newer one.
  private async change<T>(realmId: string, decide: (state: PacingState) => [PacingState, T]): Promise<T> {
    return this.db.withTransaction(async (tx) => {
      const read = `select state from governor_state where realm_id = $1 for update`;
      let [row] = await tx.query<{ state: PacingState }>(read, [realmId]);
      if (!row) {
        await tx.query(
          `insert into governor_state (realm_id, state, updated_at) values ($1, $2, $3) on conflict do nothing`,
          [realmId, JSON.stringify(initialPacing(this.policy)), this.clock.now()],
        );
        [row] = await tx.query<{ state: PacingState }>(read, [realmId]);
      }
      const [next, result] = decide(row!.state);
      await tx.query('update governor_state set state = $2, updated_at = $3 where realm_id = $1', [
        realmId,
        JSON.stringify(next),
        this.clock.now(),
      ]);
      return result;
    });
  }
}
