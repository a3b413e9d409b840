// Calls: what is written down is what is sent, and what an answer means for each entity in it.
import fc from 'fast-check';
import { encodeVersion, type Json, type Link } from '#core';
import type { QboAnswer } from '#qbo';
import type { StoredLink } from '#storage';
import { answersOf } from './answers.js';
import { composeCall, fitsBatch, isSendable, plannedWrite, wireOf } from './compose.js';
import { settleCall } from './settling.js';

const version = (n: number) =>
  encodeVersion({ lastUpdatedTime: `2026-01-01T00:00:0${n}Z`, syncToken: n, observedAt: '2026-01-02T00:00:00Z' });
const at = new Date('2026-01-03T00:00:00Z');

const stored = (sourceId: string, link: Partial<Link> = {}, more: Partial<StoredLink> = {}): StoredLink => ({
  syncId: 'a3b6f5a0-0000-4000-8000-000000000001',
  entityType: 'Invoice',
  sourceId,
  organizationId: 'org',
  sourceRealmId: '1',
  targetRealmId: '2',
  lane: 'live',
  mappingVersion: '1',
  changeId: 'c',
  traceparent: undefined,
  desiredAt: at,
  dueAt: at,
  lastFault: undefined,
  mergedInto: undefined,
  link: {
    entityType: 'Invoice',
    sourceId,
    state: { kind: 'sending' },
    desired: { version: version(1), hash: 'h1', op: 'upsert', references: [] },
    generation: 0,
    attempts: 0,
    ...link,
  },
  ...more,
});
const create = (sourceId: string, body: Json = { DocNumber: sourceId }, link: Partial<Link> = {}) =>
  plannedWrite(stored(sourceId, link), { kind: 'create', body, applied: body, deferred: [], partial: false });

