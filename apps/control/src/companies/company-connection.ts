// Connecting a company: seal and store its tokens, then see whether they work by reading CompanyInfo (and the home
// currency from Preferences, which CompanyInfo does not tell). The grant is stored first: a check that dies half-way leaves
// a connected company that can be checked again, never a token that was used and lost.
import { Injectable } from '@nestjs/common';
import { faultText, QboClient, TokenCustody } from '#qbo';
import type { QboAnswer } from '#qbo';
import type { Json } from '#core';
import { Companies, Database, Grants, Organizations } from '#storage';
import type { Company } from '#storage';
import { AuditTrail } from '../audit-trail.js';
import { notFound, Problem } from '#common/problems';

export interface ConnectRequest {
  organizationId: string;
  realmId: string;
  name?: string;
  tokens: {
    accessToken: string;
    refreshToken: string;
    expiresIn: number;
    refreshExpiresIn: number;
    refreshHardExpiresIn?: number;
  };
  check: boolean;
}

@Injectable()
export class CompanyConnection {
  constructor(
    private readonly db: Database,
    private readonly organizations: Organizations,
    private readonly companies: Companies,
    private readonly grants: Grants,
    private readonly custody: TokenCustody,
    private readonly qbo: QboClient,
    private readonly audit: AuditTrail,
  ) {}

  async connect(request: ConnectRequest): Promise<{ company: Company; again: boolean }> {
    const { organizationId, realmId } = request;
    if (!(await this.organizations.find(organizationId))) {
      throw notFound('organization', organizationId, 'POST /v1/organizations makes one.');
    }
    const known = await this.companies.find(realmId);
    const connected = await this.db.withTransaction(async (tx) => {
      const outcome = await this.companies.connect(tx, {
        realmId,
        organizationId,
        name: request.name ?? known?.name ?? `Company ${realmId}`,
        homeCurrency: null,
      });
      if (outcome.kind === 'elsewhere') throw elsewhere(realmId);
      await this.grants.store(tx, realmId, this.custody.sealPair(organizationId, realmId, request.tokens));
      await this.audit.tell(tx, {
        organizationId,
        action: outcome.again ? 'company.reconnected' : 'company.connected',
        subject: realmId,
        details: {},
      });
      return outcome;
    });
    this.custody.forget(realmId);
    if (request.check) await this.check(realmId, request.name);
    return { company: (await this.companies.find(realmId))!, again: connected.again };
  }

  private async check(realmId: string, givenName: string | undefined): Promise<void> {
    const info = await this.qbo.companyInfo(realmId, { class: 'interactive' });
    if (info.kind !== 'ok') throw await this.refused(realmId, info);
    const preferences = await this.qbo.query(realmId, 'select * from Preferences', { class: 'interactive' });
    const homeCurrency: unknown =
      preferences.kind === 'ok' ? preferences.value.rows[0]?.CurrencyPrefs?.HomeCurrency?.value : undefined;
    await this.companies.describe(this.db, realmId, {
      name: givenName ?? String(info.value.CompanyName ?? `Company ${realmId}`),
      homeCurrency: typeof homeCurrency === 'string' ? homeCurrency : null,
    });
  }

  private async refused(realmId: string, answer: Exclude<QboAnswer<Json>, { kind: 'ok' }>): Promise<Problem> {
    if (answer.kind === 'unauthorized' && answer.reconnect) {
      await this.grants.markReconnectNeeded(this.db, realmId, answer.reason);
      return new Problem({
        status: 422,
        code: 'COMPANY.GRANT.REFUSED',
        title: 'QuickBooks refuses these tokens',
        detail: `Reading CompanyInfo of ${realmId} was refused: ${answer.reason}.`,
        hint: 'Are the tokens of this realm and of this app (SYNC_QBO_CLIENT_ID), and not older than their expiry? Connect again with new ones.',
      });
    }
    const detail = answer.kind === 'refused' ? faultText(answer.faults) : answer.reason;
    return new Problem({
      status: 502,
      code: 'COMPANY.CHECK.FAILED',
      title: 'QuickBooks could not be asked',
      detail: `The tokens are stored, but reading CompanyInfo of ${realmId} failed (${answer.kind}: ${detail}).`,
      hint: 'Send the same request again to repeat the check, or with "check": false to go without.',
    });
  }
}

const elsewhere = (realmId: string): Problem =>
  new Problem({
    status: 409,
    code: 'COMPANY.ELSEWHERE',
    title: 'This company belongs to another organization',
    detail: `Company ${realmId} is connected by another organization and never moves.`,
    hint: 'Use the organization that has it, or disconnect it there first.',
  });
