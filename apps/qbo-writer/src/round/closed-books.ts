// What is held because the target's books are closed: says the closing date, and lets go what that date lets through. The
// target is asked while something is held for it, and then a few times an hour.
import { closedBooksCodes, judgeClosedBooks, transition, type LinkState } from '#core';
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import { keyText, type LinkChange, type Links, type StoredLink } from '#storage';
import type { TargetReader } from './target-reader.js';

/** A metered read each; a person who opened the books can also press "try again". */
const lookMs = 15 * 60_000;
const linksPerLook = 500;

export class ClosedBooks {
  private known: { closingDate: string | undefined; atMs: number } | undefined;

  constructor(
    private readonly realmId: string,
    private readonly fence: bigint,
    private readonly ports: { links: Links; reader: TargetReader; clock: Clock; log: Log },
  ) {}

  /** Whether there is something to watch for. @throws FenceLost, TargetUnavailable */
  async look(signal: AbortSignal): Promise<boolean> {
    const { links, reader, clock, log } = this.ports;
    const held = await links.heldFor(this.realmId, closedBooksCodes, linksPerLook);
    if (held.length === 0) return false;
    const nowMs = clock.nowMs();
    if (!this.known || nowMs - this.known.atMs >= lookMs) {
      this.known = { closingDate: await reader.closingDate(signal), atMs: nowMs };
    } else if (held.every(({ link }) => saysDate(link.state))) {
      return true;
    }
    const { closingDate } = this.known;
    const keys = held.map(({ syncId, entityType, sourceId }) => ({ syncId, entityType, sourceId }));
    const isHeld = new Set(keys.map(keyText));
    const decided = await links.decide(this.realmId, this.fence, keys, clock.now(), (rows) => ({
      changes: rows.flatMap((row) => (isHeld.has(keyText(row)) ? changeOf(row, closingDate) : [])),
    }));
    const released = decided?.changes.filter((change) => change.state.kind === 'ready').length ?? 0;
    if (released > 0)
      log.info({ realm: this.realmId, released, closingDate }, 'books are open again, its work goes on');
    return true;
  }
}

function saysDate(state: LinkState): boolean {
  return state.kind === 'held' && state.reason.includes('books are closed up to');
}

function changeOf({ syncId, entityType, sourceId, link }: StoredLink, closingDate: string | undefined): LinkChange[] {
  const { state } = link;
  if (state.kind !== 'held' || !closedBooksCodes.includes(state.code)) return [];
  const verdict = judgeClosedBooks(link, closingDate);
  // Refused though the date says it is open (a clock of the company, a rule of its own): that is for a person.
  if (verdict.kind === 'release' && !saysDate(state) && link.attempts > 1) return [];
  if (verdict.kind === 'hold' && state.reason === verdict.reason) return [];
  const event =
    verdict.kind === 'release'
      ? ({ kind: 'released' } as const)
      : ({ kind: 'held', code: state.code, reason: verdict.reason } as const);
  return [
    {
      key: { syncId, entityType, sourceId },
      state: transition(state, event),
      attempts: link.attempts,
      applied: link.applied,
      target: link.target,
      wakes: false,
    },
  ];
}
