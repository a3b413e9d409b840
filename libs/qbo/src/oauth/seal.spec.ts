// Sealed tokens open only in their own place.
import { TokenSeal, type SealContext } from './seal.js';

const key = Buffer.alloc(32, 7);
const here: SealContext = { organizationId: 'org-1', realmId: '4620816365000000001', field: 'refresh' };

describe('a sealed token', () => {
  const seal = new TokenSeal(key);
  const sealed = seal.seal(here, 'RT1-secret');

  it('opens to what was sealed, and is different each time', () => {
    expect(seal.open(here, sealed)).toBe('RT1-secret');
    expect(seal.seal(here, 'RT1-secret')).not.toBe(sealed);
    expect(sealed).not.toContain('secret');
  });

  it.each<[string, SealContext]>([
    ['another organization', { ...here, organizationId: 'org-2' }],
    ['another company', { ...here, realmId: '4620816365000000002' }],
    ['the other field', { ...here, field: 'access' }],
  ])('does not open for %s', (_name, context) => {
    expect(() => seal.open(context, sealed)).toThrow('authentication failed');
  });

  it('says so when the key is another one, and when the text is damaged', () => {
    expect(() => new TokenSeal(Buffer.alloc(32, 8)).open(here, sealed)).toThrow('sealed with key');
    expect(() => seal.open(here, `${sealed.slice(0, -4)}AAAA`)).toThrow('authentication failed');
    expect(() => seal.open(here, 'plain')).toThrow('unknown form');
  });

  it('opens with the key before while that one is being replaced, and is sealed with the new one from then on', () => {
    const [before, after] = [Buffer.alloc(32, 8), Buffer.alloc(32, 9)];
    const rotating = new TokenSeal(after, before);
    expect(rotating.open(here, new TokenSeal(before).seal(here, 'RT0'))).toBe('RT0');
    const anew = rotating.seal(here, 'RT1');
    expect(new TokenSeal(after).open(here, anew)).toBe('RT1');
    expect(() => new TokenSeal(before).open(here, anew)).toThrow('sealed with key');
  });

  it('refuses a key of the wrong length', () => {
    expect(() => new TokenSeal(Buffer.alloc(16))).toThrow('32 bytes');
    expect(() => new TokenSeal(key, Buffer.alloc(16))).toThrow('32 bytes');
  });
});
