// Names that QuickBooks refuses to make inactive while they have a balance (6220). A backfill meets them: the source made the name
// inactive first and its jobs were invoiced afterwards, here the invoices come first. They are held, and tried again, at
// first soon, then a few times an hour: what clears a balance is another record, whose change says nothing to this one.
import { transition } from '#core';
import type { Clock } from '#common/clock';
import { keyText, type Links } from '#storage';

export const balanceCodes = ['QBO.6220'];
const soonestMs = 30_000;
const latestMs = 15 * 60_000;
const namesPerLook = 50;

export class BalancesLeft {
  private tried: { atMs: number; againMs: number; names: ReadonlySet<string> } | undefined;

  constructor(
    private readonly realmId: string,
    private readonly fence: bigint,
    private readonly ports: { links: Links; clock: Clock },
  ) {}

  /** Whether there is something to watch for. @throws FenceLost */
  async look(): Promise<boolean> {
    const { links, clock } = this.ports;
    const held = await links.heldFor(this.realmId, balanceCodes, namesPerLook);
    if (held.length === 0) return false;
    const nowMs = clock.nowMs();
    const keys = held.map(({ syncId, entityType, sourceId }) => ({ syncId, entityType, sourceId }));
    const wanted = new Set(keys.map(keyText));
    const { tried } = this;
    const isNew = [...wanted].some((name) => !tried?.names.has(name));
    if (tried && !isNew && nowMs - tried.atMs < tried.againMs) return true;
    // Each time longer, until a few times an hour.
    const againMs = tried && !isNew ? Math.min(latestMs, 2 * tried.againMs) : soonestMs;
    this.tried = { atMs: nowMs, againMs, names: wanted };
    await links.decide(this.realmId, this.fence, keys, clock.now(), (rows) => ({
      changes: rows.flatMap(({ syncId, entityType, sourceId, link }) => {
        const { state, attempts, applied, target } = link;
        const key = { syncId, entityType, sourceId };
        if (!wanted.has(keyText(key)) || state.kind !== 'held' || !balanceCodes.includes(state.code)) return [];
        // The tries already made are kept: one more refusal holds it again.
        return [{ key, state: transition(state, { kind: 'released' }), attempts, applied, target, wakes: false }];
      }),
    }));
    return true;
  }
}
