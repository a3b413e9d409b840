// Settings of the syncs that write into one company. Read anew for every round of planning; the end of a call is judged by
// what the last round saw, so that no call costs a query of its own.
import type { Json } from '#core';
import type { Syncs } from '#storage';

/** What a sync says, and which saying of it. */
export interface Said {
  settings: Json;
  version: number;
}

export class SyncSettings {
  private last: ReadonlyMap<string, Said> | undefined;

  constructor(
    private readonly realmId: string,
    private readonly syncs: Syncs,
  ) {}

  /** By sync id, as they are now. */
  async fresh(): Promise<ReadonlyMap<string, Said>> {
    const syncs = await this.syncs.byTarget([this.realmId]);
    this.last = new Map(syncs.map((sync) => [sync.id, { settings: sync.settings, version: sync.settingsVersion }]));
    return this.last;
  }

  /** As a round of planning saw them last; a call left by another process may end before the first round. */
  async known(): Promise<ReadonlyMap<string, Said>> {
    return this.last ?? this.fresh();
  }
}
