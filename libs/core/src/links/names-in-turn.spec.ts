// Whose turn it is when names and numbers move between records.
import type { Json } from '../model/json.js';
import type { Link } from './link.js';
import { faultBehind, freesName, holdingCopy, inTurn, isCollision } from './names-in-turn.js';
import type { Plan } from './plan.js';
import type { LinkState } from './state.js';

const field = (type: string): string => (type === 'Invoice' ? 'DocNumber' : type === 'Class' ? 'Name' : 'DisplayName');

function link(
  type: string,
  id: string,
  has: string,
  wants: string | undefined,
  state: LinkState = { kind: 'ready' },
): Link {
  const payload = wants === undefined ? {} : { payload: { [field(type)]: wants } };
  return {
    entityType: type,
    sourceId: id,
    state,
    desired: { version: '2', hash: 'new', op: wants === undefined ? 'delete' : 'upsert', references: [], ...payload },
    applied: { version: '1', hash: 'old', payload: { [field(type)]: has, Notes: 'kept' } },
    target: { id: `t${id}`, syncToken: '3', deleted: false },
    generation: 0,
    attempts: 0,
  };
}

const held = (code: 'COLLISION.NAME' | 'COLLISION.NUMBER', ...candidates: string[]) =>
  ({ kind: 'hold', code, reason: 'taken', candidates }) as const;
const turnOf = (one: Link, holder: Link | undefined, waitedMs = 0): Plan => {
  const plan = held(one.entityType === 'Invoice' ? 'COLLISION.NUMBER' : 'COLLISION.NAME', 'X/1');
  return inTurn(one, plan, [holder && holdingCopy(one, plan.code, holder)], waitedMs);
};
const settled: LinkState = { kind: 'settled' };

