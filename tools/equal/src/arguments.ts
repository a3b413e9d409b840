// What `npm run equal -- ...` understands.
import { parseArgs } from 'node:util';

export interface EqualOptions {
  /** one history after the other in one installation */
  seeds: readonly number[];
  acts: number;
  /** indices of the acts to do, of those that the seed gives; all when absent */
  only?: readonly number[];
  /** entity types that are judged; all when absent */
  types?: readonly string[];
  /** lost, doubled and reordered webhooks; backfill by types in any order, children before parents as often as not */
  shuffle: boolean;
  /** QuickBooks misbehaves: errors, lost answers after the commit, cut answers, throttling, batches done by half */
  faults: boolean;
  /** so many times a process of ours is killed (kill -9) while there is work, in each way of carrying */
  kills: number;
  /** two opposite syncs with a person at work in both companies, or A to B to C; absent: one way */
  shape?: 'two-way' | 'chain';
  /** two-way: nobody waits until what the other did was carried */
  together: boolean;
  /** of each history; with several they take turns when asked to */
  how: readonly How[];
  /** the first seed live, the second by backfill, and so on: half the time */
  inTurns: boolean;
  company: CompanyKind;
  transactions: number;
  years: number;
  /** a second currency in the generated company */
  currency?: string;
  /** where the companies are: its taxes, its home currency; the United States when absent */
  country?: Country;
  /** what is bought has another price each time: then the order of one day's purchases decides what sold goods cost */
  movingPrices: boolean;
  /** half of what people do is what they do seldom: names that change places, edits of what is paid, numbers exchanged */
  awkward: boolean;
  /** live: nobody waits until the company was read for the first time */
  meanwhile: boolean;
  /** runs that may be spent on finding a shorter failing history; 0 = none */
  shrinkRuns: number;
}

/** Countries that the emulator furnishes, with their money. */
export const countries = { US: 'USD', GB: 'GBP', CA: 'CAD', AU: 'AUD' } as const;
export type Country = keyof typeof countries;

/** live: the target follows act by act; backfill: the target is filled when all is done */
export type How = 'live' | 'backfill';

/** fixtures: real records, looked for beside the project and never part of it */
export type CompanyKind = 'sample' | 'generated' | 'empty' | 'fixtures';

export const usage = `npm run equal -- [--seed 1 | --seeds 1-12,40] [--acts 60] [--how live|backfill|both|turns] [--shuffle] [--faults] [--kills 0]
  [--two-way [--together] | --chain]
  [--company generated|sample|empty|fixtures] [--transactions 40] [--years 1] [--currency EUR] [--country US|GB|CA|AU]
  [--types Invoice,Payment] [--only 3,17,21] [--moving-prices] [--awkward] [--meanwhile]
  [--shrink-runs 10]
One random history in a source company, carried to an empty one live (backfill first, then act by act) and to another by
backfill afterwards; at rest the two sets of books are compared. --awkward: half of what the person does is what people do
seldom (names change places, what is paid is edited); --meanwhile: the person works while the first backfill reads. Exit 0 only when nothing differs; otherwise a shorter
history that fails is looked for and printed.
--two-way: two companies in opposite syncs and a person at work in both, in turns or together (then some of what they do
cannot both be, and is held); --chain: A to B to C. At rest the books are compared
and then every company is looked at again and again: not one write may follow (writes_after_rest=0).`;

/** @throws TypeError with a sentence for a person */
export function readArguments(args: string[]): EqualOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      acts: { type: 'string', default: '60' },
      only: { type: 'string' },
      types: { type: 'string' },
      shuffle: { type: 'boolean', default: false },
      faults: { type: 'boolean', default: false },
      kills: { type: 'string', default: '0' },
      'two-way': { type: 'boolean', default: false },
      together: { type: 'boolean', default: false },
      chain: { type: 'boolean', default: false },
      how: { type: 'string', default: 'both' },
      company: { type: 'string' },
      // What --company was called at first.
      preset: { type: 'string' },
      transactions: { type: 'string', default: '40' },
      years: { type: 'string', default: '1' },
      currency: { type: 'string' },
      country: { type: 'string' },
      'moving-prices': { type: 'boolean', default: false },
      awkward: { type: 'boolean', default: false },
      meanwhile: { type: 'boolean', default: false },
      'shrink-runs': { type: 'string', default: '10' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { how } = values;
  const company = values.company ?? values.preset ?? 'generated';
  if (how !== 'live' && how !== 'backfill' && how !== 'both' && how !== 'turns')
    throw new TypeError('--how takes live, backfill, both or turns');
  if (!isCompanyKind(company)) throw new TypeError('--company takes generated, sample, empty or fixtures');
  if (values.country !== undefined && !isCountry(values.country))
    throw new TypeError('--country takes US, GB, CA or AU');
  if (values['two-way'] && values.chain) throw new TypeError('--two-way or --chain, not both');
  return {
    ...(values['two-way'] && { shape: 'two-way' as const }),
    ...(values.chain && { shape: 'chain' as const }),
    together: values.together,
    seeds: seedsIn(values.seeds ?? values.seed ?? '1'),
    acts: wholeNumber('--acts', values.acts),
    ...(values.only !== undefined && { only: listed(values.only).map((one) => wholeNumber('--only', one)) }),
    ...(values.types !== undefined && { types: listed(values.types) }),
    ...(values.currency !== undefined && { currency: values.currency }),
    ...(values.country !== undefined && { country: values.country }),
    shuffle: values.shuffle,
    faults: values.faults,
    kills: wholeNumber('--kills', values.kills),
    how: how === 'live' || how === 'backfill' ? [how] : ['live', 'backfill'],
    inTurns: how === 'turns',
    company,
    transactions: wholeNumber('--transactions', values.transactions),
    years: wholeNumber('--years', values.years),
    movingPrices: values['moving-prices'],
    awkward: values.awkward,
    meanwhile: values.meanwhile,
    shrinkRuns: wholeNumber('--shrink-runs', values['shrink-runs']),
  };
}

const companyKinds: readonly CompanyKind[] = ['generated', 'sample', 'empty', 'fixtures'];
const isCompanyKind = (text: string): text is CompanyKind => companyKinds.some((one) => one === text);

/** `1-4,9` -> 1, 2, 3, 4, 9 */
function seedsIn(text: string): number[] {
  const seeds = listed(text).flatMap((part) => {
    const [first, last = first] = part.split('-').map((one) => wholeNumber('--seeds', one));
    if (last! < first!) throw new TypeError('--seeds takes numbers and ranges: 1-12,40');
    return Array.from({ length: last! - first! + 1 }, (_, n) => first! + n);
  });
  if (seeds.length === 0) throw new TypeError('--seeds takes numbers and ranges: 1-12,40');
  return seeds;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new TypeError(`${name} takes a whole number from 0 up`);
  return value;
}

const listed = (text: string): string[] => text.split(',').filter((one) => one.trim() !== '');

function isCountry(text: string): text is Country {
  return text in countries;
}
