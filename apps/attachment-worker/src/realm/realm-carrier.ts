// The loop of one target company: takes attachments that may act and carries a few at a time. One process at a time runs
// it (lease "attachments" with a fence); if it dies anywhere, the rows still say what to do.
//
// Modes: running -> draining (stop: no new file; those on their way stop at their next step) -> stopped, or lost (another
// process has the company; nothing more is written).
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import { FenceLost, type AttachmentLinks, type StoredAttachment } from '#storage';
import { Carrier, type CarrierPorts } from './carrier.js';

export interface RealmCarrierPorts extends CarrierPorts {
  links: AttachmentLinks;
  clock: Clock;
  log: Log;
}

/** Parents that were settled and retries that fell due are looked for this often without a wake. */
const lookMs = 1_000;

export class RealmCarrier {
  private mode: 'running' | 'draining' | 'stopped' | 'lost' = 'running';
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private woken = false;
  private readonly inHand = new Map<string, { stored: StoredAttachment; task: Promise<void> }>();
  private lastWorkMs: number;
  private readonly carrier: Carrier;
  private readonly finished: Promise<void>;

  constructor(
    readonly realmId: string,
    readonly fence: bigint,
    private readonly ports: RealmCarrierPorts,
    private readonly o: { filesInFlight: number },
  ) {
    this.carrier = new Carrier(realmId, fence, ports, this.stopping.signal);
    this.lastWorkMs = ports.clock.nowMs();
    this.finished = this.run();
  }

  wake(): void {
    this.woken = true;
    this.nap.abort();
  }

  idleMs(): number {
    return this.inHand.size > 0 ? 0 : this.ports.clock.nowMs() - this.lastWorkMs;
  }

  get isLost(): boolean {
    return this.mode === 'lost';
  }

  async stop(): Promise<void> {
    if (this.mode === 'running') this.mode = 'draining';
    this.stopping.abort();
    this.nap.abort();
    await this.finished;
  }

  lose(): void {
    if (this.mode === 'stopped') return;
    this.mode = 'lost';
    this.stopping.abort();
    this.nap.abort();
  }

  private async run(): Promise<void> {
    const { clock, log } = this.ports;
    while (this.mode === 'running') {
      this.woken = false;
      this.nap = new AbortController();
      try {
        await this.round();
      } catch (error) {
        if (error instanceof FenceLost) this.lose();
        else log.warn({ err: error, realm: this.realmId }, 'attachment round failed, will try again');
      }
      if (this.mode === 'running' && !this.woken) await clock.sleep(lookMs, this.nap.signal);
    }
    await Promise.all([...this.inHand.values()].map(({ task }) => task));
    if (this.mode === 'draining') this.mode = 'stopped';
  }

  private async round(): Promise<void> {
    const { links, clock } = this.ports;
    await links.release(this.realmId, this.fence, clock.now());
    const room = this.o.filesInFlight - this.inHand.size;
    if (room <= 0) return;
    const busy = [...this.inHand.values()].map(({ stored }) => stored);
    for (const stored of await links.pick(this.realmId, clock.now(), room, busy)) this.launch(stored);
  }

  private launch(stored: StoredAttachment): void {
    const key = `${stored.syncId}/${stored.attachableId}`;
    const task = this.carrier
      .carry(stored)
      .catch((error: unknown) => {
        if (error instanceof FenceLost) return this.lose();
        // The row is as the last step left it; the next round takes it up from there.
        const entityKey = `${stored.sourceRealmId}/Attachable/${stored.attachableId}`;
        this.ports.log.error({ err: error, realm: this.realmId, entityKey }, 'attachment interrupted, will go on');
        return this.ports.clock.sleep(lookMs, this.stopping.signal);
      })
      .finally(() => {
        this.inHand.delete(key);
        this.lastWorkMs = this.ports.clock.nowMs();
        this.wake();
      });
    this.inHand.set(key, { stored, task });
  }
}
