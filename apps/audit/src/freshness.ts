// How fresh the target is, from what the sync log is told: each entry measures the stage that it ends. Pure.
import { decodeVersion } from '#core';
import type { SyncLogEntry } from '#storage';

export interface Measured {
  stage: 'capture' | 'map' | 'write' | 'attachment';
  seconds: number;
  /** with the end of a write: since the source changed */
  sinceChangeSeconds?: number;
}

/** Outcomes after which the target holds what the source holds. What is held for a person is counted apart, not timed. */
export const arrived: ReadonlySet<string> = new Set([
  'created',
  'updated',
  'deleted',
  'voided',
  'adopted',
  'unchanged',
  'attached',
]);

/** undefined: nothing to measure (bulk work is not waited for; a deletion knows no earlier moment). */
export function measured(entry: SyncLogEntry): Measured | undefined {
  const details = (entry.details ?? {}) as { lane?: string; notifiedAt?: string };
  if (details.lane !== 'live' || entry.version === undefined) return undefined;
  const version = times(entry.version);
  if (version === undefined) return undefined;
  const since = (fromMs: number): number => Math.max(0, entry.at.getTime() - fromMs) / 1_000;
  switch (entry.stage) {
    case 'captured':
      if (details.notifiedAt === undefined) return undefined;
      return { stage: 'capture', seconds: since(Date.parse(details.notifiedAt)) };
    case 'mapped':
      return { stage: 'map', seconds: since(version.observedMs) };
    case 'settled':
    case 'attachment':
      if (!arrived.has(entry.outcome ?? '')) return undefined;
      return {
        stage: entry.stage === 'settled' ? 'write' : 'attachment',
        seconds: (entry.durationMs ?? 0) / 1_000,
        sinceChangeSeconds: since(version.changedMs),
      };
    default:
      return undefined;
  }
}

function times(version: string): { changedMs: number; observedMs: number } | undefined {
  try {
    const { lastUpdatedTime, observedAt } = decodeVersion(version);
    return { changedMs: Date.parse(lastUpdatedTime), observedMs: Date.parse(observedAt) };
  } catch {
    return undefined;
  }
}
