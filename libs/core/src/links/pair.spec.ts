// What a link of one of two opposite syncs does beside its mirror.
import fc from 'fast-check';
import { encodeVersion } from '../model/version.js';
import type { Link } from './link.js';
import { contest, pendingOf, reflect, unknownContent, yieldsTo, type OtherSide, type PairFacts } from './pair.js';
import { defaultWritePolicy, planWrite } from './plan.js';

const at = (second: number, token = 0) => {
  const time = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  return encodeVersion({ lastUpdatedTime: time, syncToken: token, observedAt: time });
};
const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

function link(o: Partial<Link> = {}): Link {
  return {
    entityType: 'Customer',
    sourceId: '1',
    state: { kind: 'ready' },
    desired: { version: at(5), hash: 'new', op: 'upsert', references: [], payload: { DisplayName: 'Ada', Notes: 'x' } },
    applied: { version: at(1), hash: 'old', payload: { DisplayName: 'Ada', Notes: 'a' } },
    target: { id: '9', syncToken: '3', deleted: false },
    generation: 0,
    attempts: 0,
    ...o,
  };
}
const other = (o: Partial<OtherSide> = {}): OtherSide => ({
  state: 'ready',
  op: 'upsert',
  changedAt: time(4),
  pending: { Notes: 'theirs' },
  ...o,
});
const pair = (o: Partial<PairFacts> = {}): PairFacts => ({ elder: true, since: time(0), ...o });
const plan = (one: Link, facts: PairFacts, more = {}) =>
  planWrite(one, { resolve: () => undefined, policy: defaultWritePolicy, pair: facts, ...more });

describe('a change in a pair', () => {
  it.each([
    ['goes out when the other side is at rest', other({ state: 'settled', pending: {} }), true, 'update'],
    ['goes out when the other side changed another field', other({ pending: { Title: 'Dr' } }), true, 'update'],
    ['wins when it is the later one', other({ changedAt: time(4) }), false, 'update'],
    ['loses when it is the earlier one', other({ changedAt: time(6) }), true, 'noop'],
    ['wins a tie when its sync is the elder', other({ changedAt: time(5) }), true, 'update'],
    ['loses a tie when its sync is the younger', other({ changedAt: time(5) }), false, 'noop'],
    [
      'is none when the other side made the same edit',
      other({ pending: { Notes: 'x' }, changedAt: time(9) }),
      true,
      'noop',
    ],
    ['goes out when the other side is stuck', other({ state: 'failed', changedAt: time(9) }), true, 'update'],
    ['waits while the other side has a call under way', other({ state: 'sending' }), true, 'postpone'],
    ['waits while the other side does not know what its call did', other({ state: 'uncertain' }), true, 'postpone'],
    ['waits for a deletion on the other side', other({ op: 'delete', pending: {} }), true, 'postpone'],
    ['waits for a void on the other side', other({ op: 'void', pending: {} }), true, 'postpone'],
  ])('%s', (_title, side, elder, kind) => {
    expect(plan(link(), pair({ other: side, elder })).kind).toBe(kind);
  });

  it('tells what it lost', () => {
    const lost = plan(link(), pair({ other: other({ changedAt: time(6) }) }));
    expect(lost).toMatchObject({ kind: 'noop', why: 'overruled', code: 'CONFLICT.LOST' });
  });

  it('is no drift: a person’s edit in the target is neither held nor overwritten', () => {
    const targetNow = { Id: '9', SyncToken: '7', DisplayName: 'Ada', Notes: 'a', Title: 'by a person' };
    const policy = { ...defaultWritePolicy, drift: { default: 'hold' as const, gone: 'hold' as const } };
    const body = { Id: '9', SyncToken: '7', sparse: true, Notes: 'x' };
    expect(plan(link(), pair(), { targetNow, policy })).toMatchObject({ kind: 'update', body, drift: [] });
  });

  it('does not clear what an answer showed as nothing and a later look did not show', () => {
    const applied = {
      version: at(1),
      hash: 'old',
      payload: { DisplayName: 'Ada', Notes: 'x', BillRate: 0, Taxable: false },
    };
    expect(plan(link({ applied }), pair()).kind).toBe('noop');
  });

  it('of two records that were brought together is agreed when it is older than the pair, else compared with the target', () => {
    const applied = { version: '', hash: unknownContent };
    expect(plan(link({ applied }), pair({ since: time(5) }))).toMatchObject({ kind: 'noop' });
    expect(plan(link({ applied }), pair({ since: time(4) }))).toMatchObject({ kind: 'read' });
    const targetNow = { Id: '9', SyncToken: '7', DisplayName: 'Ada', Notes: 'a' };
    expect(plan(link({ applied }), pair({ since: time(4) }), { targetNow })).toMatchObject({ body: { Notes: 'x' } });
  });

  it('of a record without a target is paired with the one it was made from, and waits for a call that may be making it', () => {
    const { target: _none, ...unlinked } = link();
    expect(plan(unlinked, pair({ beingMade: true })).kind).toBe('postpone');
    expect(plan(unlinked, pair({ beingMade: true, madeFrom: { sourceId: '4' } }))).toEqual({
      kind: 'pair',
      targetId: '4',
    });
  });

  it('to a name that its own company merged away is none while the copy stays inactive, however it comes back; in use again it is made anew', () => {
    const gone = { target: { id: '9', deleted: true } };
    const inactive = { DisplayName: 'Ada', Active: false };
    const back = link({ ...gone, desired: { ...link().desired, payload: inactive } });
    const settled = pair({ other: other({ state: 'settled', op: 'delete', pending: {} }) });
    expect(plan(back, settled)).toMatchObject({ kind: 'noop', why: 'already-removed', applied: inactive });
    const awake = link({ ...gone, desired: { ...link().desired, payload: { DisplayName: 'Ada', Active: true } } });
    expect(plan(awake, settled, { candidates: [] })).toMatchObject({ kind: 'create', body: { DisplayName: 'Ada' } });
  });

  it('that deletes finds nothing left to do when the other side was deleted too', () => {
    const gone = link({ desired: { version: at(5), hash: 'd', op: 'delete', references: [] } });
    expect(plan(gone, pair({ other: other({ op: 'delete', pending: {} }) }))).toMatchObject({ why: 'already-removed' });
    expect(yieldsTo(gone, pair({ other: other() }))).toBeUndefined();
  });
});

