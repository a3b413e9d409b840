// Versions of a sync's settings: a version is never changed, a new one takes its place. Whoever changes them locks the sync's
// row, and so does whoever decides that something stays undone because of them (links.decide): of the two one comes first.
import type { Json } from '#core';
import type { Database, Tx } from '../database.js';

export interface SettingsVersion {
  version: number;
  settings: Json;
  author: string;
  reason: string;
  createdAt: Date;
}

/** Under the sync's lock: what applies now. */
export async function lockSettings(tx: Tx, syncId: string): Promise<{ version: number; settings: Json } | undefined> {
  const [row] = await tx.query<{ version: number; settings: Json }>(
    'select settings_version as version, settings from syncs where id = $1 for no key update',
    [syncId],
  );
  return row;
}

/** Under the lock above. */
export async function addSettings(
  tx: Tx,
  next: { syncId: string; organizationId: string } & Omit<SettingsVersion, 'createdAt'>,
): Promise<void> {
  const { syncId, organizationId, version, settings, author, reason } = next;
  await tx.query(
    `insert into sync_settings (sync_id, version, organization_id, settings, author, reason) values ($1, $2, $3, $4, $5, $6)`,
    [syncId, version, organizationId, JSON.stringify(settings), author, reason],
  );
  await tx.query('update syncs set settings = $2, settings_version = $3 where id = $1', [
    syncId,
    JSON.stringify(settings),
    version,
  ]);
}

/** Newest first. */
export async function settingsVersions(db: Database, syncId: string, limit: number): Promise<SettingsVersion[]> {
  return db.query<SettingsVersion>(
    `select version, settings, author, reason, created_at as "createdAt" from sync_settings
     where sync_id = $1 order by version desc limit $2`,
    [syncId, limit],
  );
}

/** Whether these versions still apply, and do so until the transaction ends. */
export async function settingsStand(tx: Tx, versions: ReadonlyMap<string, number>): Promise<boolean> {
  if (versions.size === 0) return true;
  const rows = await tx.query<{ id: string; version: number }>(
    'select id, settings_version as version from syncs where id = any($1) order by id for share',
    [[...versions.keys()]],
  );
  return rows.every(({ id, version }) => versions.get(id) === version);
}
