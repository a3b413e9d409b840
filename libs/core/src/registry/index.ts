// The entity registry: the types this system knows, as data.
export * from './definition.js';
export { entityTypes, definitionOf, knownType, typesInRankOrder } from './registry.js';
