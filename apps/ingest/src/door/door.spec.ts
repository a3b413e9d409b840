// Small judgements of the webhook door.
import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { ManualClock } from '#common/clock';
import { createLog } from '#common/logging';
import type { RealmRole } from '#storage';
import { KnownRealms } from './known-realms.js';
import { signatureHolds } from './signature.js';
import { newTraceparent } from './traceparent.js';

describe('a signature', () => {
  const sign = (body: Buffer, token: string) => createHmac('sha256', token).update(body).digest('base64');

  it('holds for exactly the bytes and the token it was made with', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ minLength: 1 }), fc.nat(), (bytes, token, at) => {
        const body = Buffer.from(bytes);
        expect(signatureHolds(body, sign(body, token), token)).toBe(true);
        expect(signatureHolds(body, sign(body, `${token}x`), token)).toBe(false);
        const other = Buffer.concat([body, Buffer.from([at % 256])]);
        expect(signatureHolds(other, sign(body, token), token)).toBe(false);
      }),
    );
  });

  it('is refused whatever else is sent in its place', () => {
    fc.assert(
      fc.property(fc.anything(), (given) => {
        expect(signatureHolds(Buffer.from('{}'), given, 'token')).toBe(false);
      }),
    );
  });
});

describe('known realms', () => {
  const setUp = () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const roles = new Map<string, RealmRole>([['1', 'source']]);
    const store = {
      down: false,
      roleOf(realmId: string): Promise<RealmRole> {
        asked.push(realmId);
        return store.down ? Promise.reject(new Error('away')) : Promise.resolve(roles.get(realmId) ?? 'unknown');
      },
    };
    return { clock, asked, roles, store, realms: new KnownRealms(store, clock, createLog('spec')) };
  };

  it('are asked once a minute, strangers every five seconds', async () => {
    const { clock, asked, roles, realms } = setUp();
    expect([await realms.roleOf('1'), await realms.roleOf('2')]).toEqual(['source', 'unknown']);
    expect([realms.roleOf('1'), realms.roleOf('2')]).toEqual(['source', 'unknown']);
    expect(asked).toEqual(['1', '2']);
    roles.set('2', 'source');
    await clock.advance(5000);
    expect([await realms.roleOf('1'), await realms.roleOf('2')]).toEqual(['source', 'source']);
    expect(asked).toEqual(['1', '2', '2']);
    await clock.advance(60_000);
    await realms.roleOf('1');
    expect(asked).toEqual(['1', '2', '2', '1']);
  });

  it('all pass while PostgreSQL is away, and nothing of that is remembered', async () => {
    const { store, realms } = setUp();
    store.down = true;
    expect(await realms.roleOf('2')).toBe('source');
    store.down = false;
    expect(await realms.roleOf('2')).toBe('unknown');
  });
});

describe('a trace', () => {
  it('has the form of the W3C and is new each time', () => {
    expect(newTraceparent()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(new Set(Array.from({ length: 1000 }, newTraceparent)).size).toBe(1000);
  });
});
