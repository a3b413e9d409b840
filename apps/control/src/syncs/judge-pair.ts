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
  /** there is a sync from this target to this source */
  reverse: boolean;
}

/** Why not; undefined when the pair is fine. A currency nobody asked for yet is no reason. */
export function judgePair({ source, target, organizationId, reverse }: Pair): ProblemFacts | undefined {
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
  if (reverse) {
    return {
      status: 409,
      code: 'SYNC.LOOP',
      title: 'There is a sync the other way round',
      detail: `Company ${target.realmId} is already the source of a sync into ${source.realmId}; two would chase each other's writes.`,
      hint: 'Remove the other sync, or choose another target.',
    };
  }
  return undefined;
}
