// Whether two companies may become a sync. Pure: everything it judges is given.
import type { ProblemFacts } from '#common/problems';

interface Side {
  realmId: string;
  organizationId: string;
  status: string;
  homeCurrency: string | null;
}

export interface Pair {
  source: Side;
  target: Side;
  /** as the caller named it */
  organizationId?: string | undefined;
  /** the organization's syncs */
  syncs: readonly { sourceRealmId: string; targetRealmId: string }[];
}

/** Why not; undefined when the pair is fine. A currency nobody asked for yet is no reason. */
export function judgePair({ source, target, organizationId, syncs }: Pair): ProblemFacts | undefined {
  if (source.realmId === target.realmId) {
    return {
      status: 422,
      code: 'SYNC.SAME_COMPANY',
      title: 'Source and target are the same company',
      detail: `A sync from ${source.realmId} to itself would answer its own writes for ever.`,
      hint: 'Name another company as "targetRealmId".',
    };
  }
  if (
    source.organizationId !== target.organizationId ||
    (organizationId ?? source.organizationId) !== source.organizationId
  ) {
    return {
      status: 422,
      code: 'SYNC.ORGANIZATIONS.DIFFER',
      title: 'The companies belong to different organizations',
      detail: `Company ${source.realmId} and company ${target.realmId} must both belong to the sync's organization.`,
      hint: 'Connect both companies under one organization.',
    };
  }
  if (source.homeCurrency !== null && target.homeCurrency !== null && source.homeCurrency !== target.homeCurrency) {
    return {
      status: 422,
      code: 'SYNC.CURRENCIES.DIFFER',
      title: 'The companies keep their books in different currencies',
      detail: `The source's home currency is ${source.homeCurrency}, the target's ${target.homeCurrency}; amounts cannot be carried over unchanged.`,
      hint: 'Choose a target with the same home currency. QuickBooks cannot change it later.',
    };
  }
  const ring = ringThrough(source.realmId, target.realmId, syncs);
  if (ring) {
    return {
      status: 409,
      code: 'SYNC.LOOP',
      title: 'This sync would close a ring of three or more companies',
      detail: `A change would travel ${[...ring, ring[0]!].join(' -> ')} and come back as a stranger's record.`,
      hint: 'Two companies may be synced both ways, and chains may be as long as you like; a ring may not be closed. Choose another target, or carry the changes back along the chain with opposite syncs.',
    };
  }
  return undefined;
}

/**
 * The companies of a ring that source -> target would close. The opposite sync alone is none: the two are a pair, and know
 * each other's writes. Round a longer way nobody knows whose record it was.
 */
function ringThrough(source: string, target: string, syncs: Pair['syncs']): string[] | undefined {
  const before = new Map<string, string>([[target, source]]);
  const open = [target];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    for (const { sourceRealmId, targetRealmId: next } of syncs) {
      if (sourceRealmId !== at || (at === target && next === source)) continue;
      if (next === source) return pathTo(at, source, before);
      if (before.has(next)) continue;
      before.set(next, at);
      open.push(next);
    }
  }
  return undefined;
}

function pathTo(last: string, first: string, before: ReadonlyMap<string, string>): string[] {
  const path = [last];
  while (path[0] !== first) path.unshift(before.get(path[0]!)!);
  return path;
}
