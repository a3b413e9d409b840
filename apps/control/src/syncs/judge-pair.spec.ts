// Which two companies may become a sync.
import { judgePair } from './judge-pair.js';

const side = (realmId: string, o: { organizationId?: string; homeCurrency?: string | null } = {}) => ({
  realmId,
  organizationId: 'a',
  status: 'connected',
  homeCurrency: 'USD',
  ...o,
});

describe('a pair of companies', () => {
  it.each([
    ['of one organization and currency is fine', { source: side('1'), target: side('2') }, undefined],
    [
      'whose currencies nobody asked for is fine',
      { source: side('1', { homeCurrency: null }), target: side('2') },
      undefined,
    ],
    ['with the organization named is fine', { source: side('1'), target: side('2'), organizationId: 'a' }, undefined],
    ['that is one company is refused', { source: side('1'), target: side('1') }, 'SYNC.SAME_COMPANY'],
    [
      'of two organizations is refused',
      { source: side('1'), target: side('2', { organizationId: 'b' }) },
      'SYNC.ORGANIZATIONS.DIFFER',
    ],
    [
      'under a foreign organization is refused',
      { source: side('1'), target: side('2'), organizationId: 'b' },
      'SYNC.ORGANIZATIONS.DIFFER',
    ],
    [
      'of two home currencies is refused',
      { source: side('1'), target: side('2', { homeCurrency: 'CAD' }) },
      'SYNC.CURRENCIES.DIFFER',
    ],
  ])('%s', (_title, pair, code) => {
    expect(judgePair({ syncs: [], ...pair })?.code).toBe(code);
  });
});

describe('a sync from 1 to 2 beside others', () => {
  const between = (...pairs: string[]) =>
    pairs.map((pair) => ({ sourceRealmId: pair.split('>')[0]!, targetRealmId: pair.split('>')[1]! }));
  it.each([
    ['is fine beside its opposite', ['2>1'], undefined],
    ['is fine at the end of a chain', ['3>1', '4>3'], undefined],
    ['is fine at the beginning of a chain', ['2>3', '3>4'], undefined],
    ['is fine where both neighbours are synced both ways', ['2>1', '2>3', '3>2', '1>4', '4>1'], undefined],
    ['is refused when it closes a ring of three', ['2>3', '3>1'], '1 -> 2 -> 3 -> 1'],
    ['is refused when it closes a longer one', ['2>3', '3>4', '4>5', '5>1'], '1 -> 2 -> 3 -> 4 -> 5 -> 1'],
    ['is refused when its opposite is a short cut in a ring', ['2>1', '2>3', '3>1'], '1 -> 2 -> 3 -> 1'],
  ])('%s', (_title, pairs, ring) => {
    const refusal = judgePair({ source: side('1'), target: side('2'), syncs: between(...pairs) });
    expect(refusal?.code).toBe(ring && 'SYNC.LOOP');
    if (ring) expect(refusal?.detail).toContain(ring);
  });
});
