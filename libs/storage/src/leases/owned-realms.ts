// The companies one process acts for. Whoever holds a company's lease (realm-leases.ts) runs its loop; the loop ends, after
// its calls in flight, before the lease is given back. Kafka's partition assignment and the word of realm-work.ts are hints
// that wake the right process at once; a look into one index every second finds what no hint told.
//
// Shares: each process says that it is there. It takes companies up to its share (all that are held or wait, over all
// processes that are there) and gives back what is above it, idle ones first, so nobody hoards and a new process gets its
// part within a lease time.
//
// Modes: idle -> running (start) -> stopped (stop, for good). In `running` two loops turn: one looks for companies with work,
// one renews the leases. `stop` lets every company finish its calls in flight, then gives all leases back; leases are
// renewed until the last is back. A company is in `loops` while its loop may act, in `closing` while it ends.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '#common/clock';
import type { Watchdog } from '#common/health';
import type { Log } from '#common/logging';
import type { TurnLane } from '#core';
import type { Listening } from '../database.js';
import type { RealmLeases } from './realm-leases.js';
import type { RealmWork, WorkPurpose } from './realm-work.js';
import { Turns, type Seat } from './turns.js';

/** The loop of one company. Runs from its making until `stop` resolves or `lose` is called. */
export interface RealmLoop {
  wake(lane: TurnLane): void;
  /** how long nothing was done */
  idleMs(): number;
  readonly isLost: boolean;
  /** lets calls in flight finish, then ends */
  stop(): Promise<void>;
  /** the lease is gone: write nothing more */
  lose(): void;
}

export interface OwnedRealmsPorts<L extends RealmLoop> {
  purpose: WorkPurpose;
  work: RealmWork;
  leases: RealmLeases;
  clock: Clock;
  log: Log;
  open: (realmId: string, fence: bigint, seat: Seat) => L;
  turns?: Turns;
  watchdog?: Watchdog;
  /** how many are owned now */
  owned?: (realms: number) => void;
}

export interface OwnedRealmsOptions {
  leaseMs: number;
  /** how often companies with work are looked for without being told */
  lookMs?: number;
  /** a company without work keeps its loop this long */
  quietMs?: number;
}

const defaultLookMs = 1_000;
const defaultQuietMs = 60_000;
/** Companies taken at one look: each is a statement, and other processes want theirs. */
const takenPerLook = 200;
/** A few side by side: after a crash hundreds wait, and the pool has others to serve. */
const openedAtOnce = 4;
/** Of what is above the share, given back at one renewal: a wave of hand-overs would stop everybody at once. */
const givenBackAtOnce = 0.25;

export class OwnedRealms<L extends RealmLoop = RealmLoop> {
  readonly owner = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  private mode: 'idle' | 'running' | 'stopped' = 'idle';
  private readonly stopping = new AbortController();
  private readonly loops = new Map<string, L>();
  private readonly closing = new Map<string, Promise<void>>();
  private readonly told = new Map<string, TurnLane>();
  private readonly turns: Turns;
  private nap = new AbortController();
  private running: Promise<unknown> = Promise.resolve();
  private listening: Listening | undefined;
  private share = Number.POSITIVE_INFINITY;

  constructor(
    private readonly ports: OwnedRealmsPorts<L>,
    private readonly options: OwnedRealmsOptions,
  ) {
    this.turns = ports.turns ?? new Turns(ports.clock);
  }

  start(): void {
    if (this.mode !== 'idle') throw new Error(`owned companies start once; these are ${this.mode}`);
    this.mode = 'running';
    const { work, purpose, log } = this.ports;
    this.listening = work.listen(purpose, log, (realmId) => this.wake(realmId, 'live'));
    this.running = Promise.all([this.lookForWork(), this.renewLeases()]);
  }

  /** A company may have something to do. */
  wake(realmId: string, lane: TurnLane = 'live'): void {
    const loop = this.loops.get(realmId);
    if (loop) return loop.wake(lane);
    if (this.mode !== 'running') return;
    if (lane === 'live' || !this.told.has(realmId)) this.told.set(realmId, lane);
    this.nap.abort();
  }

  /** Finishes what is on its way and gives the companies to others. */
  async stop(): Promise<void> {
    this.mode = 'stopped';
    this.stopping.abort();
    this.nap.abort();
    await this.listening?.stop();
    const closed = Promise.all([...this.loops.keys()].map((realmId) => this.close(realmId)));
    await this.running;
    await closed;
    // One that the last look opened.
    await Promise.all([...this.loops.keys()].map((realmId) => this.close(realmId)));
    await Promise.all(this.closing.values());
    const { leases, purpose, log } = this.ports;
    await leases.leave(this.owner, purpose).catch((error: unknown) => log.warn({ err: error }, 'owner not signed off'));
  }

  realms(): string[] {
    return [...this.loops.keys()];
  }

  private async lookForWork(): Promise<void> {
    const { clock, log, watchdog } = this.ports;
    while (this.mode === 'running') {
      watchdog?.progress();
      const told = new Map(this.told);
      this.told.clear();
      this.nap = new AbortController();
      try {
        await this.openWhatHasWork(told);
        this.closeQuiet();
      } catch (error) {
        log.warn({ err: error }, 'could not look for work, will try again');
      }
      this.ports.owned?.(this.loops.size);
      if (this.told.size === 0 && !this.stopping.signal.aborted)
        await clock.sleep(this.options.lookMs ?? defaultLookMs, this.nap.signal);
    }
    watchdog?.idle();
  }

