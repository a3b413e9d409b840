// Custody of a grant, through Intuit's own OAuth client and a real token endpoint on this machine (I-07).
import { ManualClock } from '#common/clock';
import { qboEnvironment } from '../environment.js';
import { json, localServer, type LocalServer } from '../local-server.spec-support.js';
import { TokenCustody, type GrantStore, type StoredGrant } from './custody.js';
import { IntuitTokens } from './intuit.js';
import { TokenSeal } from './seal.js';

const realmId = '4620816365000000001';
const organizationId = '5b6a4f9e-0000-4000-8000-000000000001';
const minute = 60_000;

/** Rows in memory with a lock per realm, as the database has it; the database's own store passes the same claims. */
class MemoryGrants implements GrantStore {
  row: StoredGrant | undefined;
  private queue: Promise<unknown> = Promise.resolve();

  async find(): Promise<StoredGrant | undefined> {
    return this.row && { ...this.row };
  }

  alone: GrantStore['alone'] = (_realm, renew) => {
    const turn = this.queue.then(() =>
      renew(
        { ...this.row! },
        {
          noteRefreshStarted: async (at) => void (this.row!.refreshStartedAt = at),
          store: async (pair) => {
            const previous = this.row!.refreshTokenSealed;
            this.row = {
              ...this.row!,
              ...pair,
              previousRefreshTokenSealed: previous,
              refreshStartedAt: null,
              grantVersion: String(Number(this.row!.grantVersion) + 1),
            };
          },
          markReconnectNeeded: async (reason) => void (this.row!.reconnectReason = reason),
        },
      ),
    );
    this.queue = turn.catch(() => undefined);
    return turn;
  };
}

