// The admin API and the sync log, as any client of them would read them.
import { question, type Raw } from '#testing';

/** A killed process is back within this time, also on a busy machine. */
const restartMs = 120_000;

export interface SyncState {
  quiet: boolean;
  motion: string[];
  counts: { total: number; byState: Record<string, number>; byType: Record<string, Record<string, number>> };
  attachments: Record<string, number>;
  capture: { completeUpTo: string | null; lastError: string | null } | null;
  jobs: { id: string; kind: string; state: string; because: string | null; progress: Raw; error: string | null }[];
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
  /** where the target stays different although all is done, and why */
  differences?: { path: string; sent?: unknown; answered?: unknown; cause?: string }[] | null;
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

  /** A report that somebody signs; the first one, before anything is written, says what the target has of its own. */
  validate(syncId: string, signed: { author: string; reason: string }): Promise<Raw> {
    return this.call('POST', `/v1/syncs/${syncId}/validation`, signed);
  }

  /** What a rollback would do, or has done. */
  rollbackOf(syncId: string): Promise<Raw> {
    return this.call('GET', `/v1/syncs/${syncId}/rollback`);
  }

  rollBack(syncId: string, signed: { author: string; reason: string }): Promise<{ id: string }> {
    return this.call('POST', `/v1/syncs/${syncId}/rollback`, signed);
  }

  redrive(syncId: string, type: string, sourceId: string, signed: { author: string; reason: string }): Promise<Raw> {
    return this.call('POST', `/v1/syncs/${syncId}/links/${type}/${sourceId}/redrive`, signed);
  }

  addMapping(syncId: string, rules: Raw, reason: string): Promise<{ version: number }> {
    return this.call('POST', `/v1/syncs/${syncId}/mapping`, { rules, author: 'a person', reason });
  }

  /** What made one record what it is. */
  mappingOf(syncId: string, entityType: string, sourceId: string): Promise<Raw> {
    return this.call('GET', `/v1/syncs/${syncId}/mapping/records/${entityType}/${sourceId}`);
  }

  job(id: string): Promise<{ state: string; error: string | null }> {
    return this.call('GET', `/v1/jobs/${id}`);
  }

  pause(syncId: string): Promise<unknown> {
    return this.call('POST', `/v1/syncs/${syncId}/pause`, {});
  }

  resume(syncId: string): Promise<unknown> {
    return this.call('POST', `/v1/syncs/${syncId}/resume`, {});
  }

  company(realmId: string): Promise<{ status: string; statusReason?: string | null }> {
    return this.call('GET', `/v1/companies/${realmId}`);
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
    const request = {
      method,
      headers: {
        authorization: `Bearer ${this.adminKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    // A proof kills and restarts these processes, too, and every call here may be repeated. 503: still starting, or PostgreSQL
    // is away for a moment.
    const { status, text } = await question(`${base}${path}`, request, { forMs: restartMs, pauseMs: 250, notYet: 503 });
    if (status >= 400) throw new Error(`${method} ${path} answered ${status}: ${text}`);
    return JSON.parse(text) as T;
  }
}
