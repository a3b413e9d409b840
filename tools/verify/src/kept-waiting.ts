// Who was kept waiting on purpose, and when: a fault that a test ordered makes an edit wait, and no neighbour did that. One list of
// spans for all reasons; of an edit's way to the target only the time that no span of its own covers is held against us. Pure.
import type { Evidence, JournalRow, KeptWaiting } from './evidence.js';

/** QuickBooks asks for a minute's rest after a 429, and a circuit is open for as long at most (qbo-api.md 8). */
const restAfterTroubleMs = 60_000;

/** What the caller did to the installation, and what each company's own QuickBooks was told to answer. */
export function keptWaiting({ kept, companies }: Pick<Evidence, 'kept' | 'companies'>): KeptWaiting[] {
  return [
    ...kept,
    ...[...companies.values()].flatMap(({ realmId, journal }) =>
      journal.filter(({ fault }) => fault !== undefined).map((row) => troubleOf(realmId, row)),
    ),
  ];
}

const troubleOf = (realmId: string, { startedAt, time, fault }: JournalRow): KeptWaiting => ({
  fromMs: Date.parse(startedAt),
  toMs: Date.parse(time) + restAfterTroubleMs,
  whom: realmId,
  why: `its QuickBooks was told to answer "${fault}"`,
});

/** Spans that concern somebody, as spans that do not touch each other, in order. */
export function concerning(
  spans: readonly KeptWaiting[],
  realmIds: readonly string[],
): [fromMs: number, toMs: number][] {
  const apart: [number, number][] = [];
  const own = spans.filter(({ whom }) => whom === 'everybody' || realmIds.includes(whom));
  for (const { fromMs, toMs } of own.sort((a, b) => a.fromMs - b.fromMs)) {
    const last = apart.at(-1);
    if (last && fromMs <= last[1]) last[1] = Math.max(last[1], toMs);
    else apart.push([fromMs, toMs]);
  }
  return apart;
}

/** Time between two moments that lies in none of the spans. @param apart of `concerning` */
export const waitedMs = (fromMs: number, toMs: number, apart: readonly (readonly [number, number])[]): number =>
  apart.reduce((ms, [from, to]) => ms - Math.max(0, Math.min(to, toMs) - Math.max(from, fromMs)), toMs - fromMs);