describe('token custody', () => {
  let endpoint: LocalServer;
  let grants: MemoryGrants;
  let clock: ManualClock;
  /** refresh tokens the endpoint accepts, and what it does */
  let alive: Set<string>;
  let behaviour: 'answer' | 'lose the answer' | 'break';
  let issued: number;
  const seal = new TokenSeal(Buffer.alloc(32, 3));

  const form = () => endpoint.received.map((r) => new URLSearchParams(r.body.toString()).get('refresh_token'));
  const custody = () =>
    new TokenCustody({
      grants,
      seal,
      clock,
      endpoint: new IntuitTokens({
        environment: qboEnvironment(endpoint.url),
        clientId: 'id',
        clientSecret: 'secret',
        timeoutMs: 500,
      }),
    });

  beforeEach(async () => {
    clock = new ManualClock();
    behaviour = 'answer';
    issued = 0;
    alive = new Set(['refresh-0']);
    endpoint = await localServer((request, response, socket) => {
      const token = new URLSearchParams(request.body.toString()).get('refresh_token') ?? '';
      if (behaviour === 'break') return json(response, 500, { error: 'server_error' });
      if (!alive.has(token)) return json(response, 400, { error: 'invalid_grant' });
      issued++;
      alive = new Set([`refresh-${issued}`]);
      if (behaviour === 'lose the answer') return void socket.destroy();
      json(response, 200, {
        token_type: 'bearer',
        access_token: `access-${issued}`,
        refresh_token: `refresh-${issued}`,
        expires_in: 3_600,
        x_refresh_token_expires_in: 8_726_400,
      });
    });
    grants = new MemoryGrants();
    const pair = custody().sealPair(organizationId, realmId, {
      accessToken: 'access-0',
      refreshToken: 'refresh-0',
      expiresIn: 3_600,
      refreshExpiresIn: 100,
    });
    grants.row = {
      realmId,
      organizationId,
      ...pair,
      previousRefreshTokenSealed: null,
      refreshStartedAt: null,
      grantVersion: '1',
      reconnectReason: null,
    };
  });
  afterEach(() => endpoint.stop());

  it('hands out the stored token until it is 50 minutes old, then a new one', async () => {
    const one = custody();
    expect(await one.accessToken(realmId)).toEqual({ kind: 'token', value: 'access-0' });
    await clock.advance(49 * minute);
    expect(await one.accessToken(realmId)).toEqual({ kind: 'token', value: 'access-0' });
    await clock.advance(2 * minute);
    expect(await one.accessToken(realmId)).toEqual({ kind: 'token', value: 'access-1' });
    expect(form()).toEqual(['refresh-0']);
    expect(JSON.stringify(grants.row)).not.toMatch(/access-1|refresh-1/);
  });

  it('renews once for many callers in many processes', async () => {
    await clock.advance(51 * minute);
    const processes = [custody(), custody(), custody()];
    const answers = await Promise.all(processes.flatMap((one) => [1, 2, 3].map(() => one.accessToken(realmId))));
    expect(new Set(answers.map((a) => a.kind === 'token' && a.value))).toEqual(new Set(['access-1']));
    expect(endpoint.received).toHaveLength(1);
  });

  it('renews at once when QBO refused the token, and only then', async () => {
    const one = custody();
    one.refuse(realmId, 'access-of-long-ago');
    expect(await one.accessToken(realmId)).toEqual({ kind: 'token', value: 'access-0' });
    one.refuse(realmId, 'access-0');
    expect(await one.accessToken(realmId)).toEqual({ kind: 'token', value: 'access-1' });
  });

  it('asks for a person when Intuit says invalid_grant, and does not ask Intuit again', async () => {
    alive.clear();
    await clock.advance(51 * minute);
    const one = custody();
    expect(await one.accessToken(realmId)).toMatchObject({ kind: 'reconnect' });
    expect(grants.row!.reconnectReason).toContain('reconnect');
    await one.accessToken(realmId);
    await custody().accessToken(realmId);
    expect(endpoint.received).toHaveLength(1);
  });

  it('goes on by itself after a person has connected again', async () => {
    alive.clear();
    await clock.advance(51 * minute);
    const one = custody();
    await one.accessToken(realmId);
    const pair = one.sealPair(organizationId, realmId, {
      accessToken: 'fresh',
      refreshToken: 'fresh-r',
      expiresIn: 3_600,
      refreshExpiresIn: 100,
    });
    grants.row = { ...grants.row!, ...pair, reconnectReason: null, grantVersion: '7' };
    await clock.advance(3_000);
    expect(await one.accessToken(realmId)).toEqual({ kind: 'token', value: 'fresh' });
  });

  it('notes that a renewal began before it calls, and never repeats the call by itself', async () => {
    behaviour = 'lose the answer';
    await clock.advance(51 * minute);
    // Still nine minutes good: it serves until the end.
    expect(await custody().accessToken(realmId)).toEqual({ kind: 'token', value: 'access-0' });
    expect(grants.row!.refreshStartedAt).not.toBeNull();
    expect(endpoint.received).toHaveLength(1);
  });

  it('says "reconnect" after a crash that lost the only living token: never silent, never a loop', async () => {
    behaviour = 'lose the answer';
    await clock.advance(51 * minute);
    await custody().accessToken(realmId);
    behaviour = 'answer';
    expect(await custody().accessToken(realmId)).toMatchObject({ kind: 'reconnect' });
  });

  it('tries the previous refresh token once when a renewal was cut and the newest is dead', async () => {
    const sealed = seal.seal({ organizationId, realmId, field: 'refresh' }, 'refresh-dead');
    grants.row = {
      ...grants.row!,
      previousRefreshTokenSealed: grants.row!.refreshTokenSealed,
      refreshTokenSealed: sealed,
      refreshStartedAt: new Date(),
    };
    await clock.advance(51 * minute);
    expect(await custody().accessToken(realmId)).toEqual({ kind: 'token', value: 'access-1' });
    expect(form()).toEqual(['refresh-dead', 'refresh-0']);
  });

  it('uses the old token to its end while the endpoint is broken, then says so without asking each time', async () => {
    behaviour = 'break';
    const one = custody();
    await clock.advance(51 * minute);
    expect(await one.accessToken(realmId)).toMatchObject({ kind: 'token' });
    expect(await one.accessToken(realmId)).toMatchObject({ kind: 'token' });
    expect(endpoint.received).toHaveLength(1);
    await clock.advance(10 * minute);
    expect(await one.accessToken(realmId)).toMatchObject({ kind: 'unavailable' });
    expect(endpoint.received).toHaveLength(2);
    expect(grants.row!.reconnectReason).toBeNull();
  });

  it('does not blame a company for our own wrong client secret', async () => {
    await endpoint.stop();
    endpoint = await localServer((_request, response) => json(response, 401, { error: 'invalid_client' }));
    await clock.advance(61 * minute);
    expect(await custody().accessToken(realmId)).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringContaining('invalid_client'),
    });
    expect(grants.row!.reconnectReason).toBeNull();
  });
});
