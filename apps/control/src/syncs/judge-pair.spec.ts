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
    [
      'that is synced the other way round is refused',
      { source: side('1'), target: side('2'), reverse: true },
      'SYNC.LOOP',
    ],
  ])('%s', (_title, pair, code) => {
    expect(judgePair({ reverse: false, ...pair })?.code).toBe(code);
  });
});
