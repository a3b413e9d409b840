// The HTTP API as this tool calls it. Every refusal becomes one error that says what, why and what to do.
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are shown, not reasoned about
export type Answer = any;

export class Refused extends Error {
  constructor(
    message: string,
    readonly hint: string,
    readonly mistakes: readonly string[] = [],
  ) {
    super(message);
    this.name = 'Refused';
  }
}

export interface Addresses {
  control: string | undefined;
  audit: string | undefined;
  adminKey: string | undefined;
}

const timeoutMs = 30_000;

export class Api {
  constructor(private readonly addresses: Addresses) {}

  control(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown): Promise<Answer> {
    return this.ask('control', method, path, body);
  }

  audit(path: string): Promise<Answer> {
    return this.ask('audit', 'GET', path);
  }

  private async ask(app: 'control' | 'audit', method: string, path: string, body?: unknown): Promise<Answer> {
    const name = `SYNC_${app.toUpperCase()}_URL`;
    const address = this.addresses[app];
    if (!address)
      throw new Refused(`Where is ${app}?`, `Set ${name}=http://host:port or pass --${app} http://host:port.`);
    if (!this.addresses.adminKey)
      throw new Refused('No admin key.', 'Set SYNC_ADMIN_KEY to the key the processes run with.');
    let response: Response;
    try {
      response = await fetch(`${address.replace(/\/+$/, '')}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.addresses.adminKey}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      const cause = (error as { cause?: { code?: string; message?: string } }).cause;
      throw new Refused(
        `${app} at ${address} does not answer (${cause?.code ?? cause?.message ?? (error as Error).message}).`,
        `Is the process running, and is ${name} its address? Its log's line "ready" names it.`,
      );
    }
    const text = await response.text();
    const answer = parse(text);
    if (response.ok) return answer;
    const mistakes = ((answer?.errors ?? []) as { field: string; message: string }[]).map(
      ({ field, message }) => `${field}: ${message}`,
    );
    const title: string = answer?.title ?? `HTTP ${response.status}`;
    throw new Refused(
      // The mistakes are listed below; the detail would say them again.
      mistakes.length > 0 ? `${title}:` : `${title}: ${answer?.detail ?? text.slice(0, 300)}`,
      answer?.hint ?? `Is ${address} really ${app}?`,
      mistakes,
    );
  }
}

function parse(text: string): Answer {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `?a=1&b=2` of those that are set. */
export function queryOf(parameters: Record<string, string | undefined>): string {
  const set = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return set.length > 0 ? `?${new URLSearchParams(set).toString()}` : '';
}
