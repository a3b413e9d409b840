// When a call's answer was lost longer ago than QBO can be trusted to remember its request id, the target itself is asked
// whether the effect is there. Never a blind second create.
import { definitionOf, diffAnswer, type Json, type WriteAnswer } from '#core';
import type { AttemptRecord, Links } from '#storage';
import type { TargetReader } from '../round/target-reader.js';

/** Clocks of two machines differ, and QBO stamps a record when it works on it, not when we sent it. */
const marginMs = 10 * 60_000;

export class ReadBack {
  constructor(private readonly ports: { reader: TargetReader; links: Links }) {}

  /** @throws TargetUnavailable */
  async answerFor(attempt: AttemptRecord, claimedAt: Date, now: Date, signal: AbortSignal): Promise<WriteAnswer> {
    const body = JSON.parse(attempt.body) as Json;
    if (attempt.operation === 'create') return this.created(attempt, body, claimedAt, now, signal);
    const record = await this.ports.reader.read(attempt.entityType, String(body.Id), 'bulk', signal);
    if (attempt.operation === 'delete') return record === null ? { kind: 'done' } : notHappened;
    if (record === null) return refused('610', 'reread', 'the record is gone from the target');
    if (attempt.operation === 'void') return Number(record.TotalAmt) === 0 ? { kind: 'done', record } : reread;
    return diffAnswer(attempt.entityType, body, record).length === 0 ? { kind: 'done', record } : reread;
  }

  private async created(
    attempt: AttemptRecord,
    body: Json,
    claimedAt: Date,
    now: Date,
    signal: AbortSignal,
  ): Promise<WriteAnswer> {
    const from = new Date(claimedAt.getTime() - marginMs);
    const to = new Date(now.getTime() + marginMs);
    const rows = await this.ports.reader.createdBetween(definitionOf(attempt.entityType).type, from, to, signal);
    const alike = rows.filter((row) => isAlike(body, row));
    const linked = await this.ports.links.linkedTargets(
      attempt.syncId,
      attempt.entityType,
      alike.map((row) => String(row.Id)),
    );
    const free = alike.filter((row) => !linked.has(String(row.Id)));
    if (free.length === 0) return notHappened;
    const same = free.filter((row) => diffAnswer(attempt.entityType, body, row).length === 0);
    if (same.length === 1) return { kind: 'done', record: same[0]! };
    const ids = free.map((row) => String(row.Id)).join(', ');
    return refused('READ_BACK', 'operator', `the answer was lost, and these records could be what we made: ${ids}`);
  }
}

/**
 * Same party, day, number, name and amount, as far as we sent them. QBO can have recomputed the rest, so a record that is
 * alike and not the same is a person's question: taking it for another's would make ours twice.
 */
function isAlike(body: Json, row: Json): boolean {
  const telling = ['CustomerRef', 'VendorRef', 'TxnDate', 'DocNumber', 'TotalAmt', 'DisplayName', 'Name'];
  const text = (record: Json, field: string) => {
    const value = record[field] as Json | string | number | undefined;
    return String(typeof value === 'object' ? (value?.value ?? '') : (value ?? '')).toLowerCase();
  };
  return telling.every((field) => body[field] === undefined || text(body, field) === text(row, field));
}

const notHappened: WriteAnswer = {
  kind: 'failed',
  failure: { kind: 'unsent', reason: 'read back: it did not happen' },
};
const reread = refused('READ_BACK', 'reread', 'read back: the record is not as it was sent');

function refused(code: string, fault: 'reread' | 'operator', reason: string): WriteAnswer {
  return { kind: 'failed', failure: { kind: 'refused', class: fault, code, reason } };
}