describe('a request id', () => {
  it('is the same for the same question and fits a batch', () => {
    expect(create('1').attempt.requestId).toBe(create('1').attempt.requestId);
    expect(create('1').attempt.requestId).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each<[string, Parameters<typeof create>]>([
    ['another record', ['2', { DocNumber: '1' }]],
    ['another body', ['1', { DocNumber: 'x' }]],
    [
      'another version',
      ['1', { DocNumber: '1' }, { desired: { version: version(2), hash: 'h1', op: 'upsert', references: [] } }],
    ],
    ['a try after a refusal, which QBO might replay', ['1', { DocNumber: '1' }, { attempts: 1 }]],
    ['"create it again"', ['1', { DocNumber: '1' }, { generation: 1 }]],
  ])('is another one for %s', (_name, other) => {
    expect(create(...other).attempt.requestId).not.toBe(create('1').attempt.requestId);
  });
});

describe('a call', () => {
  it('goes out as the same bytes after it was written down and read back', () => {
    fc.assert(
      fc.property(fc.array(fc.json({ depthSize: 'small' }), { minLength: 1, maxLength: 5 }), (values) => {
        const call = composeCall(
          '2',
          values.map((value, n) => create(String(n), { DocNumber: String(n), Line: [JSON.parse(value)] })),
        );
        const readBack = JSON.parse(JSON.stringify(call)) as typeof call;
        expect(wireOf(readBack)).toEqual(wireOf(call));
      }),
    );
  });

  it('puts the stored text of each item into the batch untouched', () => {
    const call = composeCall('2', [create('1'), create('2')]);
    call.attempts[0]!.body = '{"TotalAmt":100.10,"Big":12345678901234567890}';
    const wire = wireOf(call);
    expect(wire.kind === 'batch' && wire.body).toBe(
      '{"BatchItemRequest":[{"bId":"i0","operation":"create","Invoice":{"TotalAmt":100.10,"Big":12345678901234567890}},' +
        '{"bId":"i1","operation":"create","Invoice":{"DocNumber":"2"}}]}',
    );
    expect(call.requestId.length).toBeLessThanOrEqual(36);
  });

  it("of one member is a single write under the member's own id; a void never goes into a batch", () => {
    const write = create('1');
    expect(wireOf(composeCall('2', [write]))).toMatchObject({
      kind: 'single',
      write: { operation: 'create', requestId: write.attempt.requestId },
    });
    const voided = plannedWrite(stored('1'), { kind: 'void', body: { Id: '9', SyncToken: '0' }, applied: {} });
    expect(fitsBatch(voided)).toBe(false);
    expect(wireOf(composeCall('2', [voided]))).toMatchObject({
      write: { operation: 'void', voidForm: 'operation-void' },
    });
  });

  it('is made by plans that change the target and by no others', () => {
    expect(isSendable({ kind: 'delete', body: {} })).toBe(true);
    expect(isSendable({ kind: 'adopt', targetId: '1', syncToken: '0', beforeImage: {}, applied: {} })).toBe(false);
    expect(isSendable({ kind: 'wait', missing: [] })).toBe(false);
  });
});

describe('an answer', () => {
  const answers: [string, QboAnswer<Json>, string][] = [
    [
      'a refusal',
      {
        kind: 'refused',
        status: 400,
        tid: undefined,
        faults: [{ code: '5010', message: 'Stale', detail: '', type: '' }],
      },
      'refused',
    ],
    ['a 429', { kind: 'throttled', status: 429, tid: undefined, reason: 'r' }, 'throttled'],
    ['nothing sent', { kind: 'unsent', reason: 'r' }, 'unsent'],
    ['no token just now', { kind: 'unauthorized', reason: 'r', reconnect: false }, 'unsent'],
    ['a dead grant', { kind: 'unauthorized', reason: 'r', reconnect: true }, 'unauthorized'],
    ['silence', { kind: 'uncertain', reason: 'r' }, 'uncertain'],
  ];
  const failureOf = (answer: QboAnswer<Json>, sentBefore: boolean) => {
    const [one] = answersOf(answer, 'single', 1, sentBefore);
    return one!.kind === 'failed' ? one!.failure.kind : 'done';
  };

  it.each(answers)('%s means what it says for a call that was never sent before', (_name, answer, expected) => {
    expect(failureOf(answer, false)).toBe(expected);
  });

  it.each(answers)('%s says about an earlier sending only what QBO itself said', (_name, answer, expected) => {
    // "Not sent this time" is no news about last time.
    expect(failureOf(answer, true)).toBe(expected === 'refused' ? 'refused' : 'uncertain');
  });

  it('of a batch leaves the items it does not mention uncertain', () => {
    const batch = {
      kind: 'ok' as const,
      status: 200,
      tid: undefined,
      value: { items: new Map([['i1', { kind: 'ok' as const, value: { Id: '7' } }]]) },
    };
    expect(answersOf(batch, 'batch', 2, false)).toMatchObject([
      { kind: 'failed', failure: { kind: 'uncertain' } },
      { kind: 'done', record: { Id: '7' } },
    ]);
  });
});

describe('settling a call', () => {
  const timing = { at, jitter: () => 0 };
  const done = (id: string) => ({ kind: 'done' as const, record: { Id: id, SyncToken: '0' } });
  const lost = { kind: 'failed' as const, failure: { kind: 'uncertain' as const, reason: 'cut' } };
  const call = composeCall('2', [create('1'), create('2')]);

  it('keeps the call open while one of its items is uncertain, and settles the others', () => {
    const { changes, call: end } = settleCall(
      call,
      { answers: [done('7'), lost], settledBefore: [] },
      [stored('1'), stored('2')],
      timing,
    );
    expect(changes.map((c) => c.state.kind)).toEqual(['settled', 'uncertain']);
    expect(end).toMatchObject({ state: 'unknown', attempts: [{ position: 0, outcome: 'created' }] });
  });

  it('does not touch again what an earlier answer settled', () => {
    const { changes, call: end } = settleCall(
      call,
      { answers: [done('8'), done('9')], settledBefore: [0] },
      [stored('1'), stored('2')],
      timing,
    );
    expect(changes.map((c) => [c.key.sourceId, c.target?.id])).toEqual([['2', '9']]);
    expect(end.state).toBe('answered');
  });

  it('says "abandoned" of a call that certainly did not happen', () => {
    const unsent = { kind: 'failed' as const, failure: { kind: 'unsent' as const, reason: 'refused' } };
    const { call: end } = settleCall(
      call,
      { answers: [unsent, unsent], settledBefore: [] },
      [stored('1'), stored('2')],
      timing,
    );
    expect(end.state).toBe('abandoned');
  });

  it('leaves a link alone that was settled another way meanwhile', () => {
    const { changes } = settleCall(
      call,
      { answers: [done('7'), done('8')], settledBefore: [] },
      [stored('1', { state: { kind: 'ready' } }), stored('2')],
      timing,
    );
    expect(changes.map((c) => c.key.sourceId)).toEqual(['2']);
  });

  it('counts a delete of what is gone as done, and reads a record that an update did not find', () => {
    const missing = {
      kind: 'failed' as const,
      failure: { kind: 'refused' as const, class: 'parent-missing' as const, code: '610', reason: 'gone' },
    };
    const link = {
      target: { id: '9', syncToken: '3', deleted: false },
      desired: { version: version(1), hash: 'h1', op: 'delete' as const, references: [] },
    };
    const removal = composeCall('2', [
      plannedWrite(stored('1', link), { kind: 'delete', body: { Id: '9', SyncToken: '3' } }),
    ]);
    expect(
      settleCall(removal, { answers: [missing], settledBefore: [] }, [stored('1', link)], timing).changes[0]!.state,
    ).toEqual({ kind: 'settled' });
    const change = composeCall('2', [
      plannedWrite(stored('1', link), {
        kind: 'update',
        body: { Id: '9', SyncToken: '3' },
        applied: {},
        drift: [],
        deferred: [],
      }),
    ]);
    const [updated] = settleCall(
      change,
      { answers: [missing], settledBefore: [] },
      [stored('1', link)],
      timing,
    ).changes;
    // Without its token the next plan reads the record first.
    expect(updated).toMatchObject({ state: { kind: 'backoff' }, target: { id: '9' } });
    expect(updated!.target!.syncToken).toBeUndefined();
  });
});
