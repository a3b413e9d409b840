// A validation: counts and trial balances of both companies by QuickBooks' own words, what our rows say, the core's verdict,
// kept with who asked and why. A handful of metered reads: one batch of counts and one report for each company.
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { notFound, Problem } from '#common/problems';
import {
  statementOfCount,
  statementsOfNotCarried,
  type EntityDefinition,
  trialBalanceRows,
  typesInRankOrder,
  validationReport,
} from '#core';
import { faultText, QboClient } from '#qbo';
import type { QboAnswer } from '#qbo';
import { Companies, Database, Validations } from '#storage';
import type { SyncRow, Validation } from '#storage';
import { AuditTrail } from '../audit-trail.js';

const asking = { class: 'interactive', purpose: 'person' } as const;
/** QuickBooks takes so many in one batch. */
const queriesAtOnce = 30;

/** What a sync makes or adopts one by one. Rates of exchange and currencies come by themselves with their use. */
const compared = typesInRankOrder().filter(
  ({ policy, operations, idFields, type }) =>
    policy === 'carried' && operations.includes('query') && !idFields && type !== 'CompanyCurrency',
);

@Injectable()
export class ValidationCheck {
  constructor(
    private readonly db: Database,
    private readonly companies: Companies,
    private readonly validations: Validations,
    private readonly qbo: QboClient,
    private readonly audit: AuditTrail,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param asOf day of the trial balances, yyyy-mm-dd; @throws Problem when a company cannot be asked */
  async run(sync: SyncRow, signed: { author: string; reason: string; asOf?: string | undefined }): Promise<Validation> {
    const { author, reason } = signed;
    const at = this.clock.now();
    const asOf = signed.asOf ?? at.toISOString().slice(0, 10);
    // One company after the other, and our own rows last: what arrives meanwhile is known and not yet counted, never the other
    // way round. People at work in between show as a difference; the next validation says whether it was one.
    const source = await this.company(sync.sourceRealmId, asOf);
    const target = await this.company(sync.targetRealmId, asOf);
    const [links, accounts, baseline] = await Promise.all([
      this.validations.tallies(sync.id),
      this.validations.accounts(sync.id),
      this.validations.baseline(sync.id),
    ]);
    const report = validationReport(
      compared.map(({ type }) => type),
      {
        counted: { source: source.counts, target: target.counts },
        notPossible: source.notPossible,
        balances: { source: source.balances, target: target.balances },
        links,
        targetAccount: (id) => accounts.get(id),
        baseline,
      },
    );
    const { organizationId, id: syncId } = sync;
    return this.db.withTenant(organizationId, async (tx) => {
      const stored = await this.validations.add(tx, { syncId, organizationId }, { at, author, reason, report });
      await this.audit.tell(tx, {
        ...{ organizationId, action: 'sync.validated', subject: syncId },
        details: {
          number: stored.number,
          verdict: stored.verdict,
          differences: report.differences.length,
          author,
          reason,
        },
      });
      return stored;
    });
  }

  private async company(realmId: string, asOf: string) {
    if (!(await this.companies.find(realmId))) throw notFound('company', realmId, 'Connect it first.');
    const counts = await this.count(realmId, (definition) => [statementOfCount(definition)]);
    const notPossible = await this.count(realmId, statementsOfNotCarried);
    const parameters = { start_date: asOf, end_date: asOf, accounting_method: 'Accrual' };
    const report = valueOf(realmId, await this.qbo.trialBalance(realmId, parameters, asking));
    return { counts, notPossible, balances: trialBalanceRows(report) };
  }

  /** Answers of several counts of one type are added up. */
  private async count(
    realmId: string,
    statementsOf: (definition: EntityDefinition) => string[],
  ): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const queries = compared.flatMap((definition) =>
      statementsOf(definition).map((Query, at) => ({ bId: `${definition.type}.${at}`, Query })),
    );
    for (let from = 0; from < queries.length; from += queriesAtOnce) {
      const items = queries.slice(from, from + queriesAtOnce);
      const batch = { requestId: randomUUID(), body: JSON.stringify({ BatchItemRequest: items }) };
      const answer = valueOf(realmId, await this.qbo.batch(realmId, batch, asking));
      for (const [id, item] of answer.items) {
        // A feature that is switched off has no records to count.
        if (item.kind !== 'ok' || item.value.totalCount === undefined) continue;
        const [type] = id.split('.') as [string];
        counts.set(type, (counts.get(type) ?? 0) + Number(item.value.totalCount));
      }
    }
    return counts;
  }
}

function valueOf<T extends object>(realmId: string, answer: QboAnswer<T>): T {
  if (answer.kind === 'ok') return answer.value;
  const detail = answer.kind === 'refused' ? faultText(answer.faults) : answer.reason;
  throw new Problem({
    status: 502,
    code: 'VALIDATION.COMPANY_UNREADABLE',
    title: 'QuickBooks could not be asked',
    detail: `Company ${realmId} could not be read (${answer.kind}: ${detail}). Nothing was validated.`,
    hint:
      answer.kind === 'unauthorized'
        ? 'Connect the company again with POST /v1/companies.'
        : 'Send the same request again in a minute.',
  });
}
