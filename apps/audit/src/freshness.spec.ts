// What each entry of the sync log says about time, as a table.
import { encodeVersion } from '#core';
import type { SyncLogEntry } from '#storage';
import { measured } from './freshness.js';

const version = encodeVersion({
  lastUpdatedTime: '2026-01-01T00:00:00Z',
  syncToken: 1,
  observedAt: '2026-01-01T00:00:04Z',
});
const entry = (over: Partial<SyncLogEntry>): SyncLogEntry => ({
  at: new Date('2026-01-01T00:00:10Z'),
  eventId: 'e',
  stage: 'settled',
  realmId: 'r',
  entityType: 'Invoice',
  entityId: '1',
  version,
  outcome: 'updated',
  durationMs: 2_500,
  details: { lane: 'live' },
  ...over,
});

describe('measured', () => {
  const cases: [string, Partial<SyncLogEntry>, ReturnType<typeof measured>][] = [
    [
      'a write that arrived: its own time, and since the source changed',
      {},
      { stage: 'write', seconds: 2.5, sinceChangeSeconds: 10 },
    ],
    [
      'a file',
      { stage: 'attachment', outcome: 'attached' },
      { stage: 'attachment', seconds: 2.5, sinceChangeSeconds: 10 },
    ],
    ['what is held did not arrive', { outcome: 'held' }, undefined],
    ['bulk work has nobody waiting', { details: { lane: 'bulk' } }, undefined],
    ['mapping: since the change was seen', { stage: 'mapped' }, { stage: 'map', seconds: 6 }],
    [
      'capture: since the webhook',
      { stage: 'captured', details: { lane: 'live', notifiedAt: '2026-01-01T00:00:03Z' } },
      { stage: 'capture', seconds: 7 },
    ],
    ['captured without a webhook', { stage: 'captured' }, undefined],
    [
      'clocks that disagree make no negative age',
      { at: new Date('2025-12-31T23:59:59Z') },
      { stage: 'write', seconds: 2.5, sinceChangeSeconds: 0 },
    ],
    ['a version that is none', { version: 'x' }, undefined],
  ];
  it.each(cases)('%s', (_what, over, expected) => {
    expect(measured(entry(over))).toEqual(expected);
  });
});
