// The entity registry: the types this system knows, as data.
export * from './definition.js';
export { entityTypes, definitionOf, knownType, typeNamed, typeOfJsonName, typesInRankOrder } from './registry.js';
