// Intuit's OAuth 2.0 and OpenID: apps, consent, codes, access and refresh tokens with their real lifetimes.
//
// A connection (one consent of one company to one app) is `live` until it is `ended` by a revoke, a disconnect, 101 days
// without a rotation or the five-year end. A live connection has exactly one current refresh value; the value before it
// is honoured for the grace period only. Access values expire one by one and die together with their connection.
import { type KeyObject, createHash, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { type Clock, QboFault } from '../types.js';
import { consentPage, refusalPage } from './consent-page.js';

export interface App {
  clientId: string;
  clientSecret: string;
  verifierToken: string;
  name: string;
  redirectUris: string[];
  webhookUrl?: string;
  webhookFormat: 'cloudevents' | 'legacy';
}

export interface WebRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}
export interface WebAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** The work was done and the answer must not reach the client: close the connection instead. */
  lost?: boolean;
}

export interface TokenAnswer {
  token_type: 'bearer';
  access_token: string;
  expires_in: number;
  refresh_token: string;
  x_refresh_token_expires_in: number;
  x_refresh_token_hard_expires_in?: number;
  id_token?: string;
}

interface Connection {
  id: string;
  clientId: string;
  realmId: string;
  scopes: string[];
  startedAt: number;
  endedAt?: number;
  refresh: { value: string; issuedAt: number };
  previous?: { value: string; diesAt: number };
}
interface Access {
  connection: Connection;
  expiresAt: number;
  revoked?: boolean;
}
interface Code {
  clientId: string;
  realmId: string;
  redirectUri: string;
  scopes: string[];
  expiresAt: number;
}

/** One call of the token endpoint: what was asked for whom, and what became of it. Never a token. */
export interface TokenCall {
  readonly n: number;
  readonly startedAt: string;
  readonly time: string;
  readonly app: string | undefined;
  readonly grantType: string;
  readonly realmId: string | undefined;
  /** 0: no answer was given */
  readonly status: number;
  /** life of the access token that was given */
  readonly expiresInMs?: number;
  readonly error?: string;
  readonly rotated: boolean;
  readonly lost: boolean;
}

export interface OAuthConfiguration {
  accessTokenMs: number;
  refreshTokenMs: number;
  /** The refresh value changes when it is older than this at a refresh; before, the same value is answered again. */
  rotateAfterMs: number;
  /** How long the value before the last rotation still works. It answers the current pair: one recovery attempt. */
  graceMs: number;
  /** Five years, the policy of November 2025. */
  hardEndMs: number;
  codeMs: number;
  /** `intuit`: the production issuer, which client libraries compare with; `own`: this server's address. */
  issuer: 'intuit' | 'own';
  /** So many next refreshes do their work and lose their answer. */
  loseRefreshAnswers: number;
}

const hour = 3_600_000;
const day = 24 * hour;
const tokenCallsKept = 5_000;
const initialConfiguration: OAuthConfiguration = {
  accessTokenMs: hour,
  refreshTokenMs: 8_726_400_000,
  rotateAfterMs: day,
  graceMs: 60_000,
  hardEndMs: 5 * 365 * day,
  codeMs: 5 * 60_000,
  issuer: 'intuit',
  loseRefreshAnswers: 0,
};

const intuitIssuer = 'https://oauth.platform.intuit.com/op/v1';
const accountingScope = 'com.intuit.quickbooks.accounting';
const knownScopes = new Set([
  accountingScope,
  'com.intuit.quickbooks.payment',
  'openid',
  'profile',
  'email',
  'phone',
  'address',
  'payroll.compensation.read',
  'project-management.project',
  'app-foundations.custom-dimensions.read',
  'app-foundations.custom-field-definitions',
  'app-foundations.custom-field-definitions.read',
  'time-tracking.time-entry',
  'time-tracking.time-entry.read',
  'indirect-tax.tax-calculation.quickbooks',
]);

