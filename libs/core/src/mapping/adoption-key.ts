// By what a twin of one record is looked for in the target, as the rules say: a part of its natural key, nothing, or the very
// record that a person named in a table.
import type { EntityDefinition } from '../registry/index.js';
import { MappingFailure } from './failure.js';
import type { AdoptionKey, AdoptionRule } from './rules.js';

type Key = Record<string, string>;

/** The field of a natural key that holds the id a table names; no type identifies its twins by ids otherwise. */
export const tableKeyField = 'Id';

const numbers: ReadonlySet<string> = new Set(['DocNumber', 'PaymentRefNum', 'AcctNum', 'Sku', 'EmployeeNumber']);

/** @throws MappingFailure */
export function adoptionKey(
  definition: EntityDefinition,
  key: Key | undefined,
  rule: AdoptionRule = true,
  sourceId: string,
): Key | undefined {
  if (rule === true) return key;
  if (rule === false) return undefined;
  if (typeof rule !== 'object' || rule === null)
    throw new MappingFailure('MAPPING.BAD_RULE', 'adopt is true, false or {by, table}');
  const named = rule.table && Object.hasOwn(rule.table, sourceId) ? rule.table[sourceId] : undefined;
  if (named !== undefined) return { ...key, [tableKeyField]: String(named) };
  return key && partOf(definition, key, rule.by ?? 'key');
}

function partOf({ naturalKeys, nameField }: EntityDefinition, key: Key, by: AdoptionKey): Key | undefined {
  switch (by) {
    case 'key':
      return key;
    case 'never':
      return undefined;
    case 'name':
      return only(key, naturalKeys.filter((fields) => nameField !== undefined && fields.includes(nameField)).flat());
    case 'number':
      return only(key, naturalKeys.filter((fields) => fields.some((field) => numbers.has(field))).flat());
    default:
      by satisfies never;
      throw new MappingFailure('MAPPING.BAD_RULE', `adopt.by: there is no "${String(by)}"`);
  }
}

function only(key: Key, fields: readonly string[]): Key | undefined {
  const part = Object.fromEntries(Object.entries(key).filter(([field]) => fields.includes(field)));
  return Object.keys(part).length > 0 ? part : undefined;
}
