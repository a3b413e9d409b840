// The unmodified intuit-oauth client runs its own flows against the server over a socket: told apart by address only.
import OAuthClient from 'intuit-oauth';
import { type RunningEmulator, startEmulator } from '../http/server.js';

// The package ships no types; what is used of it, as its README shows it.
interface Answer {
  getJson(): Record<string, string>;
  json: Record<string, unknown>;
}
interface Client {
  authorizeUri(params: { scope: string[]; state: string }): string;
  createToken(uri: string): Promise<Answer>;
  refresh(): Promise<Answer>;
  refreshUsingToken(token: string): Promise<Answer>;
  revoke(params?: { access_token?: string; refresh_token?: string }): Promise<Answer>;
  getUserInfo(): Promise<Answer>;
  validateIdToken(): Promise<boolean>;
  makeApiCall(params: { url: string }): Promise<{ json: Record<string, Record<string, unknown>> }>;
  setAuthorizeURLs(urls: Record<string, string>): Client;
}
interface ClientClass {
  new (config: object): Client;
  scopes: Record<string, string>;
  jwks_uri: string;
}
const Intuit = OAuthClient as unknown as ClientClass;
const callback = 'http://localhost:9000/callback';

let server: RunningEmulator;
let realmId: string;
let client: Client;

async function steer<T>(path: string, body: object): Promise<T> {
  const answer = await fetch(`${server.url}/_emulator/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return (await answer.json()) as T;
}

/** What the browser does: opens the consent page, presses Connect, lands on the callback. */
async function connectLikeAPerson(): Promise<string> {
  const uri = client.authorizeUri({
    scope: [Intuit.scopes.Accounting!, Intuit.scopes.OpenId!, Intuit.scopes.Email!],
    state: 'state-1',
  });
  const page = await (await fetch(uri)).text();
  const fields = [...page.matchAll(/<input type="(?:hidden|radio)" name="([^"]+)" value="([^"]*)"/g)].map(
    ([, name, value]): [string, string] => [
      name!,
      value!.replace(/&#(\d+);/g, (_whole, code: string) => String.fromCharCode(Number(code))),
    ],
  );
  const pressed = await fetch(`${server.url}/connect/oauth2`, {
    method: 'POST',
    body: new URLSearchParams([...fields, ['decision', 'connect']]),
    redirect: 'manual',
  });
  return pressed.headers.get('location')!;
}

beforeAll(async () => {
  server = await startEmulator({ clock: 'real' });
  ({ realmId } = await steer<{ realmId: string }>('companies', { name: 'Fern & Stone', preset: 'empty' }));
});
afterAll(() => server.close());

beforeEach(async () => {
  const app = await steer<{ clientId: string; clientSecret: string }>('apps', {
    name: 'Client',
    redirectUris: [callback],
  });
  client = new Intuit({
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    environment: 'sandbox',
    redirectUri: callback,
  });
  const found = (await (await fetch(`${server.url}/.well-known/openid_sandbox_configuration/`)).json()) as Record<
    string,
    string
  >;
  client.setAuthorizeURLs({
    authorizeEndpoint: found.authorization_endpoint!,
    tokenEndpoint: found.token_endpoint!,
    revokeEndpoint: found.revocation_endpoint!,
    userInfoEndpoint: found.userinfo_endpoint!,
  });
  Intuit.jwks_uri = found.jwks_uri!;
});

it('connects through the consent page, validates the id token, reads userinfo and a company', async () => {
  const token = await client.createToken(await connectLikeAPerson());
  expect(token.getJson()).toMatchObject({
    token_type: 'bearer',
    expires_in: 3600,
  });
  // Seconds left: one may have passed since it was issued.
  const left = Number(token.getJson().x_refresh_token_expires_in);
  expect(left).toBeGreaterThan(8_726_400 - 10);
  expect(left).toBeLessThanOrEqual(8_726_400);
  expect(await client.validateIdToken()).toBe(true);
  expect((await client.getUserInfo()).json).toMatchObject({ email: 'robin.fielding@example.com', emailVerified: true });
  const { json } = await client.makeApiCall({ url: `${server.url}/v3/company/${realmId}/companyinfo/${realmId}` });
  expect(json.CompanyInfo!.CompanyName).toBe('Fern & Stone');
});

it('refreshes, keeps the refresh value within a day, and after a revoke is refused', async () => {
  const first = (await client.createToken(await connectLikeAPerson())).getJson();
  const second = (await client.refresh()).getJson();
  expect(second.refresh_token).toBe(first.refresh_token);
  expect(second.access_token).not.toBe(first.access_token);
  await client.revoke({ refresh_token: second.refresh_token });
  await expect(client.refreshUsingToken(second.refresh_token!)).rejects.toMatchObject({ error: 'invalid_grant' });
});

it('rotates after a day, and refuses the old value after its grace', async () => {
  const first = (await client.createToken(await connectLikeAPerson())).getJson();
  const advance = (advanceMs: number): Promise<Response> =>
    fetch(`${server.url}/_emulator/clock`, {
      method: 'PUT',
      body: JSON.stringify({ advanceMs }),
      headers: { 'content-type': 'application/json' },
    });
  await advance(24 * 3_600_000);
  const second = (await client.refreshUsingToken(first.refresh_token!)).getJson();
  expect(second.refresh_token).not.toBe(first.refresh_token);
  await advance(61_000);
  await expect(client.refreshUsingToken(first.refresh_token!)).rejects.toMatchObject({ error: 'invalid_grant' });
});