describe('a mirror', () => {
  const seen = (payload: Record<string, unknown>, hash = 'seen') => ({
    desired: { version: at(8), hash, op: 'upsert' as const, references: [], payload },
    body: payload,
  });
  const target = { id: '1', deleted: false };

  it('rests on what its own mapping makes of the answer', () => {
    const mirror = link({ state: { kind: 'settled' } });
    const after = reflect(mirror, { seen: seen({ Notes: 'x' }), written: ['Notes'], pendingBefore: {}, target })!;
    expect(after).toMatchObject({
      state: { kind: 'settled' },
      desired: { hash: 'seen' },
      applied: { hash: 'seen' },
      lost: {},
    });
  });

  it('keeps what a person changed and the write did not touch, and tells what the write went over', () => {
    const mirror = link();
    const pendingBefore = { Notes: 'mine', Title: 'Dr' };
    const answered = seen({ DisplayName: 'Ada', Notes: 'written', Title: 'Dr' });
    const after = reflect(mirror, { seen: answered, written: ['Notes'], pendingBefore, target })!;
    expect(after.state.kind).toBe('ready');
    expect(after.lost).toEqual({ Notes: 'mine' });
    const next = { ...mirror, state: after.state, desired: after.desired!, applied: after.applied };
    expect(pendingOf(next, () => undefined)).toEqual({ Title: 'Dr' });
  });

  it('keeps a newer edit that came in while the call was under way', () => {
    const newer = link({
      desired: { version: at(9), hash: 'newer', op: 'upsert', references: [], payload: { Notes: 'later' } },
    });
    const after = reflect(newer, { seen: seen({ Notes: 'x' }), written: ['Notes'], pendingBefore: {}, target })!;
    expect(after.state.kind).toBe('ready');
    expect(after.desired!.hash).toBe('newer');
  });

  it('is deleted with its record, and with a call of its own under way settles itself', () => {
    const removed = { version: at(9), hash: 'gone' };
    const after = reflect(link(), { written: [], pendingBefore: {}, removed, target })!;
    expect(after).toMatchObject({ state: { kind: 'settled' }, desired: { op: 'delete' }, target: { deleted: true } });
    expect(reflect(link({ state: { kind: 'sending' } }), { written: [], pendingBefore: {}, target })).toBeUndefined();
  });
});

