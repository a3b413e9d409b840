// A payment that sits in a deposit is frozen: QBO refuses its update, void and delete (6540) until the deposit has let it go.
// So the deposit is written without it, then the payment is written, then the deposit again. Every step is an ordinary
// write of an ordinary link, and the rows say where it stands, so a crash between any two steps loses nothing:
//
//   1. the payment is refused; it waits for "release:Deposit/9", and the deposit becomes ready
//   2. the deposit sees who waits for it to let go; it is written without those lines and waits for "Payment/5" itself.
//      A deposit of nothing else cannot be without lines: it is deleted, and made again in step 4
//   3. the payment wakes and is written
//   4. the deposit wakes and is written as it should be
//
// If the newer deposit does not hold the payment any more, step 2 is that newer deposit, and step 4 has nothing to do.
import type { Json } from '../model/json.js';
import type { MissingReference } from '../references/index.js';
import { definitionOf, typesInRankOrder } from '../registry/index.js';

export const frozenFault = '6540';

/** Code of what is held because a record of the target that is not ours holds it frozen. */
export const frozenByHand = 'FROZEN.BY_HAND';
/** Refusals before that is believed: a deposit of ours may be on its way in the meantime. */
export const frozenTries = 3;

export type FrozenVerdict = { kind: 'release' } | { kind: 'hold'; reason: string };

/**
 * @param record what the target shows of the frozen record now; null: nothing
 * @param ours target ids of holders that this sync made: they let go by themselves
 */
export function judgeFrozenByHand(type: string, record: Json | null, ours: ReadonlySet<string>): FrozenVerdict {
  const holders = holderTypesOf(type);
  const links = Array.isArray(record?.LinkedTxn) ? (record.LinkedTxn as Json[]) : [];
  const foreign = links.filter((link) => holders.includes(String(link.TxnType)) && !ours.has(String(link.TxnId)));
  if (foreign.length === 0) return { kind: 'release' };
  const names = foreign.map((link) => `${String(link.TxnType)} ${String(link.TxnId)}`).join(', ');
  return {
    kind: 'hold',
    reason:
      `it is in ${names} of the target, which this sync did not make and will not touch; ` +
      `take it out of there or delete that one in the target, then it goes on by itself`,
  };
}

const prefix = 'release:';

/** How it is written in links.waiting_on that a link waits for this record to let it go. */
export function releaseName(waitName: string): string {
  return `${prefix}${waitName}`;
}

/** Types whose records freeze what they link to. A template is of such a type only by what will be made of it. */
export function freezesOthers(type: string): boolean {
  const { references, wraps } = definitionOf(type);
  return wraps === undefined && references.some((rule) => rule.freezes === true);
}

/** Types of which a record may hold one of this type. */
export function holderTypesOf(type: string): string[] {
  return typesInRankOrder()
    .filter((holder) => freezesOthers(holder.type))
    .filter(({ references }) => references.some((rule) => rule.freezes === true && rule.types.includes(type)))
    .map((holder) => holder.type);
}

/** The body without the lines that link to these records of the target. */
export function withoutMembers(body: Json, targetIds: ReadonlySet<string>): Json {
  if (!Array.isArray(body.Line)) return body;
  return { ...body, Line: (body.Line as Json[]).filter((line) => !memberIds(line).some((id) => targetIds.has(id))) };
}

/** Of the records that want to be let go, those that this link's desired version still holds. */
export function stillHeld(
  wanted: readonly MissingReference[],
  references: readonly { entityType: string; sourceId: string }[],
): MissingReference[] {
  return wanted.filter(({ type, sourceId }) =>
    references.some((reference) => reference.entityType === type && reference.sourceId === sourceId),
  );
}

function memberIds(line: Json): string[] {
  return Array.isArray(line?.LinkedTxn) ? (line.LinkedTxn as Json[]).map((link) => String(link.TxnId)) : [];
}
