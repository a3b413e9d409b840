// What QuickBooks refuses until another record of the target has changed or gone: a name that is to be inactive and has a balance
// (6220), a document that is to be linked to one that something else has paid or deposited (620), one that is to be deleted and
// others depend on (800). They are held, and tried again, at first soon, then a few times an hour: what clears the way is another
// record, whose change says nothing to this one.
import { othersFirstCodes, transition } from '#core';
import type { Clock } from '#common/clock';
import { keyText, type Links } from '#storage';

/** After a minute of tries (retry policy) nothing has cleared it: two companies at rest stay at rest for a while. */
const soonestMs = 2 * 60_000;
const latestMs = 15 * 60_000;
const recordsPerLook = 50;

export class OthersFirst {
  private tried: { atMs: number; againMs: number; keys: ReadonlySet<string> } | undefined;

  constructor(
    private readonly realmId: string,
    private readonly fence: bigint,
    private readonly ports: { links: Links; clock: Clock },
  ) {}

  /** Whether there is something to watch for. @throws FenceLost */
  async look(): Promise<boolean> {
    const { links, clock } = this.ports;
    const held = await links.heldFor(this.realmId, othersFirstCodes, recordsPerLook);
    const nowMs = clock.nowMs();
    // Only what was held before this process had the company is tried at once.
    this.tried ??= held.length === 0 ? { atMs: nowMs, againMs: soonestMs, keys: new Set() } : undefined;
    if (held.length === 0) return false;
    const keys = held.map(({ syncId, entityType, sourceId }) => ({ syncId, entityType, sourceId }));
    const wanted = new Set(keys.map(keyText));
    const { tried } = this;
    const isNew = [...wanted].some((key) => !tried?.keys.has(key));
    if (tried && isNew) {
      // A new one joins those that wait for their turn; it does not put their turn off.
      const atMs = tried.keys.size > 0 ? tried.atMs : nowMs;
      this.tried = { atMs, againMs: Math.min(tried.againMs, soonestMs), keys: wanted };
      return true;
    }
    if (tried && nowMs - tried.atMs < tried.againMs) return true;
    // Each time longer, until a few times an hour.
    const againMs = tried ? Math.min(latestMs, 2 * tried.againMs) : soonestMs;
    this.tried = { atMs: nowMs, againMs, keys: wanted };
    await links.decide(this.realmId, this.fence, keys, clock.now(), (rows) => ({
      changes: rows.flatMap(({ syncId, entityType, sourceId, link }) => {
        const { state, attempts, applied, target } = link;
        const key = { syncId, entityType, sourceId };
        if (!wanted.has(keyText(key)) || state.kind !== 'held' || !othersFirstCodes.includes(state.code)) return [];
        // The tries already made are kept: one more refusal holds it again.
        return [{ key, state: transition(state, { kind: 'released' }), attempts, applied, target, wakes: false }];
      }),
    }));
    return true;
  }
}
