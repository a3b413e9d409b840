// A bill names the lines of the order that it receives by their ids, and those are the source's. The copy of an order numbers its
// lines anew whenever they were edited, so the line meant is found in it by what it says. Pure.
import { copyOf } from '../canonical/paths.js';
import type { Json } from '../model/json.js';
import { ruleOf, type Reference } from './references.js';

/** References of a record whose line ids must be found in the copy of what they point at. */
export function namedLineReferences(type: string, references: readonly Reference[]): Reference[] {
  return references.filter((reference) => ruleOf(type, reference)?.keepsLine === 'by-content');
}

/**
 * @param body bound: its references are ids of the target
 * @param linesOf lines of the copy with their ids; undefined when they are not known, then nothing changes
 */
export function withLinesFound(
  type: string,
  body: Json,
  references: readonly Reference[],
  linesOf: (entityType: string, sourceId: string) => readonly Json[] | undefined,
): Json {
  const wanted = new Map<string, Entry[]>();
  const found = copyOf(body);
  for (const reference of namedLineReferences(type, references)) {
    const line = (found.Line as Json[])[Number(reference.path[1])];
    const link = (line?.LinkedTxn as Json[] | undefined)?.[Number(reference.path[3])];
    if (!line || link?.TxnLineId === undefined) continue;
    const key = `${reference.entityType}/${reference.sourceId}`;
    wanted.set(key, [...(wanted.get(key) ?? []), { reference, line, link, source: Number(link.TxnLineId) }]);
  }
  for (const entries of wanted.values()) {
    const { entityType, sourceId } = entries[0]!.reference;
    const lines = linesOf(entityType, sourceId);
    if (lines) choose(entries, lines);
  }
  return found;
}

interface Entry {
  reference: Reference;
  line: Json;
  link: Json;
  source: number;
}

/** New lines get higher ids than old ones, so both lists are in one order; within it the likest line is taken. */
function choose(entries: readonly Entry[], lines: readonly Json[]): void {
  const free = [...lines];
  const chosen = new Map<number, string>();
  for (const { line, link, source } of [...entries].sort((a, b) => a.source - b.source)) {
    if (!chosen.has(source)) {
      const scores = free.map((one) => likeness(line, one));
      const best = scores.indexOf(Math.max(...scores));
      const [taken] = best < 0 ? [] : free.splice(best, 1);
      if (taken) chosen.set(source, String(taken.Id));
    }
    const id = chosen.get(source);
    if (id !== undefined) link.TxnLineId = id;
  }
}

function likeness(line: Json, other: Json): number {
  const [detail, its] = [detailOf(line), detailOf(other)];
  const same = (a: unknown, b: unknown): boolean => a !== undefined && String(a) === String(b);
  const subject =
    same((detail.ItemRef as Json | undefined)?.value, (its.ItemRef as Json | undefined)?.value) ||
    same((detail.AccountRef as Json | undefined)?.value, (its.AccountRef as Json | undefined)?.value);
  return (
    (subject ? 8 : 0) +
    (same(detail.UnitPrice, its.UnitPrice) ? 2 : 0) +
    (same(detail.Qty, its.Qty) ? 1 : 0) +
    (same(line.Amount, other.Amount) ? 2 : 0) +
    (same(line.Description, other.Description) ? 2 : 0)
  );
}

const detailOf = (line: Json): Json => (line[String(line.DetailType)] ?? {}) as Json;
