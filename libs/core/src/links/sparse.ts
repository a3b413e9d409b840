// Sparse updates: what changed against what we applied, cleared fields as explicit null, Line always whole.
import type { Json } from '../model/json.js';

/**
 * The changed fields, without Id and SyncToken; undefined when nothing changed.
 * @param clear false for an adopted twin: what it has beyond ours stays
 */
export function sparseChanges(
  _entityType: string,
  _applied: Json,
  _desired: Json,
  _options?: { clear: boolean },
): Json | undefined {
  throw new Error('not built yet');
}
