// All types by name.
import type { EntityDefinition } from './definition.js';

export const entityTypes: Record<string, EntityDefinition> = {};

export function knownType(type: string): boolean {
  return Object.hasOwn(entityTypes, type);
}

/** @throws RangeError for a type that is not registered */
export function definitionOf(type: string): EntityDefinition {
  const definition = knownType(type) ? entityTypes[type] : undefined;
  if (!definition) throw new RangeError(`"${type}" is not a registered entity type`);
  return definition;
}

/** Parents before children. */
export function typesInRankOrder(): EntityDefinition[] {
  return Object.values(entityTypes).sort((a, b) => a.rank - b.rank || (a.type < b.type ? -1 : 1));
}
