// Three layers become one rule set: template, then organization, then sync; the later one decides, all are recorded.
import type { MappingLayer, RuleSet } from './rules.js';

export function mergeLayers(_layers: readonly MappingLayer[]): RuleSet {
  throw new Error('not built yet');
}