/** The one person of the emulator's world: owner of every company, presser of every Connect button. */
const person = {
  sub: '6b1f2c2e-0d4e-4f0b-9a53-3b7f4a1f9c10',
  email: 'robin.fielding@example.com',
  emailVerified: true,
  givenName: 'Robin',
  familyName: 'Fielding',
  phoneNumber: '+1 5555550100',
  phoneNumberVerified: false,
  address: { streetAddress: '12 Nursery Row', locality: 'San Mateo', region: 'CA', postalCode: '94401', country: 'US' },
};

export interface Surroundings {
  /** Address of this server, for the discovery document. */
  baseUrl: () => string;
  companies: () => Iterable<{ realmId: string; name: string }>;
}

export class OAuth {
  private readonly apps = new Map<string, App>();
  private readonly connections = new Map<string, Connection>();
  /** Every refresh value that may still be shown to us, current or previous. */
  private readonly refreshValues = new Map<string, Connection>();
  private readonly tokenCalls: TokenCall[] = [];
  private readonly accessValues = new Map<string, Access>();
  private readonly codes = new Map<string, Code>();
  private configuration: OAuthConfiguration = { ...initialConfiguration };
  private signingKey: SigningKey | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly surroundings: Surroundings,
  ) {}

  configure(patch: Partial<OAuthConfiguration>): void {
    for (const name of Object.keys(patch)) {
      if (!(name in this.configuration)) throw new RangeError(`OAuth has no setting '${name}'.`);
    }
    this.configuration = { ...this.configuration, ...patch };
  }

  // ---- the journal of token calls --------------------------------------------------------------------------------------

  /** Whose refresh a request is, looked up before it is handled: a rotation may forget the value. */
  addressee(request: WebRequest): { grantType: string; realmId: string | undefined; refreshHash: string | undefined } {
    const form = formOf(request);
    const value = form.get('refresh_token');
    const connection = value === null ? undefined : this.refreshValues.get(value);
    return {
      grantType: form.get('grant_type') ?? '',
      realmId: connection?.realmId,
      refreshHash: connection && digest(connection.refresh.value),
    };
  }

  noteCall(
    { grantType, realmId, refreshHash }: ReturnType<OAuth['addressee']>,
    call: { startedAtMs: number; status: number; body: string; lost: boolean },
  ): void {
    const connections = [...this.connections.values()].filter((one) => one.realmId === realmId);
    const app = connections.at(-1)?.clientId;
    const error = /"error":"(\w+)"/.exec(call.body)?.[1];
    this.tokenCalls.push({
      n: (this.tokenCalls.at(-1)?.n ?? 0) + 1,
      startedAt: new Date(call.startedAtMs).toISOString(),
      time: new Date(this.clock.now()).toISOString(),
      ...{ app, grantType, realmId, status: call.status },
      ...(call.status === 200 && { expiresInMs: Number(/"expires_in":(\d+)/.exec(call.body)?.[1] ?? 0) * 1000 }),
      ...(call.status >= 400 && error !== undefined && { error }),
      rotated: refreshHash !== undefined && !connections.some((one) => digest(one.refresh.value) === refreshHash),
      lost: call.lost,
    });
    if (this.tokenCalls.length > tokenCallsKept * 2) this.tokenCalls.splice(0, tokenCallsKept);
  }

  /** For a checker: which refresh value is the newest, by its SHA-256, and which calls were made. */
  journal(): object {
    const grants = [...this.connections.values()].map((one) => ({
      ...{ clientId: one.clientId, realmId: one.realmId, live: this.isLive(one) },
      startedAt: new Date(one.startedAt).toISOString(),
      refreshSha256: digest(one.refresh.value),
      ...(one.previous && one.previous.diesAt > this.clock.now() && { previousSha256: digest(one.previous.value) }),
    }));
    return { grants, calls: this.tokenCalls };
  }

  // ---- what the steering API needs -----------------------------------------------------------------------------------

  /** An app that brings its credentials (and was kept over a restart) is registered once: the new form replaces the old. */
  registerApp(spec: {
    name: string;
    redirectUris?: string[];
    webhookUrl?: string;
    webhookFormat?: string;
    clientId?: string;
    clientSecret?: string;
    verifierToken?: string;
  }): App {
    const app: App = {
      clientId: spec.clientId ?? `AB${alphanumeric(48)}`,
      clientSecret: spec.clientSecret ?? alphanumeric(40),
      verifierToken: spec.verifierToken ?? randomUUID(),
      name: spec.name,
      redirectUris: spec.redirectUris ?? [],
      webhookUrl: spec.webhookUrl,
      webhookFormat: spec.webhookFormat === 'legacy' ? 'legacy' : 'cloudevents',
    };
    this.apps.set(app.clientId, app);
    return app;
  }

  app(clientId: string): App | undefined {
    return this.apps.get(clientId);
  }

  allApps(): App[] {
    return [...this.apps.values()];
  }

  /** Apps that a live connection ties to the company: only they get its webhooks. */
  connectedApps(realmId: string): App[] {
    const ids = new Set<string>();
    for (const connection of this.connections.values()) {
      if (connection.realmId === realmId && this.isLive(connection)) ids.add(connection.clientId);
    }
    return [...ids].flatMap((id) => this.apps.get(id) ?? []);
  }

  /** A connection without a browser. */
  grant(
    clientId: string,
    realmId: string,
    scopes: string[] = [accountingScope, 'openid', 'profile', 'email', 'phone', 'address'],
  ): TokenAnswer {
    return this.issue(this.connect(clientId, realmId, scopes), false);
  }

  /** The person disconnects the app in QuickBooks: everything dies at once. */
  disconnect(clientId: string, realmId: string): number {
    let ended = 0;
    for (const connection of this.connections.values()) {
      if (connection.clientId !== clientId || connection.realmId !== realmId || connection.endedAt !== undefined)
        continue;
      this.end(connection);
      ended++;
    }
    return ended;
  }

  reset(): void {
    this.apps.clear();
    this.connections.clear();
    this.refreshValues.clear();
    this.accessValues.clear();
    this.codes.clear();
    this.configuration = { ...initialConfiguration };
  }

  /** Everything that must outlive a restart: a client's stored tokens stay good. */
  snapshot(): object {
    return {
      apps: [...this.apps.values()],
      connections: [...this.connections.values()],
      access: [...this.accessValues].map(([value, { connection, expiresAt, revoked }]) => ({
        value,
        connection: connection.id,
        expiresAt,
        revoked,
      })),
      configuration: this.configuration,
    };
  }

  restore(snapshot: object): void {
    this.reset();
    const {
      apps = [],
      connections = [],
      access = [],
      configuration,
    } = snapshot as {
      apps?: App[];
      connections?: Connection[];
      access?: { value: string; connection: string; expiresAt: number; revoked?: boolean }[];
      configuration?: Partial<OAuthConfiguration>;
    };
    for (const app of apps) this.apps.set(app.clientId, app);
    for (const connection of connections) {
      this.connections.set(connection.id, connection);
      this.refreshValues.set(connection.refresh.value, connection);
      if (connection.previous) this.refreshValues.set(connection.previous.value, connection);
    }
    for (const { value, connection, expiresAt, revoked } of access) {
      const owner = this.connections.get(connection);
      if (owner) this.accessValues.set(value, { connection: owner, expiresAt, revoked });
    }
    this.configuration = { ...initialConfiguration, ...configuration };
  }

  // ---- what the accounting API needs ---------------------------------------------------------------------------------

  /** Who calls, or the gateway's refusal (401 3200/3202, 403 3100). `authorization` is the whole header. */
  authorize(authorization: string | undefined, realmId: string): { clientId: string } {
    const bearer = /^\s*bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1];
    if (bearer === undefined) throw unauthenticated('3202', 'Missing or empty OAuth token in the Authorization header');
    const access = this.accessValues.get(bearer);
    if (!access) throw unauthenticated('3200', 'Malformed bearer token: token is not recognised');
    if (access.revoked || !this.isLive(access.connection)) throw unauthenticated('3200', 'Token revoked');
    if (access.expiresAt <= this.clock.now()) throw unauthenticated('3200', 'Token expired');
    if (access.connection.realmId !== realmId || !access.connection.scopes.includes(accountingScope)) {
      throw new QboFault(
        '3100',
        'message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403',
        'The application is not authorized for this company',
        undefined,
        403,
        'AUTHORIZATION',
      );
    }
    return { clientId: access.connection.clientId };
  }

  // ---- what browsers and clients call --------------------------------------------------------------------------------

  /** Answers a request that belongs to OAuth or OpenID; undefined for any other path. */
  async handle(request: WebRequest): Promise<WebAnswer | undefined> {
    const path = request.path.length > 1 ? request.path.replace(/\/+$/, '') : request.path;
    switch (path) {
      case '/oauth2/v1/tokens/bearer':
        return request.method === 'POST' ? this.tokenEndpoint(request) : oauthError(405, 'invalid_request', 'Use POST');
      case '/oauth2/v1/tokens/revoke':
      case '/v2/oauth2/tokens/revoke':
        return request.method === 'POST'
          ? this.revokeEndpoint(request)
          : oauthError(405, 'invalid_request', 'Use POST');
      case '/v1/openid_connect/userinfo':
        return this.userInfo(request);
      case '/op/v1/jwks':
        return json(200, { keys: [this.key().jwk] });
      case '/connect/oauth2':
        return this.consent(request);
      case '/.well-known/openid_configuration':
      case '/.well-known/openid_sandbox_configuration':
        return json(200, this.discovery());
      default:
        return undefined;
    }
  }

  private discovery(): object {
    const base = this.surroundings.baseUrl();
    return {
      issuer: this.issuer(),
      authorization_endpoint: `${base}/connect/oauth2`,
      token_endpoint: `${base}/oauth2/v1/tokens/bearer`,
      userinfo_endpoint: `${base}/v1/openid_connect/userinfo`,
      revocation_endpoint: `${base}/v2/oauth2/tokens/revoke`,
      jwks_uri: `${base}/op/v1/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid', 'email', 'profile', 'address', 'phone'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      claims_supported: ['aud', 'exp', 'iat', 'iss', 'realmid', 'sub'],
    };
  }

  private issuer(): string {
    return this.configuration.issuer === 'intuit' ? intuitIssuer : `${this.surroundings.baseUrl()}/op/v1`;
  }

  private consent(request: WebRequest): WebAnswer {
    const asked = request.method === 'POST' ? new URLSearchParams(request.body) : request.query;
    const app = this.apps.get(asked.get('client_id') ?? '');
    if (!app) return html(400, refusalPage('The client_id of this link belongs to no app.'));
    const redirectUri = asked.get('redirect_uri') ?? '';
    if (!app.redirectUris.includes(redirectUri))
      return html(400, refusalPage('The redirect_uri of this link is not registered for the app.'));
    const state = asked.get('state');
    const back = (answer: Record<string, string>): WebAnswer =>
      redirect(redirectUri, state === null ? answer : { ...answer, state });
    if (asked.get('response_type') !== 'code')
      return back({ error: 'invalid_request', error_description: 'response_type must be code' });
    const scopes = (asked.get('scope') ?? '').split(/\s+/).filter((scope) => scope !== '');
    if (scopes.length === 0 || scopes.some((scope) => !knownScopes.has(scope))) return back({ error: 'invalid_scope' });
    const choice = asked.get('auto') ?? (request.method === 'POST' ? (asked.get('realmId') ?? 'deny') : undefined);
    const companies = [...this.surroundings.companies()];
    if (choice === undefined) return html(200, consentPage(app.name, companies, asked));
    if (choice === 'deny' || asked.get('decision') === 'deny') return back({ error: 'access_denied' });
    if (!companies.some(({ realmId }) => realmId === choice))
      return html(404, refusalPage(`There is no company ${choice}.`));
    const code = `${this.configuration.issuer === 'intuit' ? 'XAB11' : 'AB11'}${alphanumeric(45)}`;
    this.codes.set(code, {
      clientId: app.clientId,
      realmId: choice,
      redirectUri,
      scopes,
      expiresAt: this.clock.now() + this.configuration.codeMs,
    });
    return back({ code, realmId: choice });
  }

  private tokenEndpoint(request: WebRequest): WebAnswer {
    const form = formOf(request);
    const app = this.authenticatedApp(request, form);
    if (!app) return invalidClient();
    const hardEnd = headerOf(request, 'x-include-refresh-token-hard-expires-in')?.toLowerCase() === 'true';
    switch (form.get('grant_type')) {
      case 'authorization_code':
        return this.exchangeCode(app, form, hardEnd);
      case 'refresh_token':
        return this.refresh(app, form, hardEnd);
      case null:
        return oauthError(400, 'invalid_request', 'Missing grant_type');
      default:
        return oauthError(400, 'unsupported_grant_type', 'Use authorization_code or refresh_token');
    }
  }

  private exchangeCode(app: App, form: URLSearchParams, hardEnd: boolean): WebAnswer {
    const value = form.get('code');
    if (!value) return oauthError(400, 'invalid_request', 'Missing code');
    const code = this.codes.get(value);
    this.codes.delete(value);
    if (!code || code.clientId !== app.clientId || code.expiresAt <= this.clock.now())
      return invalidGrant('Invalid authorization code');
    if (code.redirectUri !== form.get('redirect_uri'))
      return invalidGrant('redirect_uri differs from the one of the authorization');
    return json(200, this.issue(this.connect(app.clientId, code.realmId, code.scopes), hardEnd));
  }

  private refresh(app: App, form: URLSearchParams, hardEnd: boolean): WebAnswer {
    const value = form.get('refresh_token');
    if (!value) return oauthError(400, 'invalid_request', 'Missing refresh_token');
    const connection = this.refreshValues.get(value);
    if (!connection || !this.isLive(connection)) return invalidGrant('Incorrect or invalid refresh token');
    // A token shown by another app is invalid_grant like any dead one: nothing may be learnt from the difference.
    if (connection.clientId !== app.clientId) return invalidGrant('Incorrect or invalid refresh token');
    const now = this.clock.now();
    if (connection.refresh.value !== value) {
      if (!connection.previous || connection.previous.diesAt <= now)
        return invalidGrant('Incorrect or invalid refresh token');
    } else if (now - connection.refresh.issuedAt >= this.configuration.rotateAfterMs) this.rotate(connection, now);
    const answer = json(200, this.issue(connection, hardEnd));
    if (this.configuration.loseRefreshAnswers > 0) {
      this.configuration.loseRefreshAnswers--;
      return { ...answer, lost: true };
    }
    return answer;
  }

  private rotate(connection: Connection, now: number): void {
    if (connection.previous) this.refreshValues.delete(connection.previous.value);
    connection.previous = { value: connection.refresh.value, diesAt: now + this.configuration.graceMs };
    connection.refresh = { value: newRefreshValue(), issuedAt: now };
    this.refreshValues.set(connection.refresh.value, connection);
  }

  private revokeEndpoint(request: WebRequest): WebAnswer {
    const form = formOf(request);
    const app = this.authenticatedApp(request, form);
    if (!app) return invalidClient();
    const token = form.get('token');
    if (!token) return oauthError(400, 'invalid_request', 'Missing token');
    const access = this.accessValues.get(token);
    const connection = this.refreshValues.get(token) ?? access?.connection;
    if (!connection || connection.clientId !== app.clientId)
      return oauthError(400, 'invalid_request', 'Token is invalid');
    // Revoking the refresh value ends the connection; an access value dies alone.
    if (access) access.revoked = true;
    else this.end(connection);
    return { status: 200, headers: { 'content-type': 'application/json;charset=UTF-8' }, body: '' };
  }

  private userInfo(request: WebRequest): WebAnswer {
    const bearer = /^\s*bearer\s+(\S+)\s*$/i.exec(headerOf(request, 'authorization') ?? '')?.[1];
    const access = this.accessValues.get(bearer ?? '');
    if (!access || access.revoked || !this.isLive(access.connection) || access.expiresAt <= this.clock.now()) {
      return oauthError(401, 'invalid_token', 'The access token is expired, revoked or malformed');
    }
    const { scopes } = access.connection;
    if (!scopes.includes('openid')) return oauthError(403, 'insufficient_scope', 'The openid scope was not granted');
    const has = (scope: string, claims: object): object => (scopes.includes(scope) ? claims : {});
    return json(200, {
      sub: person.sub,
      ...has('email', { email: person.email, emailVerified: person.emailVerified }),
      ...has('profile', { givenName: person.givenName, familyName: person.familyName }),
      ...has('phone', { phoneNumber: person.phoneNumber, phoneNumberVerified: person.phoneNumberVerified }),
      ...has('address', { address: person.address }),
    });
  }

  // ---- connections and tokens ----------------------------------------------------------------------------------------

  private connect(clientId: string, realmId: string, scopes: string[]): Connection {
    const now = this.clock.now();
    const connection: Connection = {
      id: randomUUID(),
      clientId,
      realmId,
      scopes,
      startedAt: now,
      refresh: { value: newRefreshValue(), issuedAt: now },
    };
    this.connections.set(connection.id, connection);
    this.refreshValues.set(connection.refresh.value, connection);
    return connection;
  }

  private issue(connection: Connection, hardEnd: boolean): TokenAnswer {
    const now = this.clock.now();
    this.forgetExpired(now);
    const value = newAccessValue();
    const end = this.endOf(connection);
    const expiresAt = Math.min(now + this.configuration.accessTokenMs, end);
    this.accessValues.set(value, { connection, expiresAt });
    return {
      token_type: 'bearer',
      access_token: value,
      expires_in: Math.floor((expiresAt - now) / 1000),
      refresh_token: connection.refresh.value,
      x_refresh_token_expires_in: Math.floor((end - now) / 1000),
      ...(hardEnd
        ? {
            x_refresh_token_hard_expires_in: Math.floor(
              (connection.startedAt + this.configuration.hardEndMs - now) / 1000,
            ),
          }
        : {}),
      ...(connection.scopes.includes('openid') ? { id_token: this.idToken(connection, now) } : {}),
    };
  }

  private endOf(connection: Connection): number {
    return Math.min(
      connection.refresh.issuedAt + this.configuration.refreshTokenMs,
      connection.startedAt + this.configuration.hardEndMs,
    );
  }

  private isLive(connection: Connection): boolean {
    return connection.endedAt === undefined && this.endOf(connection) > this.clock.now();
  }

  private end(connection: Connection): void {
    connection.endedAt = this.clock.now();
    this.refreshValues.delete(connection.refresh.value);
    if (connection.previous) this.refreshValues.delete(connection.previous.value);
  }

  // A poller refreshes every hour for years of emulator time; what expired a day ago is no longer told apart from nonsense.
  private forgetExpired(now: number): void {
    for (const [value, access] of this.accessValues) {
      if (access.expiresAt > now - day) break;
      this.accessValues.delete(value);
    }
  }

  private authenticatedApp(request: WebRequest, form: URLSearchParams): App | undefined {
    const basic = /^\s*basic\s+(\S+)\s*$/i.exec(headerOf(request, 'authorization') ?? '')?.[1];
    let id = form.get('client_id') ?? '';
    let secret = form.get('client_secret') ?? '';
    if (basic !== undefined) {
      const decoded = Buffer.from(basic, 'base64').toString('utf8');
      const colon = decoded.indexOf(':');
      id = safeDecode(decoded.slice(0, colon));
      secret = safeDecode(decoded.slice(colon + 1));
    }
    const app = this.apps.get(id);
    return app && digest(app.clientSecret) === digest(secret) ? app : undefined;
  }

  // ---- id_token ------------------------------------------------------------------------------------------------------

  private key(): SigningKey {
    return (this.signingKey ??= makeSigningKey());
  }

  private idToken(connection: Connection, now: number): string {
    const seconds = Math.floor(now / 1000);
    const header = { kid: this.key().jwk.kid, alg: 'RS256' };
    const claims = {
      sub: person.sub,
      aud: [connection.clientId],
      realmid: connection.realmId,
      auth_time: Math.floor(connection.startedAt / 1000),
      iss: this.issuer(),
      exp: seconds + 3600,
      iat: seconds,
    };
    const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), this.key().privateKey).toString('base64url')}`;
  }
}

