// The loop of one target company: takes attachments that may act and carries a few at a time. One process at a time runs
// it (lease "attachments" with a fence); if it dies anywhere, the rows still say what to do. With nothing in hand the company
// is put to rest: no statement is made for it until its next moment or until somebody makes work (storage: realm-work.ts).
//
// Modes: running -> draining (stop: no new file; those on their way stop at their next step) -> stopped, or lost (another
// process has the company; nothing more is written).
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import {
  FenceLost,
  type AttachmentLinks,
  type RealmLoop,
  type RealmWork,
  type Seat,
  type StoredAttachment,
  type Turn,
} from '#storage';
import { Carrier, type CarrierPorts } from './carrier.js';

export interface RealmCarrierPorts extends CarrierPorts {
  links: AttachmentLinks;
  work: RealmWork;
  clock: Clock;
  log: Log;
}

/** While files are on their way: parents that were settled and retries that fell due are looked for this often. */
const lookMs = 1_000;
/** Work that is there but not ours to do just now is looked at again ever slower. */
const firstLookAgainMs = 10;

type Rest = Parameters<Turn['end']>[0];

export class RealmCarrier implements RealmLoop {
  private mode: 'running' | 'draining' | 'stopped' | 'lost' = 'running';
  private readonly stopping = new AbortController();
  private looksAgain = 0;
  private readonly inHand = new Map<string, { stored: StoredAttachment; task: Promise<void> }>();
  private lastWorkMs: number;
  private readonly carrier: Carrier;
  private readonly finished: Promise<void>;

  constructor(
    readonly realmId: string,
    readonly fence: bigint,
    private readonly seat: Seat,
    private readonly ports: RealmCarrierPorts,
    private readonly o: { filesInFlight: number },
  ) {
    this.carrier = new Carrier(realmId, fence, ports, this.stopping.signal);
    this.lastWorkMs = ports.clock.nowMs();
    this.finished = this.run();
  }

  wake(): void {
    this.seat.wake('bulk');
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
    this.seat.leave();
    await this.finished;
  }

  lose(): void {
    if (this.mode === 'stopped') return;
    this.mode = 'lost';
    this.stopping.abort();
    this.seat.leave();
  }

  private async run(): Promise<void> {
    const { log } = this.ports;
    for (let turn = await this.seat.next(); turn !== undefined; turn = await this.seat.next()) {
      if (this.mode !== 'running') break;
      let rest: Rest = { spent: 0, restMs: lookMs };
      try {
        rest = await this.round();
      } catch (error) {
        if (error instanceof FenceLost) this.lose();
        else log.warn({ err: error, realm: this.realmId }, 'attachment round failed, will try again');
      }
      turn.end(rest);
    }
    await Promise.all([...this.inHand.values()].map(({ task }) => task));
    if (this.mode === 'draining') this.mode = 'stopped';
  }

  private async round(): Promise<Rest> {
    const { links, clock } = this.ports;
    await links.release(this.realmId, this.fence, clock.now());
    const room = this.o.filesInFlight - this.inHand.size;
    if (room <= 0) return { spent: 0, restMs: lookMs };
    const busy = [...this.inHand.values()].map(({ stored }) => stored);
    const chosen = await links.pick(this.realmId, clock.now(), room, busy);
    for (const stored of chosen) this.launch(stored);
    return { spent: chosen.length, restMs: this.inHand.size > 0 ? lookMs : await this.rest() };
  }

  /** Nothing in hand: how long to sleep unless woken. */
  private async rest(): Promise<number> {
    const { work, links, clock } = this.ports;
    const next = await work.rest('attachments', this.realmId, (tx) => links.nextMoment(tx, this.realmId, clock.now()));
    const restMs = next === undefined ? Number.POSITIVE_INFINITY : next.getTime() - clock.nowMs();
    this.looksAgain = restMs > 0 ? 0 : this.looksAgain + 1;
    return restMs > 0 ? restMs : Math.min(lookMs, firstLookAgainMs * 2 ** this.looksAgain);
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
