// Which of a type's special cases a record is: by its fields, and by whether it shows links.
import type { Json } from '../model/json.js';
import { pick } from './paths.js';
import type { EntityDefinition, SpecialCase } from '../registry/definition.js';

export function specialCasesOf(definition: EntityDefinition, record: Json): SpecialCase[] {
  const linked = Array.isArray(record.LinkedTxn) && record.LinkedTxn.length > 0;
  return definition.specialCases.filter(
    (special) =>
      (special.linked === undefined || special.linked === linked) &&
      Object.entries(special.when).every(([field, value]) => record[field] === value) &&
      isComplete(special, record),
  );
}

function isComplete({ complete }: SpecialCase, { Line }: Json): boolean {
  if (!complete || !Array.isArray(Line)) return true;
  return (Line as Json[]).every((line) => {
    const [received, wanted] = [complete.received, complete.wanted].map((path) => pick(line, path)[0]);
    return wanted === undefined || (received !== undefined && Number(received) >= Number(wanted));
  });
}

/** Fields that say what the record's links made of it: never sent, and no edit of anybody where they moved. */
export function madeByLinks(definition: EntityDefinition, record: Json): ReadonlySet<string> {
  return new Set(specialCasesOf(definition, record).flatMap(({ linked, omit }) => (linked ? (omit ?? []) : [])));
}
