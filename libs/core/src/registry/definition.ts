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
 * linked-txn: an element `{TxnId, TxnType}` of a LinkedTxn list.
 * code: the value is not an id (a currency's ISO code, a shipping method's text) and means the same in every company.
 */
export interface ReferenceRule {
  readonly path: string;
  readonly kind: 'ref' | 'typed-ref' | 'linked-txn' | 'code';
  readonly types: readonly string[];
  /** values that are not ids and pass through unchanged, e.g. TAX and NON */
  readonly passThrough?: readonly string[];
  /** may be left out at first and patched later by a sparse update; this is how rings are broken */
  readonly deferrable?: boolean;
}

/** Records that every company has exactly once and that QBO makes itself: mapped, never created. */
export interface Singleton {
  /** for people, e.g. "Undeposited Funds" */
  readonly name: string;
  /** fields that identify it in either company */
  readonly match: Readonly<Record<string, string>>;
}

/** How a type is voided: by its own operation, by an update with include=void, or not at all through the API. */
export type VoidForm = 'operation-void' | 'include-void' | 'none';

export interface EntityDefinition {
  readonly type: string;
  /** path segment of the API, and the name used in queries */
  readonly endpoint: string;
  readonly category: Category;
  /** dependency rank, parents first (qbo-api.md 14); a type may point at itself within its rank */
  readonly rank: number;
  readonly operations: readonly TypeOperation[];
  /** alternatives in order of trust; each is a set of fields that together identify a twin in another company */
  readonly naturalKeys: readonly (readonly string[])[];
  /** the field one look-up query filters by, per alternative of `naturalKeys` */
  readonly lookupFields: readonly string[];
  readonly policy: Policy;
  readonly references: readonly ReferenceRule[];
  /** set by QBO or useless in another company: never sent. Dotted paths, `*` for array elements */
  readonly readOnly: readonly string[];
  /** moves without an edit, or says nothing: not part of the content hash. Dotted paths as above */
  readonly noise: readonly string[];
  /** sent when the record is created and never again */
  readonly writeOnce: readonly string[];
  /** values that mean the same as the field's absence (QBO shows them in some answers and not in others) */
  readonly absentMeans: Readonly<Record<string, unknown>>;
  /** set on everything we send, whatever mapping rules say: what would charge a card, mail a customer or fill a print queue */
  readonly forced: Readonly<Record<string, unknown>>;
  /** transactions are sent in batches; name lists one at a time, since QBO contends on names */
  readonly batchable: boolean;
  readonly voidForm: VoidForm;
  /** covered by change data capture */
  readonly cdc: boolean;
  /** announced by webhooks */
  readonly webhook: boolean;
  /** fields that even a sparse update must carry */
  readonly requiredOnSparse: readonly string[];
  /** fields QBO refuses to clear by a sparse update: left out instead of sent as null */
  readonly notClearable: readonly string[];
  /** name field that gets the suffix " (deleted)" when the record is made inactive */
  readonly nameField?: string;
  readonly singletons?: readonly Singleton[];
  /** updates must carry every writable field (Attachable) */
  readonly fullUpdateOnly?: boolean;
}
