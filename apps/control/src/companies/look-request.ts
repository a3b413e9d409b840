// "Look now": raises the desired look of a source company; the capture loop does the reading.
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Database } from '#storage';
import type { Company } from '#storage';
import { AuditTrail } from '../audit-trail.js';
import { Problem } from '#common/problems';

@Injectable()
export class LookRequest {
  constructor(
    private readonly db: Database,
    private readonly audit: AuditTrail,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async raise(company: Company): Promise<{ realmId: string; lookRequested: string }> {
    const { realmId, organizationId } = company;
    return this.db.withTransaction(async (tx) => {
      const [cursor] = await tx.query<{ look_requested: string }>(
        `update capture_cursors set look_requested = look_requested + 1, due_at = least(due_at, $2)
         where realm_id = $1 returning look_requested`,
        [realmId, this.clock.now()],
      );
      if (!cursor) {
        throw new Problem({
          status: 409,
          code: 'COMPANY.NOT_A_SOURCE',
          title: 'Nothing is captured from this company',
          detail: `Company ${realmId} is no sync's source.`,
          hint: 'POST /v1/syncs with this company as "sourceRealmId" starts capture.',
        });
      }
      await this.audit.tell(tx, { organizationId, action: 'company.look', subject: realmId, details: {} });
      return { realmId, lookRequested: cursor.look_requested };
    });
  }
}
