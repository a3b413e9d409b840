// The evidence with its cross-references: which target record stands for which source record, which request made what.
// No decision is made here.
import type { Raw } from '#testing';
import type {
  AttemptRow,
  CallRow,
  CompanyEvidence,
  Effect,
  Evidence,
  FileRow,
  JournalRow,
  LinkRow,
  SyncRow,
} from './evidence.js';
import type { RecordName } from './verdict.js';

export interface OurEffect extends Effect {
  realmId: string;
  row: JournalRow;
  /** the attempt it belongs to; undefined: nothing of ours was written down for it */
  attempt?: AttemptRow | undefined;
  call?: CallRow | undefined;
  file?: FileRow | undefined;
}

export const linkKey = (row: { sync_id: string; entity_type: string; source_id: string }): string =>
  `${row.sync_id}/${row.entity_type}/${row.source_id}`;

export class Books {
  readonly syncs: ReadonlyMap<string, SyncRow>;
  readonly links: ReadonlyMap<string, LinkRow>;
  /** everything our apps did to a record, in the order in which QuickBooks did it, per company */
  readonly effects: readonly OurEffect[];
  private readonly recordsByKey = new Map<string, Map<string, Raw>>();
  private readonly linksByTarget = new Map<string, LinkRow[]>();
  private readonly requests = new Map<string, { attempt?: AttemptRow; call?: CallRow; file?: FileRow }>();

  constructor(readonly e: Evidence) {
    this.syncs = new Map(e.tables.syncs.map((sync) => [sync.id, sync]));
    this.links = new Map(e.tables.links.map((link) => [linkKey(link), link]));
    for (const { realmId, records } of e.companies.values()) {
      const byKey = new Map<string, Raw>();
      for (const [type, rows] of Object.entries(records)) for (const row of rows) byKey.set(`${type}/${row.Id}`, row);
      this.recordsByKey.set(realmId, byKey);
    }
    for (const link of e.tables.links) {
      if (link.target_id === null) continue;
      const key = `${link.sync_id}/${link.entity_type}/${link.target_id}`;
      this.linksByTarget.set(key, [...(this.linksByTarget.get(key) ?? []), link]);
    }
    this.indexRequests();
    if (e.restored) this.indexAnnouncements();
    this.effects = [...e.companies.values()].flatMap((company) => this.effectsIn(company));
  }

  /** Syncs whose state can be judged: a paused one only when nothing of it was left undone, none that was taken back. */
  judgeable(): SyncRow[] {
    const moving = new Set(
      this.e.tables.links
        .filter((link) => ['ready', 'sending', 'backoff', 'uncertain'].includes(link.state))
        .map((link) => link.sync_id),
    );
    return this.e.tables.syncs.filter(
      ({ id, state }) => state !== 'rolled back' && (state === 'active' || !moving.has(id)),
    );
  }

  company(realmId: string): CompanyEvidence | undefined {
    return this.e.companies.get(realmId);
  }

  record(realmId: string, type: string, id: string): Raw | undefined {
    return this.recordsByKey.get(realmId)?.get(`${type}/${id}`);
  }

  /** In a pair: somebody did to the copy what cannot be done here; it is listed with its reason, and the two differ for it. */
  isStuckOnTheWayBack(sync: SyncRow, { entity_type, target_id }: LinkRow): boolean {
    return this.e.tables.syncs
      .filter((one) => one.source_realm_id === sync.target_realm_id && one.target_realm_id === sync.source_realm_id)
      .some(({ id }) => {
        const back =
          target_id === null ? undefined : this.links.get(linkKey({ sync_id: id, entity_type, source_id: target_id }));
        return back !== undefined && ['held', 'waiting', 'failed'].includes(back.state);
      });
  }

  /** Links of a sync that claim this target record. */
  claiming(syncId: string, type: string, targetId: string): readonly LinkRow[] {
    return this.linksByTarget.get(`${syncId}/${type}/${targetId}`) ?? [];
  }

