// QBO can answer 200 and have dropped a link or recomputed a tax (qbo-api.md 12). So what came back is compared with what
// was sent; a difference is recorded, never ignored. The same comparison finds what a person edited in the target.
import { sameName } from '../canonical/names.js';
import { isEmpty, isServerLine } from '../canonical/noise.js';
import type { Json } from '../model/json.js';
import { withoutShownLinks } from '../canonical/own-links.js';
import { withReplacements } from '../canonical/replacements.js';
import { madeByLinks } from '../canonical/special-cases.js';
import { definitionOf } from '../registry/index.js';

export interface Difference {
  /** dotted */
  path: string;
  sent: unknown;
  answered: unknown;
}

const ours = new Set(['Id', 'SyncToken', 'sparse']);

/** Differences between what was sent and what came back, in the fields we sent; noise and server-made values left out. */
export function diffAnswer(entityType: string, sent: Json, answer: Json): Difference[] {
  const definition = definitionOf(entityType);
  const answered = withReplacements(definition, withoutShownLinks(definition, answer));
  const silent = new Set([
    ...[...definition.noise, ...definition.writeOnce, ...Object.keys(definition.forced)],
    ...madeByLinks(definition, answer),
  ]);
  const differences: Difference[] = [];
  for (const [field, value] of Object.entries(sent)) {
    // An address comes back in another shape: rewritten to lines, completed, geocoded (qbo-api.md 13.1).
    if (ours.has(field) || silent.has(field) || field.endsWith('Addr')) continue;
    if (field === definition.nameField && sameName(String(value), String(answered[field]))) continue;
    if (isEmpty(value) && answered[field] === definition.absentMeans[field]) continue;
    compare(field, value, answered[field], differences);
  }
  return differences;
}

function compare(path: string, sent: unknown, answered: unknown, into: Difference[]): void {
  if (saysNothing(sent) && saysNothing(answered)) return;
  if (Array.isArray(sent)) return compareLists(path, sent, answered, into);
  if (typeof sent === 'object' && sent !== null) {
    if (typeof answered !== 'object' || answered === null) return void into.push({ path, sent, answered });
    for (const [name, value] of Object.entries(sent)) {
      // A label is replaced by QBO whatever was sent.
      if (name === 'name' && 'value' in sent) continue;
      compare(`${path}.${name}`, value, (answered as Json)[name], into);
    }
    return;
  }
  if (!sameScalar(sent, answered)) into.push({ path, sent, answered });
}

function compareLists(path: string, sent: unknown[], answered: unknown, into: Difference[]): void {
  const theirs = Array.isArray(answered) ? answered.filter((element) => !isServerLine(element)) : [];
  if (theirs.length !== sent.length) {
    into.push({ path, sent: `${sent.length} elements`, answered: `${theirs.length} elements` });
    return;
  }
  sent.forEach((element, at) => compare(`${path}.${at}`, element, theirs[at], into));
}

function sameScalar(sent: unknown, answered: unknown): boolean {
  if (sent === answered) return true;
  if (typeof sent === 'number' || typeof answered === 'number') {
    return answered !== '' && answered !== null && answered !== undefined && Number(sent) === Number(answered);
  }
  return String(sent).trim() === String(answered ?? '').trim();
}

/** 0, false and emptiness all come back as absence here and there. */
function saysNothing(value: unknown): boolean {
  if (isEmpty(value) || value === 0 || value === false) return true;
  return typeof value === 'object' && !Array.isArray(value) && Object.values(value as Json).every(saysNothing);
}
