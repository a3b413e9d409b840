// What may be missing in the target with a reason, as the lifecycle matrix calls it: held or not possible. A record that is
// missing for any other reason is a difference.
export interface Excuse {
  /** code of the link's failure, or its beginning up to a dot */
  readonly code: RegExp;
  readonly because: string;
  /** where QuickBooks has one code for many things: what it must say */
  readonly saying?: RegExp;
}

export const excuses: readonly Excuse[] = [
  { code: /^REFERENCE\.TYPE_NOT_CARRIED$/, because: 'refers to a type that is not carried' },
  {
    code: /^MAPPING\.NOT_CARRIED$|^MAPPING\.NOT_ALLOWED$|^RECORD\.NOT_CARRIED$|^TYPE\.NOT_CARRIED$/,
    because: 'this kind of record cannot be written through the API',
  },
  { code: /^CREATE\.NO_LINES$/, because: 'QuickBooks makes no such document without lines' },
  { code: /^QBO\.62(00|10)$/, because: 'the period is closed' },
  { code: /^QBO\.6220$/, because: 'QuickBooks makes no name inactive that has a balance' },
  { code: /^QBO\.(5020|5030)$/, because: "the target's plan or settings lack the feature" },
];

/**
 * Also where what has it was there before the sync. Copies are no excuse elsewhere: they move as the source's records do.
 */
export const takenAlready: Excuse = {
  code: /^COLLISION\.(NAME|NUMBER)$/,
  because: 'the target has it already, and the policy of the sync is to ask',
};

/**
 * Only of real records, which their own QuickBooks has taken before a rule of the API stood in the way: there an item can become
 * a stock item after it was sold, and then the API takes no document from before its first day.
 */
export const excusesOfRealRecords: readonly Excuse[] = [
  takenAlready,
  { code: /^QBO\.6270$/, because: 'the stock of an item on it begins after its date, in the source as well' },
];

/** Only where people were at work in both companies at once. */
export const excusesOfSeveralHands: readonly Excuse[] = [
  takenAlready,
  {
    code: /^PAIR\.(PARENT_GONE|KEPT_HERE)$/,
    because: 'somebody deleted it, or what it refers to, in the other company',
  },
  { code: /^FROZEN\.BY_HAND$/, because: 'somebody deposited it in the other company' },
  { code: /^QBO\.620$/, because: 'somebody paid or deposited the same document in the other company' },
  {
    code: /^QBO\.6000$/,
    saying: /open balance/i,
    because: 'somebody paid the same document in the other company',
  },
];

/** Codes that say "because of a parent": an excuse exactly when that parent has one. */
export const parentCodes = /^PARENT\./;
