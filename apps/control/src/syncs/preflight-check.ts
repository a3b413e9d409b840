// The comparison of a sync's companies: reads both, lets the core judge, keeps the findings. A backfill that is asked for
// while something blocks looks again first (the person may have mended it), and then needs a reason to start all the same.
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { createLog } from '#common/logging';
import { notFound, Problem } from '#common/problems';
import { companyFacts, comparePair, comparePairMappings, isBlocking } from '#core';
import type { CompanyFacts, Finding } from '#core';
import { faultText, QboClient } from '#qbo';
import type { QboAnswer } from '#qbo';
import { Companies, Database, MappingLayers, Preflights, Syncs } from '#storage';
import type { Preflight, SyncRow } from '#storage';
import { AuditTrail } from '../audit-trail.js';

@Injectable()
export class PreflightCheck {
  private readonly log = createLog('preflight');

  constructor(
    private readonly db: Database,
    private readonly companies: Companies,
    private readonly preflights: Preflights,
    private readonly syncs: Syncs,
    private readonly layers: MappingLayers,
    private readonly qbo: QboClient,
    private readonly audit: AuditTrail,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  stored(sync: SyncRow): Promise<Preflight | undefined> {
    return this.preflights.find(sync.id);
  }

  /** Reads both companies now. @throws Problem when one of them cannot be asked */
  async run(sync: SyncRow): Promise<Preflight> {
    const checkedAt = this.clock.now();
    const [source, target] = await Promise.all([this.factsOf(sync.sourceRealmId), this.factsOf(sync.targetRealmId)]);
    const findings = [...comparePair(source, target), ...(await this.mappingsOf(sync))];
    const preflight = { checkedAt, findings };
    const of = { syncId: sync.id, organizationId: sync.organizationId };
    await this.db.withTenant(sync.organizationId, (tx) => this.preflights.store(tx, of, preflight));
    this.log.info({ syncId: sync.id, findings: preflight.findings.map((f) => f.code) }, 'preflight.done');
    return preflight;
  }

  /**
   * As `run` where both companies let themselves be read when they were connected; a company that was connected without a
   * check, or does not answer just now, keeps nobody from making a sync. GET .../preflight asks again.
   */
  async tryRun(sync: SyncRow): Promise<Preflight | undefined> {
    const companies = await Promise.all([sync.sourceRealmId, sync.targetRealmId].map((id) => this.companies.find(id)));
    if (companies.some((one) => one?.status !== 'connected' || one.homeCurrency === null)) return undefined;
    try {
      return await this.run(sync);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.log.warn({ syncId: sync.id, reason: error.message }, 'preflight.failed');
      return undefined;
    }
  }

  /** @throws Problem PREFLIGHT.BLOCKED when something blocks and no reason was given */
  async admitBackfill(sync: SyncRow, reason: string | undefined): Promise<void> {
    let found = await this.stored(sync);
    // None yet, or a blocking one that may have been mended since: look now.
    if (!found || isBlocking(found.findings)) found = (await this.tryRun(sync)) ?? found;
    if (!found || !isBlocking(found.findings)) return;
    const blocking = found.findings.filter(({ severity }) => severity === 'blocks');
    if (reason === undefined) throw blocked(sync, blocking);
    await this.db.withTenant(sync.organizationId, (tx) =>
      this.audit.tell(tx, {
        organizationId: sync.organizationId,
        action: 'sync.preflight.overridden',
        subject: sync.id,
        details: { reason, codes: blocking.map(({ code }) => code), checkedAt: found.checkedAt.toISOString() },
      }),
    );
  }

  /** Of one of two opposite syncs: what their mappings leave different. */
  private async mappingsOf(sync: SyncRow): Promise<Finding[]> {
    const { organizationId, sourceRealmId, targetRealmId } = sync;
    const opposite = (await this.syncs.ofOrganization(organizationId)).find(
      (one) => one.sourceRealmId === targetRealmId && one.targetRealmId === sourceRealmId,
    );
    if (!opposite) return [];
    const rules = await this.layers.ruleSets([sync.id, opposite.id].map((syncId) => ({ syncId, organizationId })));
    return comparePairMappings(rules.get(sync.id)!, rules.get(opposite.id)!);
  }

  private async factsOf(realmId: string): Promise<CompanyFacts> {
    if (!(await this.companies.find(realmId))) throw notFound('company', realmId, 'Connect it first.');
    const asking = { class: 'interactive' } as const;
    // One after the other: three short reads, and no share of a small quota is taken at once.
    const info = valueOf(realmId, await this.qbo.companyInfo(realmId, asking));
    const preferences = valueOf(realmId, await this.qbo.query(realmId, 'select * from Preferences', asking));
    const accounts = valueOf(realmId, await this.qbo.query(realmId, 'select count(*) from Account', asking));
    const activeAccounts = Number(accounts.totalCount ?? 0);
    const activeTracking = await this.countOf(realmId, ['Class', 'Department']);
    return companyFacts(info, preferences.rows[0] ?? {}, { activeAccounts, activeTracking });
  }

  /** Active ones of these lists together; undefined where the plan or the company has none of them. */
  private async countOf(realmId: string, lists: readonly string[]): Promise<number | undefined> {
    const found: number[] = [];
    for (const list of lists) {
      // QuickBooks answers a count for few types only; no company has more of these than fit a page.
      const answer = await this.qbo.query(realmId, `select Id from ${list} maxresults 1000`, { class: 'interactive' });
      if (answer.kind === 'ok') found.push(answer.value.rows.length);
    }
    return found.length > 0 ? found.reduce((sum, count) => sum + count, 0) : undefined;
  }
}

export const preflightView = (preflight: Preflight | undefined) =>
  preflight
    ? { checkedAt: preflight.checkedAt, blocks: isBlocking(preflight.findings), findings: preflight.findings }
    : null;

function valueOf<T extends object>(realmId: string, answer: QboAnswer<T>): T {
  if (answer.kind === 'ok') return answer.value;
  const detail = answer.kind === 'refused' ? faultText(answer.faults) : answer.reason;
  throw new Problem({
    status: 502,
    code: 'PREFLIGHT.COMPANY_UNREADABLE',
    title: 'QuickBooks could not be asked',
    detail: `Company ${realmId} could not be read (${answer.kind}: ${detail}).`,
    hint:
      answer.kind === 'unauthorized'
        ? 'Connect the company again with POST /v1/companies.'
        : 'Send the same request again in a minute.',
  });
}

function blocked(sync: SyncRow, blocking: readonly Finding[]): Problem {
  const what = blocking.map(({ code, subject, source, target }) => `${code} (${subject}: ${source} -> ${target})`);
  return new Problem({
    status: 409,
    code: 'PREFLIGHT.BLOCKED',
    title: 'The two companies cannot become equal as they are',
    detail: `Found: ${what.join('; ')}.`,
    hint: `${blocking.map(({ whatToDo }) => whatToDo).join(' ')} GET /v1/syncs/${sync.id}/preflight looks again. To start all the same, send "override": "<reason>".`,
  });
}
