// Intuit's token endpoint through its own client, intuit-oauth: exchange, refresh, revoke. Three of its habits are turned
// off here. Its endpoints are process-wide statics, so they are set right before each call (the client reads them in the
// same turn). It repeats failed calls by itself, which with rotating refresh tokens can burn the newest one. It has no time-out.
import OAuthClient from 'intuit-oauth';
import type { QboEnvironment } from '../environment.js';

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
  /** seconds */
  expiresIn: number;
  refreshExpiresIn: number;
  /** seconds to the end that no refresh extends, when Intuit says it */
  refreshHardExpiresIn?: number;
}

export type TokenOutcome =
  | { kind: 'tokens'; pair: TokenPair }
  /** Intuit declined: `invalid_grant` means the grant is dead, `invalid_client` that our own id or secret is wrong */
  | { kind: 'refused'; error: string; reason: string }
  /** it may have rotated the token and the answer was lost */
  | { kind: 'uncertain'; reason: string }
  /** certainly not sent */
  | { kind: 'unsent'; reason: string };

export interface TokenEndpoint {
  exchange(callbackUrl: string, redirectUri: string): Promise<TokenOutcome>;
  refresh(refreshToken: string): Promise<TokenOutcome>;
  revoke(token: string): Promise<{ kind: 'revoked' } | { kind: 'failed'; reason: string }>;
}

const tokenTimeoutMs = 30_000;

/** Errors of the client, as far as they are used: `error` is OAuth's code or the message of the HTTP library. */
interface ClientError {
  error?: string;
  error_description?: string;
  message?: string;
  originalMessage?: string;
  code?: string;
  authResponse?: { response?: { status?: number } };
}

/** intuit-oauth's inner calls that its typings leave out. */
interface ClientInternals {
  loadResponse(request: object): Promise<unknown>;
  shouldRetry(): boolean;
}

export class IntuitTokens implements TokenEndpoint {
  constructor(
    private readonly options: {
      environment: QboEnvironment;
      clientId: string;
      clientSecret: string;
      timeoutMs?: number;
    },
  ) {}

  async exchange(callbackUrl: string, redirectUri: string): Promise<TokenOutcome> {
    return this.tokens((client) => client.createToken(callbackUrl), redirectUri);
  }

  async refresh(refreshToken: string): Promise<TokenOutcome> {
    return this.tokens((client) => client.refreshUsingToken(refreshToken));
  }

  async revoke(token: string): Promise<{ kind: 'revoked' } | { kind: 'failed'; reason: string }> {
    try {
      await this.client().revoke({ refresh_token: token });
      return { kind: 'revoked' };
    } catch (error) {
      return { kind: 'failed', reason: describe(error as ClientError) };
    }
  }

  private async tokens(call: (client: OAuthClient) => Promise<unknown>, redirectUri = ''): Promise<TokenOutcome> {
    try {
      const answer = (await call(this.client(redirectUri))) as { json?: Record<string, unknown> | null };
      const json = answer.json ?? {};
      if (typeof json.access_token !== 'string' || typeof json.refresh_token !== 'string') {
        // A 200 without tokens: Intuit may have rotated, and we did not get the new value.
        return { kind: 'uncertain', reason: 'the token answer carries no tokens' };
      }
      return {
        kind: 'tokens',
        pair: {
          accessToken: json.access_token,
          refreshToken: json.refresh_token,
          expiresIn: Number(json.expires_in ?? 3_600),
          refreshExpiresIn: Number(json.x_refresh_token_expires_in ?? 8_726_400),
          ...(json.x_refresh_token_hard_expires_in
            ? { refreshHardExpiresIn: Number(json.x_refresh_token_hard_expires_in) }
            : {}),
        },
      };
    } catch (error) {
      return outcomeOf(error as ClientError);
    }
  }

  private client(redirectUri = ''): OAuthClient {
    const { environment, clientId, clientSecret } = this.options;
    OAuthClient.authorizeEndpoint = environment.authorizeEndpoint;
    OAuthClient.tokenEndpoint = environment.tokenEndpoint;
    OAuthClient.revokeEndpoint = environment.revokeEndpoint;
    const client = new OAuthClient({
      clientId,
      clientSecret,
      environment: environment.name === 'production' ? 'production' : 'sandbox',
      redirectUri,
      logging: false,
    });
    const internals = client as unknown as ClientInternals;
    internals.shouldRetry = () => false;
    const load = internals.loadResponse.bind(client);
    const ownAddress = environment.name === 'address' ? { proxy: false } : {};
    internals.loadResponse = (request) =>
      load({ ...request, timeout: this.options.timeoutMs ?? tokenTimeoutMs, ...ownAddress });
    return client;
  }
}

function outcomeOf(error: ClientError): TokenOutcome {
  const reason = describe(error);
  const status = error.authResponse?.response?.status;
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429) {
    return { kind: 'refused', error: error.error ?? `http_${status}`, reason };
  }
  // 429: the endpoint did not look at the token, so nothing rotated.
  if (status === 429 || /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(reason))
    return { kind: 'unsent', reason };
  return { kind: 'uncertain', reason };
}

// Only names and numbers: the client's errors hold the request, and with it the secret and the token.
function describe(error: ClientError): string {
  const status = error.authResponse?.response?.status;
  const parts = [
    status === undefined ? undefined : `HTTP ${status}`,
    error.error || error.message,
    error.error_description,
    error.originalMessage,
  ];
  return [...new Set(parts.filter((part): part is string => typeof part === 'string' && part !== ''))]
    .join(', ')
    .slice(0, 300);
}