interface SigningKey {
  privateKey: KeyObject;
  jwk: { kty: string; e: string; use: string; kid: string; alg: string; n: string };
}

// Made at first use: most runs never ask for OpenID, and a key costs a tenth of a second at start.
function makeSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' }) as { n?: string; e?: string };
  return { privateKey, jwk: { kty: 'RSA', e, use: 'sig', kid: `r${digest(n).slice(0, 12)}`, alg: 'RS256', n } };
}

function unauthenticated(code: string, detail: string): QboFault {
  return new QboFault(
    code,
    `message=AuthenticationFailed; errorCode=00${code}; statusCode=401`,
    detail,
    undefined,
    401,
    'AUTHENTICATION',
  );
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

function alphanumeric(length: number): string {
  return randomBytes(length * 2)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, length);
}

const newRefreshValue = (): string =>
  `RT1-${Math.floor(Math.random() * 200)}-H0-${Math.floor(Date.now() / 1000)}${alphanumeric(20).toLowerCase()}`;

/** Looks like what Intuit issues: a direct-encryption JWE of about a kilobyte, opaque to its bearer. */
function newAccessValue(): string {
  const header = base64url('{"enc":"A128CBC-HS256","alg":"dir"}');
  const part = (bytes: number): string => randomBytes(bytes).toString('base64url');
  return `${header}..${part(16)}.${part(640)}.${part(16)}`;
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A secret with a bare % is not encoded at all.
  }
}

