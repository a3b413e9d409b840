// All types by name.
import type { EntityDefinition } from './definition.js';
import * as lists from './lists.js';
import * as supporting from './supporting.js';
import * as transactions from './transactions.js';

const { usPseudoTaxCodes: _, ...nameLists } = lists;

export const entityTypes: Readonly<Record<string, EntityDefinition>> = {
  ...nameLists,
  ...supporting,
  ...transactions,
};

const byJsonName = new Map(Object.values(entityTypes).map(({ type, jsonName }) => [jsonName ?? type, type]));

export function knownType(type: string): boolean {
  return Object.hasOwn(entityTypes, type);
}

/** @throws RangeError for a type that is not registered */
export function definitionOf(type: string): EntityDefinition {
  const definition = knownType(type) ? entityTypes[type] : undefined;
  if (!definition) throw new RangeError(`"${type}" is not a registered entity type`);
  return definition;
}

/** The type whose objects stand under this key in answers; the key itself when no type claims it. */
export function typeOfJsonName(name: string): string {
  return byJsonName.get(name) ?? name;
}

const byLowerCase = new Map(Object.keys(entityTypes).map((type) => [type.toLowerCase(), type]));

/** The type of a name in whatever case QBO writes it: "Invoice", "invoice", "TimeActivity". */
export function typeNamed(name: string): string | undefined {
  return byLowerCase.get(name.toLowerCase());
}

/** Parents before children. */
export function typesInRankOrder(): EntityDefinition[] {
  return Object.values(entityTypes).sort((a, b) => a.rank - b.rank || (a.type < b.type ? -1 : 1));
}
