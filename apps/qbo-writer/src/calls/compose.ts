// Calls as they are written down, and as they go over the wire. Pure: what is sent is a function of the written-down call
// alone, so the same call sent again, by another process, is the same bytes under the same request id.
import { createHash, randomUUID } from 'node:crypto';
import {
  batchIdFor,
  batchItemId,
  canonicalText,
  definitionOf,
  requestIdFor,
  type Difference,
  type Json,
  type Plan,
  type Receipt,
} from '#core';
import type { WriteRequest } from '#qbo';
import { waitName, type AttemptRecord, type CallRecord, type LinkKey, type StoredLink, type Told } from '#storage';

/** The plans that make a call. */
export type SendablePlan =
  Extract<Plan, { kind: 'create' | 'update' | 'delete' | 'void' | 'deactivate' }> | (AdoptPlan & { update: Json });
type AdoptPlan = Extract<Plan, { kind: 'adopt' }>;

export interface PlannedWrite {
  stored: StoredLink;
  key: LinkKey;
  version: string;
  attempt: AttemptRecord;
  beforeImage?: Json | undefined;
  /** what was applied when this was planned */
  appliedVersion?: string | undefined;
  /** the record of the target, once there is one */
  targetId?: string | undefined;
  /** the link of the opposite sync for the same two records */
  mirror?: LinkKey | undefined;
  /** goods that it brings in, and when */
  receipt?: Receipt | undefined;
}

export function isSendable(plan: Plan): plan is SendablePlan {
  return (
    ['create', 'update', 'delete', 'void', 'deactivate'].includes(plan.kind) ||
    (plan.kind === 'adopt' && plan.update !== undefined)
  );
}

/** @param pending what the other side of a pair had changed and not carried */
export function plannedWrite(stored: StoredLink, plan: SendablePlan, pending?: Json): PlannedWrite {
  const { link, syncId, entityType, sourceId } = stored;
  const body = canonicalText(plan.kind === 'adopt' ? plan.update : plan.body);
  const attempt: AttemptRecord = {
    syncId,
    entityType,
    sourceId,
    operation: plan.kind,
    // The body's hash, because QBO replays the old answer for an old id whatever the new body says; and the number of
    // refusals so far, because nothing says that QBO does not replay refusals: a parent that was missing may be there now.
    requestId: requestIdFor({
      syncId,
      entityType,
      sourceId,
      version: link.desired.version,
      operation: plan.kind === 'adopt' ? 'update' : plan.kind,
      generation: link.generation,
      // And what stood there before: a copy that was deleted and is made again, equal to its first making, is another record.
      basis: [createHash('sha256').update(body).digest('hex'), link.attempts, ...goneBefore(link)].join('.'),
    }),
    version: link.desired.version,
    desiredHash: link.desired.hash,
    generation: link.generation,
    body,
    applied: 'applied' in plan ? plan.applied : undefined,
    deferred: ('deferred' in plan ? (plan.deferred ?? []) : []).map(({ type, sourceId: id }) =>
      waitName({ entityType: type, sourceId: id }),
    ),
    partial:
      ((plan.kind === 'create' || plan.kind === 'update') && plan.partial === true) ||
      (plan.kind === 'delete' && plan.again === true),
    ...toldWith(plan, pending),
  };
  const beforeImage = plan.kind === 'adopt' || plan.kind === 'update' ? plan.beforeImage : undefined;
  return {
    stored,
    key: { syncId, entityType, sourceId },
    version: link.desired.version,
    attempt,
    beforeImage,
    appliedVersion: link.applied?.version,
    targetId: plan.kind === 'adopt' ? plan.targetId : plan.kind === 'create' ? undefined : link.target?.id,
  };
}

/** Written down with the call, so that it is told whoever settles it. */
function toldWith(plan: SendablePlan, pending: Json | undefined): { told?: Told } {
  const notice = plan.kind === 'update' ? (plan.notice ?? overwriting(plan.drift)) : undefined;
  const kept = plan.kind === 'update' ? plan.kept : undefined;
  if (!notice && !pending && !kept) return {};
  return { told: { ...(kept ? { kept } : {}), ...(notice ? { notice } : {}), ...(pending ? { pending } : {}) } };
}

