// What is held because a deposit of the target that this sync did not make holds it frozen: says which deposit, and lets go
// when it is gone. A deposit of ours lets go by itself (core: frozen.ts); one that a person made is that person's.
import { frozenByHand, holderTypesOf, judgeFrozenByHand, transition, type Json } from '#core';
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import { keyText, type LinkChange, type Links, type StoredLink } from '#storage';
import { ReadRefused, type TargetReader } from './target-reader.js';

/** A metered read each; a person who undid the deposit can also press "try again". */
const lookMs = 15 * 60_000;
/** Read per look at most: each is a call of its own. */
const linksPerLook = 20;

export class FrozenByHand {
  private readonly lookedAtMs = new Map<string, number>();

  constructor(
    private readonly realmId: string,
    private readonly fence: bigint,
    private readonly ports: { links: Links; reader: TargetReader; clock: Clock; log: Log },
  ) {}

  /** Whether there is something to watch for. @throws FenceLost, TargetUnavailable */
  async look(signal: AbortSignal): Promise<boolean> {
    const { links, clock } = this.ports;
    const held = await links.heldFor(this.realmId, [frozenByHand], 500);
    if (held.length === 0) {
      this.lookedAtMs.clear();
      return false;
    }
    const nowMs = clock.nowMs();
    const due = held.filter((one) => nowMs - (this.lookedAtMs.get(keyText(one)) ?? -Infinity) >= lookMs);
    for (const one of due.slice(0, linksPerLook)) {
      this.lookedAtMs.set(keyText(one), nowMs);
      await this.lookAt(one, signal);
    }
    return true;
  }

  private async lookAt(stored: StoredLink, signal: AbortSignal): Promise<void> {
    const { links, clock, log } = this.ports;
    const verdict = judgeFrozenByHand(
      stored.entityType,
      await this.recordOf(stored, signal),
      await this.oursAmong(stored),
    );
    const key = { syncId: stored.syncId, entityType: stored.entityType, sourceId: stored.sourceId };
    await links.decide(this.realmId, this.fence, [key], clock.now(), (rows) => ({
      changes: rows.flatMap(({ link }): LinkChange[] => {
        const { state } = link;
        if (state.kind !== 'held' || state.code !== frozenByHand) return [];
        if (verdict.kind === 'hold' && verdict.reason === state.reason) return [];
        const event =
          verdict.kind === 'release'
            ? ({ kind: 'released' } as const)
            : ({ kind: 'held', code: frozenByHand, reason: verdict.reason } as const);
        const { applied, target } = link;
        const attempts = verdict.kind === 'release' ? 0 : link.attempts;
        return [{ key, state: transition(state, event), attempts, applied, target, wakes: false }];
      }),
    }));
    if (verdict.kind === 'release')
      log.info({ realm: this.realmId, entity: keyText(key) }, 'no foreign deposit holds it any more, it goes on');
  }

  private async recordOf({ entityType, link }: StoredLink, signal: AbortSignal): Promise<Json | null> {
    try {
      return link.target ? await this.ports.reader.read(entityType, link.target.id, 'bulk', signal) : null;
    } catch (error) {
      // It cannot be seen: trying the write again tells more than waiting.
      if (error instanceof ReadRefused) return null;
      throw error;
    }
  }

  /** Holders that this sync made: their ids. */
  private async oursAmong({ syncId, entityType, link }: StoredLink): Promise<Set<string>> {
    const ours = link.target ? await this.ports.links.holdersOf(syncId, holderTypesOf(entityType), link.target.id) : [];
    const found = await this.ports.links.find(ours);
    return new Set(found.flatMap((one) => (one.link.target ? [one.link.target.id] : [])));
  }
}
