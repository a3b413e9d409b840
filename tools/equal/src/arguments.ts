// What `npm run equal -- ...` understands.
import { parseArgs } from 'node:util';

export interface EqualOptions {
  seed: number;
  acts: number;
  /** indices of the acts to do, of those that the seed gives; all when absent */
  only?: readonly number[];
  /** entity types that are judged; all when absent */
  types?: readonly string[];
  /** lost, doubled and reordered webhooks; backfill type by type, children before parents */
  shuffle: boolean;
  how: readonly How[];
  preset: 'sample' | 'generated' | 'empty';
  transactions: number;
  /** a second currency in the generated company */
  currency?: string;
  /** runs that may be spent on finding a shorter failing history; 0 = none */
  shrinkRuns: number;
}

/** live: the target follows act by act; backfill: the target is filled when all is done */
export type How = 'live' | 'backfill';

export const usage = `npm run equal -- --seed S --acts N [--types Invoice,Payment] [--shuffle] [--how live|backfill|both]
  [--preset generated|sample|empty] [--transactions 40] [--currency EUR] [--only 3,17,21] [--shrink-runs 10]
One random history in a source company, carried to an empty one live and to another by backfill; at rest the two sets of books
are compared. Exit 0 only when nothing differs; otherwise a shorter history that fails is looked for and printed.`;

/** @throws TypeError with a sentence for a person */
export function readArguments(args: string[]): EqualOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      acts: { type: 'string', default: '60' },
      only: { type: 'string' },
      types: { type: 'string' },
      shuffle: { type: 'boolean', default: false },
      how: { type: 'string', default: 'both' },
      preset: { type: 'string', default: 'generated' },
      transactions: { type: 'string', default: '40' },
      currency: { type: 'string' },
      'shrink-runs': { type: 'string', default: '10' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { how, preset } = values;
  if (how !== 'live' && how !== 'backfill' && how !== 'both') throw new TypeError('--how takes live, backfill or both');
  if (preset !== 'sample' && preset !== 'generated' && preset !== 'empty')
    throw new TypeError('--preset takes generated, sample or empty');
  return {
    seed: wholeNumber('--seed', values.seed),
    acts: wholeNumber('--acts', values.acts),
    ...(values.only !== undefined && { only: listed(values.only).map((one) => wholeNumber('--only', one)) }),
    ...(values.types !== undefined && { types: listed(values.types) }),
    ...(values.currency !== undefined && { currency: values.currency }),
    shuffle: values.shuffle,
    how: how === 'both' ? ['live', 'backfill'] : [how],
    preset,
    transactions: wholeNumber('--transactions', values.transactions),
    shrinkRuns: wholeNumber('--shrink-runs', values['shrink-runs']),
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new TypeError(`${name} takes a whole number from 0 up`);
  return value;
}

const listed = (text: string): string[] => text.split(',').filter((one) => one.trim() !== '');