describe('two edits between two looks', () => {
  const fields = fc.dictionary(
    fc.constantFrom('Notes', 'Title', 'Suffix', 'CompanyName'),
    fc.constantFrom('x', 'y', 'z'),
  );

  it('never swap: each contested field goes one way, and exactly one side tells that it lost', () => {
    fc.assert(
      fc.property(fields, fields, fc.nat(3), fc.nat(3), fc.boolean(), (mine, theirs, mySecond, theirSecond, elder) => {
        const a = contest(
          link({ desired: { ...link().desired, version: at(mySecond) } }),
          mine,
          pair({ elder, other: other({ changedAt: time(theirSecond), pending: theirs }) }),
        );
        const b = contest(
          link({ desired: { ...link().desired, version: at(theirSecond) } }),
          theirs,
          pair({ elder: !elder, other: other({ changedAt: time(mySecond), pending: mine }) }),
        );
        for (const field of Object.keys(mine).filter((name) => name in theirs)) {
          const sides = [a, b].filter(({ kept }) => field in kept);
          expect(sides).toHaveLength(mine[field] === theirs[field] ? 0 : 1);
          expect([a, b].filter(({ lost }) => field in lost)).toHaveLength(sides.length);
        }
        // What nobody contests is never dropped.
        for (const field of Object.keys(mine).filter((name) => !(name in theirs)))
          expect(a.kept[field]).toBe(mine[field]);
      }),
    );
  });
});

describe('what refers to a record whose copy was deleted over there', () => {
  const parentGone = { entityType: 'Bill', sourceId: '4', targetId: '7', state: 'ready' } as const;

  it('waits while that deletion is on its way, and is held when it cannot be', () => {
    expect(plan(link(), pair({ parentGone }))).toMatchObject({ kind: 'postpone', code: 'PAIR.PARENT_GONE' });
    const held = plan(link(), pair({ parentGone: { ...parentGone, state: 'held', reason: 'others depend on it' } }));
    expect(held).toMatchObject({ kind: 'hold', code: 'PAIR.PARENT_GONE' });
    expect(held).toMatchObject({ reason: expect.stringMatching(/Bill 4.*copy 7.*others depend on it/) });
  });

  it('is removed all the same when somebody removes it', () => {
    const gone = link({ desired: { version: at(6), hash: 'gone', op: 'delete', references: [] } });
    expect(plan(gone, pair({ parentGone: { ...parentGone, state: 'held' } })).kind).not.toBe('hold');
  });
});

describe('a copy that names what lives on in another name', () => {
  it('is written home, over what the record there says still', () => {
    const seen = { desired: link().desired, body: { DisplayName: 'Ada', Notes: 'old name' }, moved: true };
    const reflected = reflect(link({ state: { kind: 'settled' } }), {
      ...{ seen, written: ['Notes'], pendingBefore: {}, target: { id: '9', deleted: false } },
    });
    expect(reflected?.state).toEqual({ kind: 'ready' });
    expect(reflected?.applied.payload).toEqual(seen.body);
  });
});

describe('an edit of a record whose copy was deleted over there', () => {
  it.each<[OtherSide['state'], object]>([
    ['ready', { kind: 'postpone', code: 'PAIR.REMOVED_THERE' }],
    ['backoff', { kind: 'postpone', code: 'PAIR.REMOVED_THERE' }],
    ['held', { kind: 'hold', code: 'PAIR.KEPT_HERE' }],
    ['failed', { kind: 'hold', code: 'PAIR.KEPT_HERE' }],
  ])('waits for the deletion here while that is %s, and not for ever', (state, expected) => {
    expect(plan(link(), pair({ other: other({ op: 'delete', state }) }), { targetNow: null })).toMatchObject(expected);
  });
});
