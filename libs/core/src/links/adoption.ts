// Adopt before create: is there a record in the target that already is this one?
import type { Json } from '../model/json.js';

/** One look-up in the target: `select * from <entityType> where <field> = '<value>'`; equal fields may be merged with IN. */
export interface Lookup {
  entityType: string;
  field: string;
  value: string;
}

export type Adoption =
  | { kind: 'adopt'; twin: Json; by: readonly string[] }
  | { kind: 'create' }
  /** several records could be meant: a person decides */
  | { kind: 'ambiguous'; candidates: string[] }
  /** QBO makes records of this kind itself and none was found */
  | { kind: 'no-twin'; name: string };

/** The look-ups that would find a twin of `body`; none when nothing identifies it. */
export function lookupsFor(_entityType: string, _body: Json, _naturalKey: Record<string, string>): Lookup[] {
  throw new Error('not built yet');
}

/** @param body bound to the target's ids, so that parents and names compare by id */
export function chooseTwin(
  _entityType: string,
  _body: Json,
  _naturalKey: Record<string, string>,
  _candidates: readonly Json[],
): Adoption {
  throw new Error('not built yet');
}
