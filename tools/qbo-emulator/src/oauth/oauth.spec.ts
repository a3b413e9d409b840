// OAuth and OpenID as clients live it: consent, exchange, rotation with grace, the ends of a connection, lost answers.
import { createPublicKey, verify } from 'node:crypto';
import { VirtualClock } from '../clock/index.js';
import type { QboFault } from '../types.js';
import { type App, OAuth, type TokenAnswer, type WebAnswer } from './index.js';

const hour = 3_600_000;
const day = 24 * hour;
const callback = 'http://localhost:9000/callback';

function world(): { clock: VirtualClock; oauth: OAuth; app: App } {
  const clock = new VirtualClock();
  const oauth = new OAuth(clock, {
    baseUrl: () => 'http://127.0.0.1:1',
    companies: () => [{ realmId: '77', name: 'Fern & Stone' }],
  });
  return { clock, oauth, app: oauth.registerApp({ name: 'Mirror <app>', redirectUris: [callback] }) };
}

const basic = (app: App): string => `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}`;

async function post(
  oauth: OAuth,
  path: string,
  app: App | undefined,
  body: Record<string, string>,
  headers = {},
): Promise<WebAnswer> {
  const answer = await oauth.handle({
    method: 'POST',
    path,
    query: new URLSearchParams(),
    headers: { ...(app ? { authorization: basic(app) } : {}), ...headers },
    body: new URLSearchParams(body).toString(),
  });
  return answer!;
}
const get = async (oauth: OAuth, path: string, query: Record<string, string> = {}, headers = {}): Promise<WebAnswer> =>
  (await oauth.handle({ method: 'GET', path, query: new URLSearchParams(query), headers, body: '' }))!;

const asked = (app: App, more: Record<string, string> = {}): Record<string, string> => ({
  client_id: app.clientId,
  redirect_uri: callback,
  response_type: 'code',
  scope: 'com.intuit.quickbooks.accounting openid email',
  state: 's1',
  ...more,
});
const redirected = (answer: WebAnswer): URLSearchParams => new URL(answer.headers.location!).searchParams;
const refresh = (oauth: OAuth, app: App, token: string, headers = {}): Promise<WebAnswer> =>
  post(oauth, '/oauth2/v1/tokens/bearer', app, { grant_type: 'refresh_token', refresh_token: token }, headers);
const tokens = (answer: WebAnswer): TokenAnswer => JSON.parse(answer.body) as TokenAnswer;
const refusal = (oauth: OAuth, bearer: string | undefined, realm = '77'): [string, number] | undefined => {
  try {
    oauth.authorize(bearer === undefined ? undefined : `Bearer ${bearer}`, realm);
    return undefined;
  } catch (error) {
    return [(error as QboFault).code, (error as QboFault).status];
  }
};

describe('consent', () => {
  it('shows the companies to a person and sends code, state and realm back when Connect is pressed', async () => {
    const { oauth, app } = world();
    const shown = await get(oauth, '/connect/oauth2', asked(app));
    expect(shown.body).toContain('Fern &#38; Stone');
    expect(shown.body).toContain('Mirror &#60;app&#62;');
    const pressed = await post(oauth, '/connect/oauth2', undefined, {
      ...asked(app),
      realmId: '77',
      decision: 'connect',
    });
    expect(pressed.status).toBe(302);
    expect(Object.fromEntries(redirected(pressed))).toMatchObject({ state: 's1', realmId: '77' });
  });
  it.each([
    ['deny', {}, 'access_denied'],
    ['77', { scope: 'everything' }, 'invalid_scope'],
  ])('answers auto=%s with %j by error %s', async (auto, change, error) => {
    const { oauth, app } = world();
    expect(redirected(await get(oauth, '/connect/oauth2', asked(app, { auto, ...change }))).get('error')).toBe(error);
  });
  it('never redirects to an address that is not registered', async () => {
    const { oauth, app } = world();
    const answer = await get(
      oauth,
      '/connect/oauth2',
      asked(app, { redirect_uri: 'http://evil.example/', auto: '77' }),
    );
    expect([answer.status, answer.headers.location]).toEqual([400, undefined]);
  });
});

