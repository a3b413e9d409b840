// What the system knows about one QBO type, as data. Everything that treats types differently asks this record, so that
// carrying another type is one entry in lists.ts, transactions.ts or supporting.ts and no new code.

export type Category = 'name-list' | 'transaction' | 'supporting';

/**
 * carried: created, updated and removed in the target.
 * adopted: only ever mapped to a twin that the target already has (tax codes are made by QBO per company).
 * reported: captured for reconciliation, never written.
 */
export type Policy = 'carried' | 'adopted' | 'reported';

export type TypeOperation =
  'create' | 'read' | 'query' | 'update' | 'sparse-update' | 'delete' | 'void' | 'deactivate' | 'upload';

/**
 * Where a type points at other records. `path` is dotted, `*` stands for every element of an array.
 * ref: `{value, name}`; the type is `types[0]`.
 * typed-ref: `{value, type}`; the type is what the reference says, if `types` allows it.
 * named-entity: the inner reference of `{Type, EntityRef: {value}}`, as journal lines name people; the type stands beside it.
 * linked-txn: an element `{TxnId, TxnType}` of a LinkedTxn list; TxnType is one of the keys of `aliases` or of `types`.
 * code: the value is not an id (a currency's ISO code, a shipping method's text) and means the same in every company.
 */
export interface ReferenceRule {
  readonly path: string;
  readonly kind: 'ref' | 'typed-ref' | 'named-entity' | 'linked-txn' | 'code';
  readonly types: readonly string[];
  /** values that are not ids and pass through unchanged, e.g. TAX and NON */
  readonly passThrough?: readonly string[];
  /** TxnType -> entity type, where the two differ */
  readonly aliases?: Readonly<Record<string, string>>;
  /**
   * Of a LinkedTxn list: elements of other types are links that another record owns and QBO shows here (qbo-api.md 12). They
   * are neither content nor ever sent. Without this, an element of another type is an error.
   */
  readonly others?: 'shown';
  /** Of a LinkedTxn list: TxnLineId is sent, as it is (payments have one line) or as that of the copy's line that says the same. */
  readonly keepsLine?: true | 'by-content';
  /** Of a LinkedTxn list: what is in it cannot be changed or removed (fault 6540) until this record lets it go. */
  readonly freezes?: boolean;
  /** may be left out at first and patched later by a sparse update; this is how rings are broken */
  readonly deferrable?: boolean;
}

/** Records that every company has exactly once and that QBO makes itself: mapped, never created. */
export interface Singleton {
  /** for people, e.g. "Undeposited Funds" */
  readonly name: string;
  /** fields that identify it in either company */
  readonly match: Readonly<Record<string, string>>;
  /** a company has it only after the first posting that needs it; until then it may be made */
  readonly atFirstUse?: boolean;
}

/** What holds for some records of a type only. */
export interface SpecialCase {
  readonly when: Readonly<Record<string, unknown>>;
  /** only when the record shows a link (true) */
  readonly linked?: boolean;
  /** why such records cannot be carried */
  readonly notCarried?: string;
  /** they post to the ledger: left out in silence the books would differ, so they fail with the reason instead */
  readonly posts?: boolean;
  /** fields set to a value */
  readonly set?: Readonly<Record<string, unknown>>;
  /** fields set from another field of the source, where that is there */
  readonly from?: Readonly<Record<string, string>>;
  /** fields set when the source has none */
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly omit?: readonly string[];
  /** with `linked`: only when each line that wants a quantity says that it received it; dotted paths in a line */
  readonly complete?: { readonly received: string; readonly wanted: string };
  /** with `linked`: what the omitted fields are by themselves again when the last link goes */
  readonly unlinked?: Readonly<Record<string, unknown>>;
}

/** How a type is voided: by its own operation, by an update with include=void, or not at all through the API. */
export type VoidForm = 'operation-void' | 'include-void' | 'none';

/** How a twin is looked for: one query by this field, or the whole list where it is short or the name is not filterable. */
export type LookupForm = { readonly by: 'field'; readonly field: string } | { readonly by: 'list' };

/** A record at rest takes no documents: an inactive name, a closed order. `awake` is the value with which it takes them. */
export interface RestRule {
  readonly field: string;
  readonly value: unknown;
  readonly awake: unknown;
}

