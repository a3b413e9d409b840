// Mapping rules as they are stored (mapping_layers.rules) and as they are used after the layers are merged.
// A layer is untrusted data: the evaluator never throws on it, a bad rule is a named failure of the record it touches.

export type LayerName = 'template' | 'organization' | 'sync';

export interface MappingLayer {
  /** mapping_layers.id; 0 for the built-in template */
  id: number;
  layer: LayerName;
  rules: LayerRules;
}

/** Keys are entity types, or `*` for all of them. */
export interface LayerRules {
  entities?: Record<string, EntityRules>;
}

export interface EntityRules {
  /** true, or the reason to show: records of this type are not carried */
  excluded?: boolean | string;
  adopt?: AdoptionRule;
  /** records of this type that are not carried: any of the filters matches */
  exclude?: ExclusionFilter[];
  /** source paths left out of the target */
  omit?: string[];
  /** source paths carried although another layer omits them */
  keep?: string[];
  fields?: FieldRule[];
  /** target path -> value, after the field rules */
  static?: Record<string, unknown>;
  /** target path -> value for the records a condition matches, e.g. another account type for account 4000 */
  overrides?: Override[];
  /** reference path of the registry -> policy */
  references?: Record<string, ReferencePolicy>;
  /** source id -> source id: references to the first become references to the second, the first is not carried */
  redirect?: Record<string, string>;
  documentNumber?: DocumentNumberPolicy;
}

export interface FieldRule {
  from: string;
  to: string;
  transforms?: Transform[];
  /** an empty result is a failure of the record */
  required?: boolean;
  maxLength?: number;
  oneOf?: string[];
}

export type Transform =
  /** `upper` and `lower` are short for `toUpperCase` and `toLowerCase` */
  | { use: 'trim' | 'upper' | 'lower' | 'toUpperCase' | 'toLowerCase' | 'titleCase' }
  | { use: 'toString' | 'toNumber' | 'abs' }
  /** exact; `by` as text where a number would not hold it */
  | { use: 'multiply'; by: number | string }
  /** half away from zero */
  | { use: 'round'; places: number }
  /** tokens YYYY YY MM M DD D; `from` is YYYY-MM-DD unless said */
  | { use: 'formatDate'; from?: string; to: string }
  /** texts, other fields of the record, and the value itself; empty ones add neither text nor separator */
  | { use: 'concat'; parts: (string | { field: string } | { value: true })[]; separator?: string }
  /** by characters, from 0, `end` not included */
  | { use: 'substring'; start: number; end?: number }
  /** the part at an index, negative ones from the end */
  | { use: 'split'; separator: string; index: number }
  | { use: 'prefix' | 'suffix'; text: string }
  /** literal text, every occurrence; no patterns, so no rule can take exponential time */
  | { use: 'replace'; find: string; with: string }
  | { use: 'truncate'; length: number }
  | { use: 'default'; value: string | number | boolean }
  | { use: 'table'; entries: Record<string, string>; otherwise?: 'keep' | 'empty' | 'fail' };

export interface Override {
  /** source path -> value; all must be equal, texts without regard to case */
  when: Record<string, string | number | boolean>;
  set: Record<string, unknown>;
}

/** Matches a record when all its conditions do. `reason` is what people read where they look for the record. */
export interface ExclusionFilter {
  reason: string;
  where: FilterCondition[];
}

/** About one source path; all that is said must hold. Texts compare without regard to case, amounts and dates by size. */
export interface FilterCondition {
  path: string;
  equals?: string | number | boolean;
  oneOf?: (string | number)[];
  startsWith?: string;
  /** dates as YYYY-MM-DD, or amounts; the bound itself is not included */
  below?: string | number;
  above?: string | number;
  /** true: the record has nothing there */
  missing?: boolean;
}

export type ReferencePolicy =
  /** symbolic: the twin or copy of the same record (the default) */
  | { kind: 'follow' }
  /** explicit ids of the target */
  | { kind: 'table'; entries: Record<string, string>; otherwise?: 'follow' | 'fail' | 'drop' }
  /** one id of the target for all */
  | { kind: 'fixed'; value: string }
  | { kind: 'drop' };

/**
 * How a twin in the target is found: false, never; true, by all that identifies records of the type (the default); by its
 * name or its number only. A table says it record by record (source id -> id of the target), before all else.
 */
export type AdoptionRule = boolean | { by?: AdoptionKey; table?: Record<string, string> };
export type AdoptionKey = 'name' | 'number' | 'key' | 'never';

export type DocumentNumberPolicy =
  | { kind: 'keep'; tooLong?: TooLong }
  /** let the target number it */
  | { kind: 'drop' }
  /** kept, and the document is held where the target has the number already, also where QBO would take it twice */
  | { kind: 'hold'; tooLong?: TooLong }
  | { kind: 'prefix' | 'suffix'; text: string; tooLong?: TooLong };

/** A number longer than QBO takes: a person decides (the default), the document goes without, or the number's end is kept. */
export type TooLong = 'hold' | 'drop' | 'cut';

/** What contributed to a rule set, for people who ask why a field looks as it does. */
export interface Contribution {
  layer: LayerName;
  id: number;
}

/** One setting that survived the merge, with the layers that spoke about it (the last one decided). */
export interface Merged<T> {
  value: T;
  from: Contribution[];
}

export interface RuleSet {
  /** the highest layer id that contributes */
  version: number;
  layers: Contribution[];
  entities: Record<string, MergedRules>;
}

export interface MergedRules {
  excluded?: Merged<boolean | string>;
  adopt?: Merged<AdoptionRule>;
  omit: Record<string, Merged<boolean>>;
  fields: Record<string, Merged<FieldRule>>;
  static: Record<string, Merged<unknown>>;
  overrides: Merged<Override>[];
  exclude: Merged<ExclusionFilter>[];
  references: Record<string, Merged<ReferencePolicy>>;
  redirect: Record<string, Merged<string>>;
  documentNumber?: Merged<DocumentNumberPolicy>;
  /** what could not be understood, with the layer it came from */
  defects: string[];
}