describe('code exchange', () => {
  const code = async (oauth: OAuth, app: App): Promise<string> =>
    redirected(await get(oauth, '/connect/oauth2', asked(app, { auto: '77' }))).get('code')!;
  const exchange = (oauth: OAuth, app: App | undefined, value: string, body = {}): Promise<WebAnswer> =>
    post(oauth, '/oauth2/v1/tokens/bearer', app, {
      grant_type: 'authorization_code',
      code: value,
      redirect_uri: callback,
      ...body,
    });

  it('works once, with client authentication by header or by form', async () => {
    const { oauth, app } = world();
    const value = await code(oauth, app);
    const answer = tokens(await exchange(oauth, app, value));
    expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 3600, x_refresh_token_expires_in: 8_726_400 });
    expect(oauth.authorize(`Bearer ${answer.access_token}`, '77')).toEqual({ clientId: app.clientId });
    expect(JSON.parse((await exchange(oauth, app, value)).body)).toMatchObject({ error: 'invalid_grant' });
    const byForm = await exchange(oauth, undefined, await code(oauth, app), {
      client_id: app.clientId,
      client_secret: app.clientSecret,
    });
    expect(byForm.status).toBe(200);
  });
  it('refuses a wrong secret with 401 invalid_client, a late code and another redirect_uri with invalid_grant', async () => {
    const { oauth, app, clock } = world();
    const wrong = await exchange(oauth, { ...app, clientSecret: 'x' }, await code(oauth, app));
    expect([wrong.status, JSON.parse(wrong.body)]).toEqual([401, { error: 'invalid_client' }]);
    expect((await exchange(oauth, app, await code(oauth, app), { redirect_uri: 'http://other' })).status).toBe(400);
    const late = await code(oauth, app);
    await clock.advance(5 * 60_000);
    expect(JSON.parse((await exchange(oauth, app, late)).body)).toMatchObject({ error: 'invalid_grant' });
  });
  it('carries an RS256 id_token that the JWKS verifies', async () => {
    const { oauth, app } = world();
    const { id_token } = tokens(await exchange(oauth, app, await code(oauth, app)));
    const [header, claims, signature] = id_token!.split('.') as [string, string, string];
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    const { keys } = JSON.parse((await get(oauth, '/op/v1/jwks')).body) as { keys: { kid: string }[] };
    const key = createPublicKey({ key: keys.find((one) => one.kid === kid)! as never, format: 'jwk' });
    expect(verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      aud: [app.clientId],
      iss: 'https://oauth.platform.intuit.com/op/v1',
    });
  });
});

describe('refresh', () => {
  it('gives the same refresh value for a day, then another; the old one dies after its grace', async () => {
    const { oauth, app, clock } = world();
    const first = oauth.grant(app.clientId, '77').refresh_token;
    await clock.advance(23 * hour);
    expect(tokens(await refresh(oauth, app, first)).refresh_token).toBe(first);
    await clock.advance(hour);
    const second = tokens(await refresh(oauth, app, first)).refresh_token;
    expect(second).not.toBe(first);
    await clock.advance(59_000);
    expect(tokens(await refresh(oauth, app, first)).refresh_token).toBe(second);
    await clock.advance(1_000);
    expect(JSON.parse((await refresh(oauth, app, first)).body)).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(oauth, app, second)).status).toBe(200);
  });
  it('without grace a rotation whose answer was lost leaves only a dead value: a new consent is needed', async () => {
    const { oauth, app, clock } = world();
    oauth.configure({ graceMs: 0, loseRefreshAnswers: 1 });
    const first = oauth.grant(app.clientId, '77').refresh_token;
    await clock.advance(day);
    expect((await refresh(oauth, app, first)).lost).toBe(true);
    expect((await refresh(oauth, app, first)).status).toBe(400);
  });
  it('an access token lives an hour, older ones stay good beside a newer', async () => {
    const { oauth, app, clock } = world();
    const granted = oauth.grant(app.clientId, '77');
    await clock.advance(hour / 2);
    const newer = tokens(await refresh(oauth, app, granted.refresh_token)).access_token;
    expect([refusal(oauth, granted.access_token), refusal(oauth, newer)]).toEqual([undefined, undefined]);
    await clock.advance(hour / 2);
    expect([refusal(oauth, granted.access_token), refusal(oauth, newer)]).toEqual([['3200', 401], undefined]);
  });
  it('ends after 101 days without use', async () => {
    const { oauth, app, clock } = world();
    const { refresh_token } = oauth.grant(app.clientId, '77');
    await clock.advance(101 * day - 1);
    const alive = new OAuth(clock, { baseUrl: () => '', companies: () => [] });
    alive.restore(structuredClone(oauth.snapshot()));
    expect((await refresh(alive, app, refresh_token)).status).toBe(200);
    await clock.advance(1);
    expect((await refresh(oauth, app, refresh_token)).status).toBe(400);
  });
  it('ends after five years however diligently it is refreshed, and says so when asked', async () => {
    const { oauth, app, clock } = world();
    let value = oauth.grant(app.clientId, '77').refresh_token;
    let last: TokenAnswer | undefined;
    for (let age = 90; age < 5 * 365; age += 90) {
      await clock.advance(90 * day);
      last = tokens(await refresh(oauth, app, value, { 'x-include-refresh-token-hard-expires-in': 'true' }));
      value = last.refresh_token;
    }
    expect(last!.x_refresh_token_hard_expires_in).toBe(last!.x_refresh_token_expires_in);
    await clock.advance(30 * day);
    expect((await refresh(oauth, app, value)).status).toBe(400);
  });
  it('refuses the token of another app as invalid_grant', async () => {
    const { oauth, app } = world();
    const other = oauth.registerApp({ name: 'other' });
    expect(JSON.parse((await refresh(oauth, other, oauth.grant(app.clientId, '77').refresh_token)).body)).toMatchObject(
      { error: 'invalid_grant' },
    );
  });
});