export interface EntityDefinition {
  readonly type: string;
  /** path segment of the API */
  readonly endpoint: string;
  readonly category: Category;
  /** dependency rank, parents first (qbo-api.md 14); a type may point at itself within its rank */
  readonly rank: number;
  readonly operations: readonly TypeOperation[];
  /** alternatives in order of trust; each is a set of fields that together identify a twin in another company */
  readonly naturalKeys: readonly (readonly string[])[];
  readonly lookup: LookupForm;
  readonly policy: Policy;
  /** why records of a reported type are not carried, for people */
  readonly reportedBecause?: string;
  /** key of the object in answers, change data and batches, where it is not the type */
  readonly jsonName?: string;
  /** types of which a record is a template, the record being `{<type>: {...}}` with id and token inside */
  readonly wraps?: readonly string[];
  /** fields that together are the id, where QBO gives none */
  readonly idFields?: readonly string[];
  /**
   * How a write looks on the wire where it is not the bare record at the type's own address. tax-service: created by naming
   * code and rates (qbo-api.md 13.1). upsert: every write is the same POST without id and token. template: created inside
   * an envelope (13.4).
   */
  readonly wireForm?: 'tax-service' | 'upsert' | 'template';
  /** without these a record cannot be created, only found */
  readonly createNeeds?: readonly string[];
  /** what query pages are ordered by; `Id` unless said, nothing where the type takes no order */
  readonly orderBy?: string;
  readonly references: readonly ReferenceRule[];
  /** set by QBO, or useless or dangerous in another company: never sent. Dotted paths, `*` for array elements */
  readonly readOnly: readonly string[];
  /** moves without an edit, or says nothing: not part of the content hash. Dotted paths as above */
  readonly noise: readonly string[];
  /** sent when the record is created and never again */
  readonly writeOnce: readonly string[];
  /** of these, what QuickBooks posted when the record was made: changed in the source, it can be changed in the copy by hand only */
  readonly beginnings: readonly string[];
  /** values that mean the same as the field's absence (QBO shows them in some answers and not in others) */
  readonly absentMeans: Readonly<Record<string, unknown>>;
  /**
   * Set on everything we send, whatever mapping rules say: what would charge a card, mail a customer or fill a print queue.
   * A dotted path is set only where its parent object is.
   */
  readonly forced: Readonly<Record<string, unknown>>;
  readonly specialCases: readonly SpecialCase[];
  /** values that QBO answers but refuses to take */
  readonly replaceValues: readonly { readonly path: string; readonly from: string; readonly to: string }[];
  /** transactions are sent in batches; name lists one at a time, since QBO contends on names */
  readonly batchable: boolean;
  /** may bring goods into stock, at a cost that later sales take over (links/stock-order.ts) */
  readonly receivesStock?: boolean;
  readonly voidForm: VoidForm;
  /** covered by change data capture */
  readonly cdc: boolean;
  /** announced by webhooks */
  readonly webhook: boolean;
  /** fields that even a sparse update must carry */
  readonly requiredOnSparse: readonly string[];
  /** fields QBO refuses to clear by a sparse update: left as they are */
  readonly notClearable: readonly string[];
  /** name field that gets the suffix " (deleted)" when the record is made inactive */
  readonly nameField?: string;
  /** how it is at rest; names are when they are inactive */
  readonly rest?: RestRule;
  /** beside the name: what only one record of the list may have, where the company minds */
  readonly uniqueFields?: readonly string[];
  /** longest document number QBO takes */
  readonly docNumberField?: { readonly field: string; readonly maxLength: number };
  readonly singletons?: readonly Singleton[];
  /** updates must carry every writable field (Attachable) */
  readonly fullUpdateOnly?: boolean;
  /** money changes hands with it: it never has an open balance, whatever its total */
  readonly paidAtOnce?: boolean;
  /** cannot be made without lines; a voided one shows none, and neither does a deposit whose payments were deleted */
  readonly needsLines?: boolean;
}

const nothing = {
  readOnly: [],
  noise: [],
  writeOnce: [],
  beginnings: [],
  absentMeans: {},
  forced: {},
  specialCases: [],
  replaceValues: [],
  requiredOnSparse: [],
  notClearable: [],
  references: [],
} as const;

type Defaulted = keyof typeof nothing;

/** An entry of the registry: what is not said is empty. */
export function entity(
  definition: Omit<EntityDefinition, Defaulted> & Partial<Pick<EntityDefinition, Defaulted>>,
): EntityDefinition {
  return Object.freeze({ ...nothing, ...definition });
}

export function ref(path: string, type: string, options: Partial<ReferenceRule> = {}): ReferenceRule {
  return { path, kind: 'ref', types: [type], ...options };
}

export function code(path: string): ReferenceRule {
  return { path, kind: 'code', types: [] };
}
