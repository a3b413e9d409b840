// The store of attachments, the carrier's work list. Promises: a newer desired version wins whatever the order of arrival;
// an upload's identity is written down before the upload; every change by a carrier carries the fence of its lease; what is
// announced is true exactly when the change is. Decisions are made by the caller (libs/core).
import { Injectable } from '@nestjs/common';
import type { Anchor, AttachmentMetadata, DesiredAttachment, LinkState } from '#core';
import { Database, type Tx } from '../database.js';
import { RealmLeases } from '../leases/realm-leases.js';
import { Outbox, type OutboxRecord } from '../outbox/outbox.js';
import { forgetCopy, mirrorCopy, notUnderWayThere, takeTurnOfPair } from './mirrors.js';
import { storedAttachment, type AttachmentKey, type AttachmentRecord, type StoredAttachment } from './row.js';

/** What `sync.attachments` says about one file. */
export interface DesiredAttachmentRow extends AttachmentKey {
  organizationId: string;
  sourceRealmId: string;
  targetRealmId: string;
  lane: 'live' | 'bulk';
  desired: DesiredAttachment;
  changeId: string;
  traceparent?: string | undefined;
}

/** Everything of a row that a carrier changes; what is left out stays. */
export interface AttachmentChange {
  state: LinkState;
  attempts?: number;
  /** null: no upload is open, and none was made */
  requestId?: string | null;
  target?: { id: string; syncToken?: string | undefined } | null;
  applied?: { version: string; metadata: AttachmentMetadata } | null;
  sourceSha256?: string | null;
  targetSha256?: string | null;
  bytes?: number | null;
  discarded?: number;
}

const columns = `sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state, lane, desired_version,
  desired_deleted, desired, change_id, traceparent, applied_version, applied, discarded, target_id, target_sync_token,
  request_id, source_sha256, target_sha256, bytes, waiting_on, due_at, attempts, failure_code, failure_reason, desired_at`;

/** A record to hang on: it has a target id by us, or it never will. */
const anchorReady = `l.target_id is not null and l.applied_version is not null or l.desired_op = 'delete' or l.target_deleted
  or l.desired_op = 'exclude'`;

export const connectionCodes = ['SOURCE.RECONNECT_NEEDED', 'TARGET.RECONNECT_NEEDED'];

@Injectable()
export class AttachmentLinks {
  private readonly leases: RealmLeases;
  private readonly outbox = new Outbox();

  constructor(private readonly db: Database) {
    this.leases = new RealmLeases(db);
  }

  /**
   * One statement for a whole Kafka batch, newer wins; answers the realms that have something new. A row whose call is on
   * its way keeps its state: the answer comes first. A deletion keeps what the file was: it may have to be found.
   */
  async intake(
    rows: readonly DesiredAttachmentRow[],
    at: Date,
  ): Promise<{ targetRealmId: string; lane: 'live' | 'bulk' }[]> {
    const newest = newestOfEach(rows);
    if (newest.length === 0) return [];
    return this.db.query(
      `insert into attachment_links as old (sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state,
         lane, desired_version, desired_deleted, desired, change_id, traceparent, due_at, desired_at)
       select n."syncId", n."attachableId", n."organizationId", n."sourceRealmId", n."targetRealmId", 'ready',
         n.lane, n.version, n.deleted, n.desired, n."changeId", n.traceparent, $2, $2
       from jsonb_to_recordset($1::jsonb) as n ("syncId" uuid, "attachableId" text, "organizationId" uuid,
         "sourceRealmId" text, "targetRealmId" text, lane text, version text, deleted boolean, desired jsonb,
         "changeId" text, traceparent text)
       where not exists (select from syncs s where s.id = n."syncId" and s.rollback_began_at is not null)
       order by 1, 2
       on conflict (sync_id, attachable_id) do update set
         lane = excluded.lane, desired_version = excluded.desired_version, desired_deleted = excluded.desired_deleted,
         desired = case when excluded.desired_deleted then old.desired else excluded.desired end,
         change_id = excluded.change_id, traceparent = excluded.traceparent, desired_at = excluded.desired_at,
         state = case when old.state in ('sending', 'uncertain', 'held') then old.state else 'ready' end,
         due_at = case when old.state in ('sending', 'uncertain') then old.due_at else excluded.due_at end,
         attempts = case when old.state in ('sending', 'uncertain') then old.attempts else 0 end,
         waiting_on = '{}',
         failure_code = case when old.state = 'held' then old.failure_code end,
         failure_reason = case when old.state = 'held' then old.failure_reason end
         -- The same version says something else only under another mapping.
         where excluded.desired_version > old.desired_version or (excluded.desired_version = old.desired_version
           and not excluded.desired_deleted and excluded.desired <> old.desired)
       returning target_realm_id as "targetRealmId", lane`,
      [
        JSON.stringify(
          newest.map(({ desired: { version, deleted, ...desired }, ...row }) => ({
            ...row,
            version,
            deleted,
            desired,
          })),
        ),
        at,
      ],
    );
  }

