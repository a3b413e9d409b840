import fc from 'fast-check';
import { patched, reconsideredBy, writePolicy } from './settings.js';

describe('settings of a sync', () => {
  it('say for each type what becomes of an edited copy', () => {
    const settings = { drift: { default: 'overwrite', Customer: 'hold' } };
    expect(writePolicy(settings, 'Customer').drift.default).toBe('hold');
    expect(writePolicy(settings, 'Invoice').drift.default).toBe('overwrite');
    expect(writePolicy({ drift: 'hold' }, 'Invoice').drift.default).toBe('hold');
    expect(writePolicy({}, 'Invoice').drift.default).toBe('overwrite');
  });

  it('are patched: what is named changes, null takes away, the rest stays', () => {
    const settings = { twins: 'leave', drift: { default: 'hold', Invoice: 'keep' }, note: 'Ann' };
    expect(patched(settings, { drift: { Invoice: null, Bill: 'hold' }, note: null })).toEqual({
      twins: 'leave',
      drift: { default: 'hold', Bill: 'hold' },
    });
    expect(patched(settings, { drift: 'overwrite' }).drift).toBe('overwrite');
    expect(patched({ drift: 'hold' }, { drift: { Invoice: 'keep' } }).drift).toEqual({ Invoice: 'keep' });
  });
});

describe('a change of settings', () => {
  const about = (before: object, after: object) => reconsideredBy({ ...before }, { ...after }, ['Invoice'])[0];

  it.each<[string, object, object, string[]]>([
    ['another collision policy', {}, { collisions: { names: 'suffix' } }, ['COLLISION.NAME', 'COLLISION.NUMBER']],
    ['another adoption', {}, { adopt: { transactions: true } }, ['ADOPT.AMBIGUOUS', 'ADOPT.NO_TWIN', 'ADOPT.NO_KEY']],
    ['a rounding line', {}, { rounding: { kind: 'line', itemId: '9' } }, ['MONEY.TOO_FAR']],
    ['"overwrite" after "hold"', { drift: 'hold' }, {}, ['DRIFT']],
    ['"recreate"', {}, { drift: { default: { gone: 'recreate' } } }, ['DRIFT.TARGET_GONE']],
    ['"remove" after "hold"', { excluded: 'hold' }, { excluded: 'remove' }, ['EXCLUDED.HELD']],
  ])('%s lets go what is held with its codes', (_what, before, after, codes) => {
    expect(about(before, after)!.codes).toEqual(expect.arrayContaining(codes));
  });

  it.each<[string, object, object]>([
    ['"keep" after "hold"', { drift: 'hold' }, { drift: 'keep' }],
    ['one field that is kept', { drift: 'hold' }, { drift: { default: { fields: { Line: 'keep' } } } }],
    ['"hold" after "recreate"', { drift: { default: { gone: 'recreate' } } }, {}],
  ])('%s writes over nothing that a person edited or removed', (_what, before, after) => {
    expect(about(before, after)?.codes ?? []).toEqual([]);
  });

  it('looks again at edits that were left there once a field is no longer kept', () => {
    const before = { drift: { default: { fields: { PrivateNote: 'keep' } } } };
    expect(about(before, {})).toMatchObject({ kept: true });
    expect(about({}, before)).toBeUndefined();
  });

  it('looks again at copies of what the mapping leaves out', () => {
    expect(about({}, { excluded: 'remove' })).toMatchObject({ excluded: true });
  });

  it('is about the types that it names, and none when nothing of it matters', () => {
    const types = ['Invoice', 'Bill', 'Customer'];
    const drift = { default: 'hold', Bill: 'overwrite' };
    expect(reconsideredBy({ drift: 'hold' }, { drift }, types).map((one) => one.entityType)).toEqual(['Bill']);
    expect(reconsideredBy({ note: 'a' }, { note: 'b' }, types)).toEqual([]);
    fc.assert(
      fc.property(fc.jsonValue(), (drift) => {
        expect(reconsideredBy({ drift }, { drift, note: 'x' }, types)).toEqual([]);
      }),
    );
  });
});