  request(realmId: string, requestid: string): { attempt?: AttemptRow; call?: CallRow; file?: FileRow } | undefined {
    return this.requests.get(`${realmId}|${requestid}`);
  }

  requestOfAnyCompany(requestid: string): AttemptRow | undefined {
    for (const realmId of this.e.companies.keys()) {
      const found = this.request(realmId, requestid)?.attempt;
      if (found) return found;
    }
    return undefined;
  }

  /** The source record behind a target record, as any of the syncs into that company says. */
  sourceOf(targetRealmId: string, type: string, id: string): RecordName | undefined {
    for (const sync of this.syncs.values()) {
      if (sync.target_realm_id !== targetRealmId) continue;
      const link = this.claiming(sync.id, type, id)[0];
      if (link) return nameOf(link);
      const file = this.e.tables.files.find((one) => one.sync_id === sync.id && one.target_id === id);
      if (type === 'Attachable' && file)
        return { realmId: file.source_realm_id, type: 'Attachable', id: file.attachable_id };
    }
    return undefined;
  }

  private indexRequests(): void {
    const { calls, attempts, files } = this.e.tables;
    const byCall = new Map(calls.map((call) => [call.id, call]));
    for (const attempt of attempts) {
      const call = byCall.get(attempt.call_id);
      if (!call) continue;
      // An item of a batch is known to QuickBooks by the batch's id and its place.
      const wire = call.kind === 'batch' ? `${call.request_id}|i${attempt.position}` : call.request_id;
      this.requests.set(`${call.target_realm_id}|${wire}`, { attempt, call });
    }
    for (const file of files)
      if (file.request_id !== null) this.requests.set(`${file.target_realm_id}|${file.request_id}`, { file });
  }

  /** Calls that a restored database has forgotten, by what QuickBooks and Kafka still know: the answer's number and the record. */
  private indexAnnouncements(): void {
    const told = new Map<string, Raw>();
    for (const { value } of this.e.topics.results)
      if (value?.requestId !== undefined && value.tid !== undefined)
        told.set(`${value.targetRealmId}|${value.tid}|${value.entityType}|${value.targetId}`, value);
    for (const { realmId, journal } of this.e.companies.values()) {
      for (const row of journal) {
        for (const { requestid, type, id } of row.effects ?? []) {
          const result = told.get(`${realmId}|${row.tid}|${type}|${id}`);
          if (!result || requestid === undefined || this.request(realmId, requestid)) continue;
          this.requests.set(`${realmId}|${requestid}`, { attempt: announcedAttempt(result) });
        }
      }
    }
  }

  private effectsIn({ realmId, journal }: CompanyEvidence): OurEffect[] {
    return journal
      .filter((row) => row.app !== undefined && this.e.ourApps.has(row.app))
      .flatMap((row) =>
        (row.effects ?? []).map((effect) => ({
          ...effect,
          realmId,
          row,
          ...(effect.requestid !== undefined ? this.request(realmId, effect.requestid) : {}),
        })),
      );
  }
}

const announcedAttempt = (result: Raw): AttemptRow => ({
  ...{ call_id: '', position: 0, operation: String(result.outcome), desired_hash: '', generation: 0, body_md5: '' },
  ...{
    sync_id: result.syncId as string,
    entity_type: result.entityType as string,
    source_id: result.sourceId as string,
  },
  ...{ request_id: result.requestId as string, version: result.version as string, outcome: result.outcome as string },
  ...{ code: null, reason: null },
});

export const nameOf = (link: LinkRow): RecordName => ({
  realmId: link.source_realm_id,
  type: link.entity_type,
  id: link.source_id,
});

export const attemptName = (books: Books, attempt: AttemptRow): RecordName | undefined => {
  const sync = books.syncs.get(attempt.sync_id);
  return sync && { realmId: sync.source_realm_id, type: attempt.entity_type, id: attempt.source_id };
};