describe('a name that a copy of ours still has', () => {
  const mover = link('Customer', '1', 'First', 'Second');

  it.each<[string, Link | undefined, number, Partial<Plan>]>([
    ['is a collision when the holder is not ours', undefined, 0, { kind: 'hold', code: 'COLLISION.NAME' }],
    [
      'is waited for while its holder is on its way',
      link('Customer', '2', 'Second', 'Third'),
      0,
      { kind: 'postpone', code: 'COLLISION.TURN' },
    ],
    [
      'is waited for, too, of a vendor',
      link('Vendor', '2', 'Second', 'Third'),
      0,
      { kind: 'postpone', code: 'COLLISION.TURN' },
    ],
    [
      'is waited for while its holder is being removed',
      link('Customer', '2', 'Second', undefined),
      0,
      { kind: 'postpone', code: 'COLLISION.TURN' },
    ],
    [
      'may be free in a moment, when the holder has no news yet',
      link('Customer', '2', 'second', 'Second', settled),
      2_000,
      { kind: 'postpone', code: 'COLLISION.TURN' },
    ],
    ['is a collision when no news come', link('Customer', '2', 'Second', 'Second', settled), 20_000, { kind: 'hold' }],
    [
      'is a collision when its holder is stuck',
      link('Customer', '2', 'Second', 'Third', { kind: 'failed', code: 'X', reason: '' }),
      0,
      { kind: 'hold' },
    ],
    [
      'is left to the other one, which was entered later and wants ours',
      link('Customer', '2', 'Second', 'First'),
      0,
      { kind: 'update', partial: true },
    ],
    [
      'is waited for when the other one, entered before, wants ours',
      link('Customer', '0', 'Second', 'First'),
      0,
      { kind: 'postpone' },
    ],
    [
      'is made way for in a ring, after a while',
      link('Customer', '2', 'Second', 'Third'),
      5_000,
      { kind: 'update', partial: true },
    ],
    [
      'is free by now, when its holder has moved since the target was asked',
      link('Customer', '2', 'Third', 'Third', settled),
      0,
      { kind: 'postpone' },
    ],
    ['is told to a person when nothing moves', link('Customer', '2', 'Second', 'Third'), 700_000, { kind: 'hold' }],
  ])('%s', (_what, holder, waitedMs, expected) => {
    expect(turnOf(mover, holder, waitedMs)).toMatchObject(expected);
  });

  it('is waited for while its holder becomes inactive, and is a collision with one that is', () => {
    const leaving = link('Customer', '2', 'Second', 'Second');
    Object.assign(leaving.desired.payload!, { Active: false });
    expect(turnOf(mover, leaving)).toMatchObject({ kind: 'postpone' });
    expect(turnOf(mover, { ...leaving, state: settled }, 20_000)).toMatchObject({ kind: 'hold' });
  });

  it('steps aside under its own name, with only the name changed and what is applied otherwise kept', () => {
    expect(turnOf(mover, link('Customer', '2', 'Second', 'First'))).toEqual({
      kind: 'update',
      body: { Id: 't1', SyncToken: '3', sparse: true, DisplayName: 'Second (~1)' },
      applied: { DisplayName: 'Second (~1)', Notes: 'kept' },
      drift: [],
      deferred: [],
      partial: true,
    });
  });

  it('steps aside once', () => {
    const aside = link('Customer', '1', 'Second (~1)', 'Second');
    expect(turnOf(aside, link('Customer', '2', 'Second', 'First'), 60_000)).toMatchObject({
      kind: 'postpone',
      delayMs: 20_000,
    });
  });

  it('is made aside when it is not in the target yet: the holder may wait for its documents', () => {
    const { target: _none, applied: _nothing, ...made } = mover;
    const aside = { kind: 'create' as const, body: {}, applied: {}, deferred: [], partial: true };
    const turn = (waitedMs: number, plan = { ...held('COLLISION.NAME', 'Customer/t2'), aside }): Plan =>
      inTurn(made, plan, [holdingCopy(made, plan.code, link('Customer', '2', 'Second', undefined))], waitedMs);
    expect(turn(1_000)).toMatchObject({ kind: 'postpone' });
    expect(turn(5_000)).toBe(aside);
  });

  it('keeps to the length of a name', () => {
    const long = 'x'.repeat(100);
    const plan = turnOf(link('Class', '77', 'First', long), link('Class', '78', long, 'First'));
    const { Name } = (plan as Extract<Plan, { kind: 'update' }>).body as { Name: string };
    expect(Name).toHaveLength(100);
    expect(Name.endsWith(' (~77)')).toBe(true);
  });

  it('gives a document an own number for a moment', () => {
    const plan = turnOf(link('Invoice', '5', '1001', '1002'), link('Invoice', '6', '1002', '1001'));
    expect(plan).toMatchObject({ kind: 'update', body: { DocNumber: '~5' } });
    expect(faultBehind('Invoice', 'COLLISION.TURN')).toBe('QBO.6140');
    expect(faultBehind('Customer', 'COLLISION.TURN')).toBe('QBO.6240');
    expect(faultBehind('Customer', 'QBO.5010')).toBe('QBO.5010');
  });

  it('is asked for collisions only', () => {
    expect(isCollision(held('COLLISION.NAME'))).toBe(true);
    expect(isCollision({ kind: 'hold', code: 'DRIFT', reason: '' })).toBe(false);
  });
});

describe('a name is free', () => {
  it.each<[string, Json | undefined, Json | undefined, boolean, boolean]>([
    ['when the copy has another one', { DisplayName: 'A' }, { DisplayName: 'B' }, false, true],
    ['when the copy is gone', { DisplayName: 'A' }, { DisplayName: 'A' }, true, true],
    ['when the copy becomes inactive', { DisplayName: 'A' }, { DisplayName: 'A', Active: false }, false, true],
    ['not when it is written otherwise', { DisplayName: 'A' }, { DisplayName: 'a ' }, false, false],
    ['not when something else changed', { DisplayName: 'A', Notes: '1' }, { DisplayName: 'A' }, false, false],
    ['not of what was never written', undefined, { DisplayName: 'A' }, false, false],
  ])('%s', (_what, before, after, gone, expected) => {
    expect(freesName('Customer', before, after, gone)).toBe(expected);
  });
});