  /** When a carrier has something to do for this company that nobody needs to tell; undefined: only something new makes work. */
  async nextMoment(tx: Tx, realmId: string, at: Date): Promise<Date | undefined> {
    const [row] = await tx.query<{ next: Date | null }>(
      `select min(case
           when a.state in ('ready', 'sending') or a.state = 'held' then $2::timestamptz
           when a.state in ('backoff', 'uncertain') then a.due_at
           -- parents settle without a word to us: looked at ever slower the longer it lasts
           else $2::timestamptz + least(interval '1 minute', greatest(interval '1 second', ($2 - a.due_at) / 4)) end) as next
       from attachment_links a join syncs s on s.id = a.sync_id and s.state = 'active'
       where a.target_realm_id = $1 and (a.state in ('ready', 'sending', 'backoff', 'uncertain', 'waiting')
         or (a.state = 'held' and a.failure_code = any($3) and ${bothConnected}))`,
      [realmId, at, connectionCodes],
    );
    return row?.next ?? undefined;
  }

  /** What time, parents and renewed grants have freed becomes ready. @throws FenceLost */
  async release(realmId: string, fence: bigint, at: Date): Promise<void> {
    await this.db.withTransaction(async (tx) => {
      await this.leases.assertFence(tx, realmId, 'attachments', fence);
      await tx.query(
        `update attachment_links a set state = 'ready', waiting_on = '{}', failure_code = null, failure_reason = null
         where a.target_realm_id = $1 and (
           (a.state = 'backoff' and a.due_at <= $2) or (a.state = 'waiting' and ${allAnchorsReady})
           or (a.state = 'held' and a.failure_code = any($3) and ${bothConnected}))`,
        [realmId, at, connectionCodes],
      );
      await tx.query(explainWaits, [realmId]);
    });
  }

  /** Work to look at now: what was interrupted, what is in doubt and due, what is ready. Live first, oldest first. */
  async pick(
    realmId: string,
    at: Date,
    limit: number,
    except: readonly AttachmentKey[] = [],
  ): Promise<StoredAttachment[]> {
    const rows = await this.db.query<AttachmentRecord>(
      `select ${columns} from attachment_links a
       where target_realm_id = $1 and ${notUnderWayThere} and (state in ('ready', 'sending') or (state = 'uncertain' and due_at <= $2))
         and sync_id in (select id from syncs where target_realm_id = $1 and state = 'active')
         and (sync_id::text || '/' || attachable_id) <> all($4::text[])
       order by state <> 'sending', lane desc, due_at limit $3`,
      [realmId, at, limit, except.map((key) => `${key.syncId}/${key.attachableId}`)],
    );
    return rows.map(storedAttachment);
  }

  async find(key: AttachmentKey, tx: Tx = this.db): Promise<StoredAttachment | undefined> {
    const [row] = await tx.query<AttachmentRecord>(
      `select ${columns} from attachment_links where sync_id = $1 and attachable_id = $2`,
      [key.syncId, key.attachableId],
    );
    return row && storedAttachment(row);
  }

  /** Where the records an attachment hangs on stand, by "Type/id". What no link knows is pending: it may still come. */
  async anchors(syncId: string, names: readonly string[]): Promise<Map<string, Anchor>> {
    const rows = await this.db.query<{ name: string; target_id: string | null; gone: boolean; there: boolean }>(
      `select l.entity_type || '/' || l.source_id as name, l.target_id,
         (l.desired_op = 'delete' or l.target_deleted or l.desired_op = 'exclude' and l.target_id is null) as gone,
         (l.target_id is not null and l.applied_version is not null) as there
       from links l join unnest($2::text[]) n
         on l.entity_type = split_part(n, '/', 1) and l.source_id = split_part(n, '/', 2)
       where l.sync_id = $1`,
      [syncId, names],
    );
    return new Map(
      rows.map(({ name, gone, there, target_id }): [string, Anchor] => {
        if (!gone) return [name, there ? { kind: 'there', targetId: target_id! } : { kind: 'pending' }];
        return [name, { kind: 'gone', ...(target_id !== null && { targetId: target_id }) }];
      }),
    );
  }

  /** Which of these target records belong to other attachments of the sync. */
  async taken(key: AttachmentKey, targetIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.db.query<{ target_id: string }>(
      `select target_id from attachment_links where sync_id = $1 and attachable_id <> $2 and target_id = any($3)`,
      [key.syncId, key.attachableId, targetIds],
    );
    return new Set(rows.map((row) => row.target_id));
  }

