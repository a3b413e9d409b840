// All companies this process carries files to. The lease decides who owns a company; Kafka's partition assignment is only a
// hint that wakes the right process first.
//
// Modes: idle -> running (start) -> stopped (stop, for good). In `running` one loop looks for companies with work and one
// renews the leases; `stop` ends every company's loop and gives the leases back.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '#common/clock';
import type { Watchdog } from '#common/health';
import type { Log } from '#common/logging';
import type { AttachmentLinks, RealmLeases } from '#storage';
import * as metrics from '../attachment.metrics.js';
import type { RealmCarrier } from './realm-carrier.js';

export interface CarriersPorts {
  links: AttachmentLinks;
  leases: RealmLeases;
  clock: Clock;
  log: Log;
  open: (realmId: string, fence: bigint) => RealmCarrier;
  watchdog?: Watchdog;
}

const lookMs = 1_000;
/** A company without work keeps its loop this long. */
const quietMs = 60_000;

export class Carriers {
  readonly owner = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  private mode: 'idle' | 'running' | 'stopped' = 'idle';
  private readonly stopping = new AbortController();
  private readonly carriers = new Map<string, RealmCarrier>();
  private nap = new AbortController();
  private woken = false;
  private loops: Promise<unknown> = Promise.resolve();
  private renewedAtMs = 0;

  constructor(
    private readonly ports: CarriersPorts,
    private readonly o: { leaseMs: number },
  ) {}

  start(): void {
    if (this.mode !== 'idle') throw new Error(`carriers start once; these are ${this.mode}`);
    this.mode = 'running';
    this.loops = Promise.all([this.lookForWork(), this.renewLeases()]);
  }

  /** New desired state of a company was taken in. */
  wake(realmId: string): void {
    const carrier = this.carriers.get(realmId);
    if (carrier) return carrier.wake();
    this.woken = true;
    this.nap.abort();
  }

  async stop(): Promise<void> {
    this.mode = 'stopped';
    this.stopping.abort();
    this.nap.abort();
    // Renewed while the last files end: their steps are only written under a good lease.
    await Promise.all([...this.carriers.values()].map((carrier) => this.close(carrier)));
    await this.loops;
  }

  private async lookForWork(): Promise<void> {
    const { clock, log, watchdog } = this.ports;
    while (this.mode === 'running') {
      watchdog?.progress();
      this.woken = false;
      this.nap = new AbortController();
      try {
        await this.openWhatHasWork();
        for (const carrier of [...this.carriers.values()]) {
          if (carrier.isLost || carrier.idleMs() > quietMs) await this.close(carrier);
        }
      } catch (error) {
        log.warn({ err: error }, 'could not look for work, will try again');
      }
      metrics.realmsOwned.set(this.carriers.size);
      if (!this.woken && this.mode === 'running') await clock.sleep(lookMs, this.nap.signal);
    }
    watchdog?.idle();
  }

  private async openWhatHasWork(): Promise<void> {
    const { links, leases, clock, log, open } = this.ports;
    for (const realmId of await links.realmsWithWork(clock.now())) {
      if (this.mode !== 'running' || this.carriers.has(realmId)) continue;
      const lease = await leases.acquire(realmId, 'attachments', this.owner, this.o.leaseMs);
      if (!lease) continue;
      log.info({ realm: realmId, fence: String(lease.fence) }, 'carrying files to this company');
      this.carriers.set(realmId, open(realmId, lease.fence));
    }
  }

  private async close(carrier: RealmCarrier): Promise<void> {
    const { leases, log } = this.ports;
    await carrier.stop();
    if (this.carriers.get(carrier.realmId) !== carrier) return;
    this.carriers.delete(carrier.realmId);
    if (carrier.isLost) return;
    await leases.release(carrier.realmId, 'attachments', this.owner).catch((error: unknown) => {
      // It runs out by itself.
      log.warn({ err: error, realm: carrier.realmId }, 'lease not given back');
    });
  }

  private async renewLeases(): Promise<void> {
    const { clock } = this.ports;
    this.renewedAtMs = clock.nowMs();
    while (this.mode === 'running' || this.carriers.size > 0) {
      await this.renew();
      // After the stop was asked the signal is of no use: files on their way still need their lease.
      await clock.sleep(
        this.mode === 'running' ? this.o.leaseMs / 4 : 100,
        this.mode === 'running' ? this.stopping.signal : undefined,
      );
    }
  }

  private async renew(): Promise<void> {
    const { leases, clock, log } = this.ports;
    const held = [...this.carriers.keys()];
    try {
      const lost = await leases.renew(this.owner, 'attachments', held, this.o.leaseMs);
      this.renewedAtMs = clock.nowMs();
      // One that was given back meanwhile is not lost.
      for (const realmId of lost) if (this.carriers.has(realmId)) this.lose(realmId, 'its lease ran out');
    } catch (error) {
      log.warn({ err: error }, 'leases not renewed, will try again');
      if (clock.nowMs() - this.renewedAtMs > this.o.leaseMs) {
        for (const realmId of held) this.lose(realmId, 'it could not be renewed');
      }
    }
  }

  private lose(realmId: string, why: string): void {
    this.ports.log.warn({ realm: realmId }, `company given up: ${why}`);
    this.carriers.get(realmId)?.lose();
    this.carriers.delete(realmId);
  }
}
