// The admin API and the sync log, as any client of them would read them.
import type { Raw } from '#testing';

export interface SyncState {
  quiet: boolean;
  motion: string[];
  counts: { total: number; byState: Record<string, number>; byType: Record<string, Record<string, number>> };
  attachments: Record<string, number>;
  capture: { completeUpTo: string | null; lastError: string | null } | null;
  jobs: { id: string; kind: string; state: string; progress: Raw; error: string | null }[];
  lastError: Raw;
}

export interface LinkRow {
  entityType: string;
  sourceId: string;
  targetId: string | null;
  state: string;
  failureCode?: string | null;
  failureReason?: string | null;
  waitingOn?: string[];
}

export interface LogRow {
  at: string;
  stage: string;
  entityType: string;
  entityId: string;
  version: string | null;
  outcome: string | null;
}

export class Control {
  constructor(
    private readonly url: string,
    private readonly auditUrl: string,
    private readonly adminKey: string,
  ) {}

  createOrganization(name: string): Promise<{ id: string }> {
    return this.call('POST', '/v1/organizations', { name });
  }

  connectCompany(organizationId: string, realmId: string, tokens: Raw): Promise<Raw> {
    const { accessToken, refreshToken, expiresIn, refreshTokenExpiresIn } = tokens;
    const renamed = { accessToken, refreshToken, expiresIn, refreshExpiresIn: refreshTokenExpiresIn };
    return this.call('POST', '/v1/companies', { organizationId, realmId, tokens: renamed });
  }

  createSync(sourceRealmId: string, targetRealmId: string): Promise<{ id: string }> {
    return this.call('POST', '/v1/syncs', { sourceRealmId, targetRealmId });
  }

  startJob(syncId: string, kind: 'backfill' | 'replay', types?: readonly string[]): Promise<{ id: string }> {
    return this.call('POST', `/v1/syncs/${syncId}/${kind}`, { ...(types && { types }) });
  }

  pause(syncId: string): Promise<unknown> {
    return this.call('POST', `/v1/syncs/${syncId}/pause`, {});
  }

  look(realmId: string): Promise<unknown> {
    return this.call('POST', `/v1/companies/${realmId}/look`, {});
  }

  sync(syncId: string): Promise<SyncState> {
    return this.call('GET', `/v1/syncs/${syncId}`);
  }

  links(syncId: string, query = ''): Promise<LinkRow[]> {
    return this.pages(this.url, `/v1/syncs/${syncId}/links?limit=500${query}`);
  }

  syncLog(query: string): Promise<LogRow[]> {
    return this.pages(this.auditUrl, `/v1/sync-log?limit=500&${query}`);
  }

  life(key: string): Promise<{ steps: Raw[]; targets: Raw[] }> {
    return this.call('GET', `/v1/changes/${key}`, undefined, this.auditUrl);
  }

  private async pages<T>(base: string, path: string): Promise<T[]> {
    const all: T[] = [];
    for (let cursor = ''; ;) {
      const page = await this.call<{ items: T[]; next?: string }>('GET', path + cursor, undefined, base);
      all.push(...page.items);
      if (!page.next) return all;
      cursor = `&cursor=${encodeURIComponent(page.next)}`;
    }
  }

  private async call<T>(method: string, path: string, body?: unknown, base = this.url): Promise<T> {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}
