// QBO has no status field for a void: it is recognised by its traces (qbo-api.md 2.5). The note begins with "Voided",
// every amount is 0 and nothing is linked.
import type { Json } from '../model/json.js';
import { definitionOf } from '../registry/registry.js';
import { isServerLine } from './noise.js';

/** Works on a snapshot and on a payload, which carries no TotalAmt when QBO computes it. */
export function isVoided(type: string, record: Json): boolean {
  if (definitionOf(type).category !== 'transaction') return false;
  if (typeof record.PrivateNote !== 'string' || !/^voided\b/i.test(record.PrivateNote)) return false;
  if (!isZero(record.TotalAmt) || hasLinks(record.LinkedTxn)) return false;
  const lines: unknown = record.Line;
  if (!Array.isArray(lines)) return true;
  return lines
    .filter((line) => !isServerLine(line))
    .every((line: Json) => isZero(line.Amount) && !hasLinks(line.LinkedTxn));
}

function isZero(amount: unknown): boolean {
  return amount === undefined || amount === null || Number(amount) === 0;
}

function hasLinks(links: unknown): boolean {
  return Array.isArray(links) && links.length > 0;
}
