// References between records: extracted from a source body as (path, type, source id), bound late to the target's ids.
// The rule that protects the books: an id of the source company never reaches the target. So whatever looks like a
// reference and is not declared in the registry is an error, not a guess.
import { linkedType } from '../canonical/own-links.js';
import { copyOf, places, removeAt, setAt, valueAt } from '../canonical/paths.js';
import type { Json } from '../model/json.js';
import type { ReferenceRule } from '../registry/definition.js';
import { definitionOf, knownType } from '../registry/registry.js';

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

/** What to do with one reference; mapping rules may decide otherwise than `follow`. */
export type ReferenceDecision =
  | { kind: 'follow'; sourceId?: string }
  /** an id of the target, known beforehand */
  | { kind: 'target'; id: string }
  | { kind: 'drop' };

export type DecideReference = (rule: ReferenceRule, entityType: string, sourceId: string) => ReferenceDecision;

/** A reference that cannot be carried: sending it would point at a stranger's record. */
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

const follow: DecideReference = () => ({ kind: 'follow' });

/** @throws UnknownReference */
export function extractReferences(
  type: string,
  body: Json,
  decide: DecideReference = follow,
): { payload: Json; references: Reference[] } {
  const payload = copyOf(body);
  const references: Reference[] = [];
  const explained = new Set<string>();
  for (const rule of definitionOf(type).references) {
    for (const { segments, value } of places(body, rule.path)) {
      const outcome = extractOne(rule, segments, value, decide, typeBeside(rule, body, segments));
      if (outcome.kind === 'kept') explained.add(segments.join('.'));
      if (outcome.kind === 'kept' && outcome.value !== undefined) setAt(payload, segments, outcome.value);
      if (outcome.kind === 'dropped') drop(payload, segments);
      if (outcome.kind === 'linked') setAt(payload, segments, outcome.rest);
      if (outcome.kind === 'symbolic') {
        if (outcome.rest) setAt(payload, segments, outcome.rest);
        else removeAt(payload, segments);
      }
      if (outcome.kind === 'symbolic' || outcome.kind === 'linked') references.push(outcome.reference);
    }
  }
  assertNothingLeft(payload, explained);
  return { payload, references };
}

function drop(payload: Json, segments: string[]): void {
  // An element of a list leaves a hole first: the paths of its neighbours must stay true.
  if (/^\d+$/.test(segments.at(-1)!)) setAt(payload, segments, null);
  else removeAt(payload, segments);
}

type Extraction =
  | { kind: 'kept'; value?: Json }
  | { kind: 'dropped' }
  | { kind: 'symbolic'; reference: Reference; rest?: Json }
  | { kind: 'linked'; reference: Reference; rest: Json };

/** What a reference says of its own type: inside it, or as the `Type` beside it. */
function typeBeside(rule: ReferenceRule, body: Json, segments: readonly string[]): string {
  const at = rule.kind === 'named-entity' ? [...segments.slice(0, -1), 'Type'] : [...segments, 'type'];
  return String(valueAt(body, at) ?? '');
}

function extractOne(
  rule: ReferenceRule,
  segments: string[],
  value: unknown,
  decide: DecideReference,
  named: string,
): Extraction {
  if (typeof value !== 'object' || value === null) return { kind: 'dropped' };
  const found = value as Json;
  if (rule.kind === 'linked-txn') return extractLinked(rule, segments, found, decide);
  if (found.value === undefined || found.value === null || found.value === '') return { kind: 'dropped' };
  const sourceId = String(found.value);
  if (rule.kind === 'code') return { kind: 'kept', value: { value: sourceId } };
  if (rule.passThrough?.includes(sourceId)) return { kind: 'kept', value: { value: sourceId } };
  const entityType = rule.kind === 'ref' ? rule.types[0]! : carriedType(rule, named, segments);
  const decision = decide(rule, entityType, sourceId);
  if (decision.kind === 'drop') return { kind: 'dropped' };
  const rest = rule.kind === 'typed-ref' ? { type: found.type as string } : undefined;
  if (decision.kind === 'target') return { kind: 'kept', value: { ...rest, value: decision.id } };
  assertCarried(entityType, segments);
  const reference = { path: segments, entityType, sourceId: decision.sourceId ?? sourceId };
  return { kind: 'symbolic', reference, rest };
}

