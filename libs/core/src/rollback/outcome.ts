// How the rollback of one link ended, and what can be said of it before it begins: a preview asks nobody but our own rows.
import { definitionOf, type EntityDefinition } from '../registry/index.js';
import { isSingleton } from '../links/adoption.js';

/** made: by us. adopted: it was there before, and was linked. Undefined in rows from before this was written down. */
export type Origin = 'made' | 'adopted';

export const rolledBackOutcomes = ['deleted', 'inactive', 'put-back', 'left', 'stays', 'gone', 'nothing'] as const;
/**
 * deleted: a record that we made. inactive: a name that we made (QuickBooks deletes none; "X (deleted)" leaves the name free).
 * put-back: adopted, with the values that it had before. left: adopted, and as it was. stays: made by us, and QuickBooks
 * neither deletes such a record nor makes it inactive. gone: it was not there any more. nothing: it was never written.
 */
export type RolledBack = (typeof rolledBackOutcomes)[number];

/** Neither deleted nor made inactive by any API. */
export function stays({ operations }: EntityDefinition): boolean {
  return !operations.includes('delete') && !operations.includes('deactivate');
}

/** Of links that are alike in all that a preview looks at. */
export interface LinkKind {
  entityType: string;
  origin: Origin | null;
  hasTarget: boolean;
  targetDeleted: boolean;
  hasBeforeImage: boolean;
  /** the target's record is known by the very token that it had when it was adopted: it was never written */
  untouched: boolean;
  /** an answer was lost, and what it made was not found */
  mayExist: boolean;
}

/** What a rollback would make of it, as far as our rows say. `held`: a person will be asked. */
export function rollbackForecast(kind: LinkKind): RolledBack | 'held' {
  const { entityType, origin, hasTarget, targetDeleted } = kind;
  const definition = definitionOf(entityType);
  const isName = definition.category === 'name-list';
  if (!hasTarget) return kind.mayExist ? 'held' : 'nothing';
  if (origin === null) return 'held';
  if (origin === 'made') {
    if (targetDeleted) return isName ? 'inactive' : 'gone';
    if (stays(definition)) return 'stays';
    return definition.operations.includes('delete') ? 'deleted' : 'inactive';
  }
  if (kind.untouched || definition.policy === 'adopted' || isSingleton(entityType, {})) return 'left';
  return (targetDeleted && !isName) || !kind.hasBeforeImage ? 'held' : 'put-back';
}

const mark = 'asked:';

/** What a person was asked about a link that goes back stands in the hash of what is applied, so that it is asked once. */
export const answersIn = (hash: string | undefined): string[] =>
  hash?.startsWith(mark) ? hash.slice(mark.length).split(',') : [];

export const markedWith = (hash: string | undefined, code: string): string =>
  `${mark}${[...answersIn(hash).filter((one) => one !== code), code].join(',')}`;