  /**
   * Changes a row under lock, by a decision on what it is then, and announces in the same transaction. The state to come is
   * decided there too: a newer desired version may have arrived meanwhile. Undefined decision: nothing is changed.
   * @throws FenceLost
   */
  async change(
    realmId: string,
    fence: bigint,
    key: AttachmentKey,
    at: Date,
    decide: (now: StoredAttachment) => { change: AttachmentChange; announce?: OutboxRecord | undefined } | undefined,
  ): Promise<StoredAttachment | undefined> {
    return this.db.withTransaction(async (tx) => {
      await this.leases.assertFence(tx, realmId, 'attachments', fence);
      await takeTurnOfPair(tx, key.syncId);
      const [row] = await tx.query<AttachmentRecord>(
        `select ${columns} from attachment_links where sync_id = $1 and attachable_id = $2 for no key update`,
        [key.syncId, key.attachableId],
      );
      const decision = row && decide(storedAttachment(row));
      if (!decision) return undefined;
      const { target } = decision.change;
      await writeChange(tx, row, decision.change, fence, at);
      if (row.target_id !== null && target !== undefined && target?.id !== row.target_id) {
        await forgetCopy(tx, key, row.target_id);
      }
      if (target ?? (target === undefined && row.target_id !== null)) await mirrorCopy(tx, key);
      if (decision.announce) await this.outbox.add(tx, decision.announce);
      return this.find(key, tx);
    });
  }
}

/** Of attachment_links row a. */
export const allAnchorsReady = `not exists (select from unnest(a.waiting_on) n where not exists (
  select from links l where l.sync_id = a.sync_id and l.entity_type = split_part(n, '/', 1)
    and l.source_id = split_part(n, '/', 2) and (${anchorReady})))`;

/** Says on each waiting attachment what it waits for; the reason that asks for a person comes first. */
const explainWaits = `update attachment_links a set failure_code = why.code, failure_reason = why.reason
  from (
    select distinct on (w.sync_id, w.attachable_id) w.sync_id, w.attachable_id,
      case when l.sync_id is null then 'PARENT.UNKNOWN' when l.state = 'failed' then 'PARENT.FAILED'
           when l.state = 'held' then 'PARENT.HELD' else 'PARENT.PENDING' end as code,
      'waits for ' || replace(name, '/', ' ') || case
        when l.sync_id is null then ', which has not arrived'
        when l.state in ('failed', 'held') then ', which is ' || l.state || ': ' || coalesce(l.failure_reason, '')
        else ', which is ' || l.state end as reason
    from attachment_links w cross join lateral unnest(w.waiting_on) as name
      left join links l on l.sync_id = w.sync_id and l.entity_type = split_part(name, '/', 1) and l.source_id = split_part(name, '/', 2)
    where w.target_realm_id = $1 and w.state = 'waiting'
    order by w.sync_id, w.attachable_id, (l.state in ('failed', 'held')) desc nulls last, l.sync_id is null desc
  ) why
  where a.sync_id = why.sync_id and a.attachable_id = why.attachable_id
    and (a.failure_code, a.failure_reason) is distinct from (why.code, why.reason)`;

const bothConnected = `not exists (select from companies c
  where c.realm_id in (a.source_realm_id, a.target_realm_id) and c.status <> 'connected')`;

async function writeChange(
  tx: Tx,
  row: AttachmentRecord,
  change: AttachmentChange,
  fence: bigint,
  at: Date,
): Promise<void> {
  const { state } = change;
  const kept = <T>(value: T | undefined, old: T): T => (value === undefined ? old : value);
  const target = change.target === undefined ? undefined : change.target;
  const applied = change.applied === undefined ? undefined : change.applied;
  await tx.query(
    `update attachment_links set state = $3, waiting_on = $4, due_at = $5, failure_code = $6, failure_reason = $7,
       attempts = $8, request_id = $9, target_id = $10, target_sync_token = $11, applied_version = $12, applied = $13,
       source_sha256 = $14, target_sha256 = $15, bytes = $16, discarded = $17, fence = $18,
       settled_at = case when $3 = 'settled' then $19 else settled_at end
     where sync_id = $1 and attachable_id = $2`,
    [
      row.sync_id,
      row.attachable_id,
      state.kind,
      state.kind === 'waiting' ? state.on : [],
      state.kind === 'backoff' || state.kind === 'uncertain' ? new Date(state.dueAtMs) : at,
      'code' in state ? state.code : null,
      'reason' in state ? state.reason : null,
      kept(change.attempts, row.attempts),
      kept(change.requestId, row.request_id),
      target === undefined ? row.target_id : (target?.id ?? null),
      target === undefined ? row.target_sync_token : (target?.syncToken ?? null),
      applied === undefined ? row.applied_version : (applied?.version ?? null),
      applied === undefined ? row.applied : (applied?.metadata ?? null),
      kept(change.sourceSha256, row.source_sha256),
      kept(change.targetSha256, row.target_sha256),
      kept(change.bytes, row.bytes === null ? null : Number(row.bytes)),
      kept(change.discarded, row.discarded),
      String(fence),
      at,
    ],
  );
}

function newestOfEach(rows: readonly DesiredAttachmentRow[]): DesiredAttachmentRow[] {
  const newest = new Map<string, DesiredAttachmentRow>();
  for (const row of rows) {
    const key = `${row.syncId}/${row.attachableId}`;
    const known = newest.get(key);
    if (!known || row.desired.version > known.desired.version) newest.set(key, row);
  }
  return [...newest.values()];
}