function extractLinked(rule: ReferenceRule, segments: string[], link: Json, decide: DecideReference): Extraction {
  const entityType = carriedType(rule, String(link.TxnType ?? ''), segments);
  const sourceId = String(link.TxnId ?? '');
  const decision = decide(rule, entityType, sourceId);
  if (decision.kind === 'drop') return { kind: 'dropped' };
  if (decision.kind === 'target') return { kind: 'kept', value: { ...link, TxnId: decision.id } };
  assertCarried(entityType, segments);
  const path = [...segments, 'TxnId'];
  return {
    kind: 'linked',
    reference: { path, entityType, sourceId: decision.sourceId ?? sourceId },
    // TxnLineId names a line of the source's document; the lines of the copy may have other ids, so it is sent only where a
    // link is none without it.
    rest: {
      TxnType: link.TxnType as string,
      ...(rule.keepsLine && link.TxnLineId !== undefined ? { TxnLineId: link.TxnLineId as string } : {}),
    },
  };
}

function carriedType(rule: ReferenceRule, named: string, segments: string[]): string {
  const type = linkedType(rule, named);
  if (type) return type;
  throw new UnknownReference(
    'REFERENCE.TYPE_NOT_CARRIED',
    segments.join('.'),
    `points at a ${named || 'nameless type'}`,
  );
}

function assertCarried(entityType: string, segments: string[]): void {
  if (knownType(entityType)) return;
  throw new UnknownReference('REFERENCE.TYPE_NOT_CARRIED', segments.join('.'), `points at a ${entityType}`);
}

function assertNothingLeft(payload: Json, explained: ReadonlySet<string>): void {
  const behind: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const looksLikeReference = 'value' in value && /(Ref|Entity)$/.test(behind.at(-1) ?? '');
    const looksLikeLink = 'TxnId' in value;
    if ((looksLikeReference || looksLikeLink) && !explained.has(behind.join('.'))) {
      throw new UnknownReference('REFERENCE.UNDECLARED', behind.join('.'), 'is not declared in the entity registry');
    }
    for (const name of Object.keys(value)) {
      behind.push(name);
      visit((value as Json)[name]);
      behind.pop();
    }
  };
  visit(payload);
}

/** @param allowMissing references that may be left out for now; the others make the answer `missing` */
export function bindReferences(
  payload: Json,
  references: readonly Reference[],
  resolve: Resolve,
  allowMissing: (reference: Reference) => boolean = () => false,
): Bound {
  const body = copyOf(payload);
  const missing = new Map<string, MissingReference>();
  for (const reference of references) {
    const targetId = resolve(reference.entityType, reference.sourceId);
    if (targetId === undefined) {
      if (allowMissing(reference)) continue;
      const { entityType: type, sourceId } = reference;
      missing.set(waitKey(type, sourceId), { type, sourceId });
    } else if (reference.path.at(-1) === 'TxnId') {
      setAt(body, reference.path, targetId);
    } else {
      const rest = valueAt(body, reference.path);
      setAt(body, reference.path, { ...(rest as Json | undefined), value: targetId });
    }
  }
  return missing.size > 0
    ? { kind: 'missing', missing: [...missing.values()] }
    : { kind: 'bound', body: withoutHoles(body) as Json };
}

/** Closes the holes of dropped list elements, once no path needs the positions any more. */
function withoutHoles(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((element) => element !== null).map(withoutHoles);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withoutHoles(field)]));
}

/** "Customer/58": how a missing parent is written in links.waiting_on. */
export function waitKey(entityType: string, sourceId: string): string {
  return `${entityType}/${sourceId}`;
}

/** The rule of the registry that a reference came from. */
export function ruleOf(type: string, reference: Reference): ReferenceRule | undefined {
  const pattern = reference.path
    .slice(0, reference.path.at(-1) === 'TxnId' ? -1 : undefined)
    .map((segment) => (/^\d+$/.test(segment) ? '*' : segment))
    .join('.');
  return definitionOf(type).references.find((rule) => rule.path === pattern);
}