describe('the end of a connection', () => {
  it('comes by revoking the refresh value (form or JSON), not by revoking an access value', async () => {
    const { oauth, app } = world();
    const { access_token, refresh_token } = oauth.grant(app.clientId, '77');
    expect((await post(oauth, '/v2/oauth2/tokens/revoke', app, { token: access_token })).status).toBe(200);
    expect(refusal(oauth, access_token)).toEqual(['3200', 401]);
    const second = tokens(await refresh(oauth, app, refresh_token)).access_token;
    const json = await oauth.handle({
      method: 'POST',
      path: '/v2/oauth2/tokens/revoke',
      query: new URLSearchParams(),
      headers: { authorization: basic(app) },
      body: JSON.stringify({ token: refresh_token }),
    });
    expect(json!.status).toBe(200);
    expect([refusal(oauth, second), (await refresh(oauth, app, refresh_token)).status]).toEqual([['3200', 401], 400]);
    expect(oauth.connectedApps('77')).toEqual([]);
  });
  it('comes by the person who disconnects the app', async () => {
    const { oauth, app } = world();
    const { access_token, refresh_token } = oauth.grant(app.clientId, '77');
    expect(oauth.connectedApps('77').map(({ clientId }) => clientId)).toEqual([app.clientId]);
    oauth.disconnect(app.clientId, '77');
    expect([refusal(oauth, access_token), (await refresh(oauth, app, refresh_token)).status]).toEqual([
      ['3200', 401],
      400,
    ]);
  });
});

it('tells a missing token, a nonsense token and the token of another company apart', () => {
  const { oauth, app } = world();
  const { access_token } = oauth.grant(app.clientId, '77');
  expect([refusal(oauth, undefined), refusal(oauth, 'x.y'), refusal(oauth, access_token, '78')]).toEqual([
    ['3202', 401],
    ['3200', 401],
    ['3100', 403],
  ]);
});

it('userinfo tells what the scopes allow; discovery answers with and without a trailing slash', async () => {
  const { oauth, app } = world();
  const { access_token } = oauth.grant(app.clientId, '77', ['com.intuit.quickbooks.accounting', 'openid', 'email']);
  const info = JSON.parse(
    (await get(oauth, '/v1/openid_connect/userinfo', {}, { authorization: `Bearer ${access_token}` })).body,
  ) as object;
  expect(Object.keys(info)).toEqual(['sub', 'email', 'emailVerified']);
  expect((await get(oauth, '/v1/openid_connect/userinfo')).status).toBe(401);
  for (const path of ['/.well-known/openid_configuration', '/.well-known/openid_sandbox_configuration/']) {
    expect(JSON.parse((await get(oauth, path)).body)).toMatchObject({
      token_endpoint: 'http://127.0.0.1:1/oauth2/v1/tokens/bearer',
    });
  }
});

it('survives a restart by its snapshot: stored tokens stay good', () => {
  const { oauth, app, clock } = world();
  const { access_token } = oauth.grant(app.clientId, '77');
  const after = new OAuth(clock, { baseUrl: () => '', companies: () => [] });
  after.restore(JSON.parse(JSON.stringify(oauth.snapshot())) as object);
  expect(after.authorize(`Bearer ${access_token}`, '77')).toEqual({ clientId: app.clientId });
});
