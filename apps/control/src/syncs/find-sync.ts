// The sync that a path names, for every controller under /v1/syncs/{id}.
import { notFound } from '#common/problems';
import type { SyncRow, Syncs } from '#storage';
import { isUuid } from '../uuid.js';

/** @throws Problem 404 */
export async function findSync(syncs: Syncs, id: string): Promise<SyncRow> {
  const sync = isUuid(id) ? await syncs.find(id) : undefined;
  if (!sync) throw notFound('sync', id, 'GET /v1/syncs lists them.');
  return sync;
}