  private async openWhatHasWork(told: ReadonlyMap<string, TurnLane>): Promise<void> {
    const { work, purpose, clock } = this.ports;
    for (const [realmId, lane] of told) await this.open(realmId, lane);
    const at = clock.now();
    // Their loops rest; the word that they have work may have been lost with a connection.
    for (const realmId of await work.dueAmong(purpose, this.resting(), at)) this.loops.get(realmId)?.wake('bulk');
    const room = Math.min(takenPerLook, this.share - this.loops.size);
    if (room <= 0) return;
    const unowned = await work.unowned(purpose, at, room);
    for (let next = 0; next < unowned.length; next += openedAtOnce)
      await Promise.all(unowned.slice(next, next + openedAtOnce).map((realmId) => this.open(realmId, 'bulk')));
  }

  private resting(): string[] {
    return [...this.loops].filter(([, loop]) => loop.idleMs() > 0).map(([realmId]) => realmId);
  }

  private async open(realmId: string, lane: TurnLane): Promise<void> {
    const { leases, purpose, log } = this.ports;
    if (this.mode !== 'running' || this.loops.size >= this.share) return;
    if (this.loops.has(realmId) || this.closing.has(realmId)) return;
    const lease = await leases.acquire(realmId, purpose, this.owner, this.options.leaseMs);
    if (!lease) return;
    log.info({ realm: realmId, purpose, fence: String(lease.fence) }, 'acting for this company');
    this.loops.set(realmId, this.ports.open(realmId, lease.fence, this.turns.join(realmId, lane)));
  }

  private closeQuiet(): void {
    for (const [realmId, loop] of this.loops) {
      if (loop.isLost) this.loops.delete(realmId);
      else if (loop.idleMs() > (this.options.quietMs ?? defaultQuietMs)) void this.close(realmId);
    }
  }

  private close(realmId: string): Promise<void> {
    const loop = this.loops.get(realmId);
    const known = this.closing.get(realmId);
    if (known || !loop) return known ?? Promise.resolve();
    const closing = loop
      .stop()
      .then(() => (loop.isLost ? undefined : this.ports.leases.release(realmId, this.ports.purpose, this.owner)))
      // A lease that could not be given back runs out by itself.
      .catch((error: unknown) => this.ports.log.warn({ err: error, realm: realmId }, 'lease not given back'))
      .finally(() => {
        if (this.loops.get(realmId) === loop) this.loops.delete(realmId);
        this.closing.delete(realmId);
      });
    this.closing.set(realmId, closing);
    return closing;
  }

  /** Goes on while companies are being closed: their last calls need the lease to settle. */
  private async renewLeases(): Promise<void> {
    const { clock } = this.ports;
    const everyMs = Math.floor(this.options.leaseMs / 4);
    let renewedAtMs = clock.nowMs();
    while (this.mode === 'running' || this.loops.size > 0) {
      renewedAtMs = await this.renew(renewedAtMs);
      // After the stop was asked its signal is of no use: it would end every sleep at once.
      if (this.mode === 'running') await clock.sleep(everyMs, this.stopping.signal);
      else await clock.sleep(Math.min(100, everyMs));
    }
  }

  private async renew(renewedAtMs: number): Promise<number> {
    const { leases, purpose, clock, log } = this.ports;
    const { leaseMs } = this.options;
    const held = [...this.loops.keys()];
    const beganMs = clock.nowMs();
    try {
      const lost = await leases.renew(this.owner, purpose, held, leaseMs);
      for (const realmId of lost) {
        // One that was given back meanwhile is not lost: its loop has ended and is told nothing new.
        if (this.closing.has(realmId)) this.loops.get(realmId)?.lose();
        else this.lose(realmId, 'its lease ran out');
      }
      if (this.mode === 'running') this.keepShare(await leases.share(this.owner, purpose, leaseMs));
      return beganMs;
    } catch (error) {
      log.warn({ err: error }, 'leases not renewed, will try again');
      // The database may have given them to another process by now; only its answer could say otherwise.
      if (clock.nowMs() - renewedAtMs > leaseMs)
        for (const realmId of held) this.lose(realmId, 'it could not be renewed');
      return renewedAtMs;
    }
  }

  private keepShare({ owners, held, unowned }: { owners: number; held: number; unowned: number }): void {
    this.share = owners <= 1 ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil((held + unowned) / owners));
    const open = [...this.loops].filter(([realmId]) => !this.closing.has(realmId));
    const above = open.length - this.share;
    if (above <= 0) return;
    const idleFirst = open.sort(([, a], [, b]) => b.idleMs() - a.idleMs());
    const back = idleFirst.slice(0, Math.ceil(above * givenBackAtOnce));
    this.ports.log.info({ owners, share: this.share, back: back.length }, 'companies given to other processes');
    for (const [realmId] of back) void this.close(realmId);
  }

  private lose(realmId: string, why: string): void {
    const loop = this.loops.get(realmId);
    if (!loop) return;
    this.ports.log.warn({ realm: realmId }, `company given up: ${why}`);
    loop.lose();
    this.loops.delete(realmId);
  }
}
