// All companies this process writes for. Kafka's partition assignment routes a company's records here as a hint; the lease
// decides. A company's loop starts when there is work and the lease is free, and gives the lease back after a quiet while.
//
// Modes: idle -> running (start) -> stopped (stop, for good). In `running` two loops turn: one looks for companies with
// work, one renews the leases. `stop` lets every company finish its calls in flight, then gives all leases back.
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { Clock } from '#common/clock';
import type { Watchdog } from '#common/health';
import type { Log } from '#common/logging';
import type { Lane, Links, RealmLeases } from '#storage';
import * as metrics from '../qbo-writer.metrics.js';
import type { RealmWriter } from './realm-writer.js';

export interface WritersPorts {
  links: Links;
  leases: RealmLeases;
  clock: Clock;
  log: Log;
  open: (realmId: string, fence: bigint) => RealmWriter;
  watchdog?: Watchdog;
}

export interface WritersOptions {
  leaseMs: number;
  /** how often companies with work are looked for without being told */
  lookMs?: number;
  /** a company without work keeps its loop this long */
  quietMs?: number;
}

const defaultLookMs = 1_000;
const defaultQuietMs = 60_000;

export class Writers {
  readonly owner = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  private mode: 'idle' | 'running' | 'stopped' = 'idle';
  private readonly stopping = new AbortController();
  private readonly writers = new Map<string, RealmWriter>();
  private readonly closing = new Map<string, Promise<void>>();
  private readonly told = new Map<string, Lane>();
  private nap = new AbortController();
  private loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly ports: WritersPorts,
    private readonly options: WritersOptions,
  ) {}

  start(): void {
    if (this.mode !== 'idle') throw new Error(`writers start once; these are ${this.mode}`);
    this.mode = 'running';
    this.loops = Promise.all([this.lookForWork(), this.renewLeases()]);
  }

  /** New desired state of a company was taken in. */
  wake(realmId: string, lane: Lane): void {
    const writer = this.writers.get(realmId);
    if (writer) return writer.wake(lane);
    if (lane === 'live' || !this.told.has(realmId)) this.told.set(realmId, lane);
    this.nap.abort();
  }

  /** Finishes what is on its way and gives the companies to others. */
  async stop(): Promise<void> {
    this.mode = 'stopped';
    this.stopping.abort();
    this.nap.abort();
    await this.loops;
    await Promise.all([...this.writers.keys()].map((realmId) => this.close(realmId)));
    await Promise.all(this.closing.values());
  }

  realms(): string[] {
    return [...this.writers.keys()];
  }

  private async lookForWork(): Promise<void> {
    const { clock, log } = this.ports;
    while (this.mode === 'running') {
      this.ports.watchdog?.progress();
      const told = new Map(this.told);
      this.told.clear();
      this.nap = new AbortController();
      try {
        await this.openWhatHasWork(told);
        this.closeQuiet();
      } catch (error) {
        log.warn({ err: error }, 'could not look for work, will try again');
      }
      metrics.realmsOwned.set(this.writers.size);
      if (this.told.size === 0 && !this.stopping.signal.aborted)
        await clock.sleep(this.options.lookMs ?? defaultLookMs, this.nap.signal);
    }
    this.ports.watchdog?.idle();
  }

  private async openWhatHasWork(told: Map<string, Lane>): Promise<void> {
    const { links, clock } = this.ports;
    const wanted = new Set([...told.keys(), ...(await links.realmsWithWork(clock.now()))]);
    for (const realmId of wanted) {
      if (this.mode !== 'running') return;
      if (this.writers.has(realmId) || this.closing.has(realmId)) continue;
      await this.open(realmId);
    }
  }

  private async open(realmId: string): Promise<void> {
    const lease = await this.ports.leases.acquire(realmId, 'writer', this.owner, this.options.leaseMs);
    if (!lease) return;
    this.ports.log.info({ realm: realmId, fence: String(lease.fence) }, 'writing for this company');
    this.writers.set(realmId, this.ports.open(realmId, lease.fence));
  }

  private closeQuiet(): void {
    for (const [realmId, writer] of this.writers) {
      if (writer.isLost) this.writers.delete(realmId);
      else if (writer.idleMs() > (this.options.quietMs ?? defaultQuietMs)) void this.close(realmId);
    }
  }

  private close(realmId: string): Promise<void> {
    const writer = this.writers.get(realmId);
    const known = this.closing.get(realmId);
    if (known || !writer) return known ?? Promise.resolve();
    const closing = writer
      .stop()
      .then(() => (writer.isLost ? undefined : this.ports.leases.release(realmId, 'writer', this.owner)))
      // A lease that could not be given back runs out by itself.
      .catch((error: unknown) => this.ports.log.warn({ err: error, realm: realmId }, 'lease not given back'))
      .finally(() => {
        this.writers.delete(realmId);
        this.closing.delete(realmId);
      });
    this.closing.set(realmId, closing);
    return closing;
  }

  /** Goes on while companies are being closed: their last calls need the lease to settle. */
  private async renewLeases(): Promise<void> {
    const { leases, clock, log } = this.ports;
    const everyMs = Math.floor(this.options.leaseMs / 4);
    let renewedAtMs = clock.nowMs();
    const renew = async () => {
      const held = [...this.writers.keys()];
      try {
        const lost = await leases.renew(this.owner, 'writer', held, this.options.leaseMs);
        renewedAtMs = clock.nowMs();
        for (const realmId of lost) this.lose(realmId, 'its lease ran out');
      } catch (error) {
        log.warn({ err: error }, 'leases not renewed, will try again');
        // The database may have given them to another process by now; only its answer could say otherwise.
        if (clock.nowMs() - renewedAtMs > this.options.leaseMs)
          for (const realmId of held) this.lose(realmId, 'it could not be renewed');
      }
    };
    while (this.mode === 'running') {
      await clock.sleep(everyMs, this.stopping.signal);
      await renew();
    }
    void this.renewWhileClosing(renew, everyMs);
  }

  private async renewWhileClosing(renew: () => Promise<void>, everyMs: number): Promise<void> {
    while (this.writers.size > 0) {
      await this.ports.clock.sleep(everyMs);
      if (this.writers.size > 0) await renew();
    }
  }

  private lose(realmId: string, why: string): void {
    this.ports.log.warn({ realm: realmId }, `company given up: ${why}`);
    this.writers.get(realmId)?.lose();
    this.writers.delete(realmId);
  }
}