function headerOf(request: WebRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Form or JSON: the revoke call comes in both. */
function formOf(request: WebRequest): URLSearchParams {
  const text = request.body.trim();
  if (!text.startsWith('{')) return new URLSearchParams(text);
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new URLSearchParams(entries.map(([name, value]): [string, string] => [name, String(value)]));
  } catch {
    return new URLSearchParams();
  }
}

function json(status: number, body: unknown): WebAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/json;charset=UTF-8',
      'cache-control': 'no-cache, no-store',
      pragma: 'no-cache',
    },
    body: JSON.stringify(body),
  };
}

const html = (status: number, body: string): WebAnswer => ({
  status,
  headers: { 'content-type': 'text/html;charset=UTF-8' },
  body,
});

function redirect(uri: string, answer: Record<string, string>): WebAnswer {
  const separator = uri.includes('?') ? '&' : '?';
  return {
    status: 302,
    headers: { location: `${uri}${separator}${new URLSearchParams(answer).toString()}` },
    body: '',
  };
}

const oauthError = (status: number, error: string, description: string): WebAnswer =>
  json(status, { error_description: description, error });
const invalidGrant = (description: string): WebAnswer => oauthError(400, 'invalid_grant', description);
const invalidClient = (): WebAnswer => json(401, { error: 'invalid_client' });
