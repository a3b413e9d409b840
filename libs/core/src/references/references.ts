// References between records: extracted from a source body as (path, type, source id), bound late to the target's ids.
import type { Json } from '../model/json.js';

/** Same shape as `SymbolicReference` in libs/contracts (which may depend on this library, not the other way round). */
export interface Reference {
  /** where the `{value}` object stands, or, ending in "TxnId", the id of a linked transaction */
  path: string[];
  entityType: string;
  sourceId: string;
}

export interface MissingReference {
  type: string;
  sourceId: string;
}

export type Bound = { kind: 'bound'; body: Json } | { kind: 'missing'; missing: MissingReference[] };

/** The target's id of a source record, when it has been applied. */
export type Resolve = (entityType: string, sourceId: string) => string | undefined;

/** A reference that no rule of the registry explains: sending it would point at a stranger's record. */
export class UnknownReference extends Error {
  constructor(
    readonly code: 'REFERENCE.UNDECLARED' | 'REFERENCE.TYPE_NOT_CARRIED',
    readonly path: string,
    detail: string,
  ) {
    super(`${path}: ${detail}`);
    this.name = 'UnknownReference';
  }
}

/** @throws UnknownReference */
export function extractReferences(_type: string, _body: Json): { payload: Json; references: Reference[] } {
  throw new Error('not built yet');
}

export function bindReferences(_payload: Json, _references: readonly Reference[], _resolve: Resolve): Bound {
  throw new Error('not built yet');
}

/** "Customer/58": how a missing parent is written in links.waiting_on. */
export function waitKey(entityType: string, sourceId: string): string {
  return `${entityType}/${sourceId}`;
}
