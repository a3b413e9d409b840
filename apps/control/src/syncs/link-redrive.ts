// "Try again", once, with an audit entry in the same transaction (I-13): who, when, why, and what was released. Held and failed links become ready. An uncertain
// one stays uncertain and is due now: its call may have happened, so the same call is sent again; made ready it could be
// created twice (I-02). A second press finds nothing to release.
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { AttachmentReport, Database, LinkReport } from '#storage';
import type { SyncRow, Tx } from '#storage';
import { AuditTrail } from '../audit-trail.js';
import { notFound, Problem } from '#common/problems';

export const redrivable = ['held', 'failed', 'uncertain'] as const;

/** Files stand in a table of their own, under this type. */
export const attachable = 'Attachable';

/** Who lets it go, and why. */
export interface ReleaseDecision {
  author: string;
  reason: string;
}

interface LinkName {
  entityType: string;
  sourceId: string;
}

@Injectable()
export class LinkRedrive {
  constructor(
    private readonly db: Database,
    private readonly links: LinkReport,
    private readonly attachments: AttachmentReport,
    private readonly audit: AuditTrail,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async one(
    sync: SyncRow,
    link: LinkName,
    createAgain: boolean,
    decision: ReleaseDecision,
  ): Promise<{ released: number; links: LinkName[] }> {
    const filter = { states: redrivable, types: [link.entityType], sourceId: link.sourceId, createAgain };
    const released = await this.release(sync, filter, { ...link, createAgain }, decision);
    if (released.length > 0) return { released: released.length, links: released };
    const { entityType, sourceId } = link;
    const page =
      entityType === attachable
        ? await this.attachments.page(sync.id, { sourceId }, 1)
        : await this.links.page(sync.id, { types: [entityType], sourceId }, 1);
    const found = page.items[0];
    if (!found)
      throw notFound('link', `${link.entityType}/${link.sourceId}`, `GET /v1/syncs/${sync.id}/links lists them.`);
    throw new Problem({
      status: 409,
      code: 'LINK.NOT_REDRIVABLE',
      title: 'There is nothing to try again',
      detail:
        found.op === 'fail'
          ? `The mapping of ${link.entityType} ${link.sourceId} failed (${found.failureCode}); there is nothing to send.`
          : found.state === 'uncertain'
            ? `${link.entityType} ${link.sourceId} is uncertain and due already.`
            : `${link.entityType} ${link.sourceId} is ${found.state}; only ${redrivable.join(', ')} links are released.`,
      hint:
        found.op === 'fail'
          ? 'Mend the mapping, then start a replay of this sync.'
          : 'Look at it again with GET .../links; it may have been released a moment ago.',
    });
  }

  async many(
    sync: SyncRow,
    states: readonly string[],
    types: readonly string[] | undefined,
    decision: ReleaseDecision,
  ): Promise<{ released: number; links: LinkName[] }> {
    const links = await this.release(sync, { states, types }, { states, types: types ?? 'all' }, decision);
    return { released: links.length, links };
  }

  private async release(
    sync: SyncRow,
    filter: Parameters<LinkReport['redrive']>[2],
    asked: Record<string, unknown>,
    { author, reason }: ReleaseDecision,
  ): Promise<LinkName[]> {
    const { organizationId } = sync;
    return this.db.withTenant(organizationId, async (tx) => {
      const at = this.clock.now();
      const records = filter.types?.every((type) => type === attachable)
        ? []
        : [
            ...(await this.links.redrive(tx, sync.id, settledStates(filter), at)),
            ...(await hurry(tx, sync, filter, this.clock)),
          ];
      const { types, ...others } = filter;
      const files = types && !types.includes(attachable) ? [] : await this.attachments.redrive(tx, sync.id, others, at);
      const released: LinkName[] = [...records, ...files];
      if (released.length > 0) {
        await this.audit.tell(tx, {
          organizationId,
          action: 'links.redriven',
          subject: sync.id,
          details: { author, reason, asked, released: released.map((link) => `${link.entityType}/${link.sourceId}`) },
        });
      }
      return released;
    });
  }
}

type Filter = Parameters<LinkReport['redrive']>[2];

const settledStates = (filter: Filter): Filter => ({
  ...filter,
  states: (filter.states ?? redrivable).filter((state) => state !== 'uncertain'),
});

/**
 * Uncertain links that would be asked about later are asked about now. The clock is read under the rows' locks: of two
 * presses at once the second reads a time that is not before the first one's, and so finds nothing left to hurry.
 */
async function hurry(tx: Tx, sync: SyncRow, filter: Filter, clock: Clock): Promise<LinkName[]> {
  if (filter.createAgain || !(filter.states ?? redrivable).includes('uncertain')) return [];
  const uncertain = `sync_id = $1 and state = 'uncertain'
       and ($2::text[] is null or entity_type = any($2)) and ($3::text is null or source_id = $3)`;
  const which = [sync.id, filter.types ?? null, filter.sourceId ?? null];
  await tx.query(`select from links where ${uncertain} order by entity_type, source_id for update`, which);
  return tx.query<LinkName>(
    `update links set due_at = $4 where ${uncertain} and due_at > $4
     returning entity_type as "entityType", source_id as "sourceId"`,
    [...which, clock.now()],
  );
}