/** A person's edit in the target that the sync overwrites, as its policy says. */
function overwriting(drift: readonly Difference[]): Told['notice'] {
  if (drift.length === 0) return undefined;
  const edits = drift.map(
    ({ path, answered }) => `${path} (was ${(JSON.stringify(answered) ?? 'empty').slice(0, 80)})`,
  );
  return { code: 'DRIFT.OVERWRITTEN', reason: `edited in the target and overwritten: ${edits.join(', ')}` };
}

function goneBefore({ target }: StoredLink['link']): string[] {
  return target?.deleted ? [target.id] : [];
}

/** Only what an item of a batch can say is put into one; a void has its own address, which a batch does not have. */
export function fitsBatch(write: PlannedWrite): boolean {
  return definitionOf(write.key.entityType).batchable && write.attempt.operation !== 'void';
}

export function composeCall(targetRealmId: string, members: readonly PlannedWrite[]): CallRecord {
  const attempts = members.map((m) => m.attempt);
  const requestIds = attempts.map((a) => a.requestId);
  return {
    id: randomUUID(),
    targetRealmId,
    kind: members.length === 1 ? 'single' : 'batch',
    requestId: members.length === 1 ? requestIds[0]! : batchIdFor(requestIds),
    attempts,
  };
}

export type Wire = { kind: 'single'; write: WriteRequest } | { kind: 'batch'; requestId: string; body: string };

export function wireOf(call: CallRecord): Wire {
  if (call.kind === 'batch') {
    return {
      kind: 'batch',
      requestId: call.requestId,
      body: `{"BatchItemRequest":[${call.attempts.map(batchItem).join(',')}]}`,
    };
  }
  const attempt = call.attempts[0]!;
  return {
    kind: 'single',
    write: {
      entityType: attempt.entityType,
      operation: verbOf(attempt),
      ...wireForm(attempt),
      requestId: call.requestId,
      voidForm: definitionOf(attempt.entityType).voidForm,
    },
  };
}

/** The few types whose writes have an address or an envelope of their own; the others go as they were written down. */
function wireForm({ entityType, operation, body }: AttemptRecord): Pick<WriteRequest, 'body' | 'address'> {
  const form = definitionOf(entityType).wireForm;
  if (form === 'upsert') {
    const { Id: _id, SyncToken: _token, sparse: _sparse, ...record } = JSON.parse(body) as Json;
    return { body: canonicalText(record) };
  }
  if (operation !== 'create') return { body };
  if (form === 'template') return { body: `{"${entityType}":[${body}]}` };
  if (form === 'tax-service') {
    return { body: canonicalText(taxService(JSON.parse(body) as Json)), address: 'taxservice/taxcode' };
  }
  return { body };
}

function taxService({ Name, TaxRates }: Json): Json {
  const details = (TaxRates as Json[]).map((rate) => ({
    TaxRateName: rate.Name as string,
    RateValue: rate.RateValue as number,
    TaxAgencyId: (rate.AgencyRef as Json).value as string,
    TaxApplicableOn: rate.Applies as string,
  }));
  return { TaxCode: Name as string, TaxRateDetails: details };
}

function batchItem(attempt: AttemptRecord, position: number): string {
  // The stored text goes in as it is: parsing it and writing it again could move a digit.
  const name = definitionOf(attempt.entityType).jsonName ?? attempt.entityType;
  return `{"bId":"${batchItemId(position)}","operation":"${verbOf(attempt)}","${name}":${attempt.body}}`;
}

function verbOf({ operation }: AttemptRecord): 'create' | 'update' | 'delete' | 'void' {
  switch (operation) {
    case 'adopt':
    case 'deactivate':
      return 'update';
    default:
      return operation;
  }
}
