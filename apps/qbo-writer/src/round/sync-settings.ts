// Settings of the syncs that write into one company. Read anew for every round of planning; the end of a call is judged by
// what the last round saw, so that no call costs a query of its own.
import { defaultRounding, type Json, type RoundingPolicy } from '#core';
import type { Syncs } from '#storage';

export class SyncSettings {
  private last: ReadonlyMap<string, Json> | undefined;

  constructor(
    private readonly realmId: string,
    private readonly syncs: Syncs,
  ) {}

  /** By sync id, as they are now. */
  async fresh(): Promise<ReadonlyMap<string, Json>> {
    const syncs = await this.syncs.byTarget([this.realmId]);
    this.last = new Map(syncs.map((sync) => [sync.id, sync.settings]));
    return this.last;
  }

  /** As a round of planning saw them last; a call left by another process may end before the first round. */
  async known(): Promise<ReadonlyMap<string, Json>> {
    return this.last ?? this.fresh();
  }
}

/** `settings.rounding`: `{kind: "record" or "line", itemId, accountId, zeroTaxCodeId}`. */
export function roundingPolicy(settings: Json | undefined): RoundingPolicy {
  const rounding: unknown = settings?.rounding;
  if (typeof rounding !== 'object' || rounding === null || (rounding as Json).kind !== 'line') return defaultRounding;
  const text = (name: string): Record<string, string> => {
    const value: unknown = (rounding as Json)[name];
    return typeof value === 'string' && value !== '' ? { [name]: value } : {};
  };
  return { kind: 'line', ...text('itemId'), ...text('accountId'), ...text('zeroTaxCodeId') };
}
