// What `npm run chaos -- ...` understands.
import { parseArgs } from 'node:util';
import { canKill, nemeses, type Nemesis } from './plan.js';
import { mostChanges } from './rounds.js';

export interface ChaosOptions {
  seed: number;
  changes: number;
  kills: number;
  nemeses: readonly Nemesis[];
  /** one broker, little of everything: under a minute */
  quick: boolean;
  /** a journal whose acts are repeated */
  replay?: string;
  /** go on with the rounds that an earlier run of the same numbers did not finish */
  resume: boolean;
  /** at most so many changes in one round */
  perRound: number;
  /** journals, and what finished rounds found */
  folder: string;
}

export const usage = `npm run chaos -- [--seed 1] [--changes 3000] [--kills 30] [--nemesis ${nemeses.join(',')}]
  [--quick] [--per-round ${mostChanges}] [--resume] [--folder .cache/chaos] | --replay JOURNAL
The whole system as processes under the load of persons at work, while a seeded nemesis kills, stops, freezes, cuts off and fills
what it can reach. Then everything is healed, the books are compared, the checker judges. Exit 0 only when nothing was
lost, doubled or reordered, no quota exceeded, and all thirteen invariants hold.
--quick: one broker, 60 changes, 3 kills unless said otherwise. More changes than --per-round run in rounds, each a new
installation with a seed of its own; --resume goes on after the last finished round. --replay repeats the acts of a journal at the
same numbers of changes. --folder holds the journals and what finished rounds found.`;

/** @throws TypeError with a sentence for a person */
export function readArguments(args: string[]): ChaosOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      changes: { type: 'string' },
      kills: { type: 'string' },
      nemesis: { type: 'string' },
      quick: { type: 'boolean', default: false },
      replay: { type: 'string' },
      'per-round': { type: 'string', default: String(mostChanges) },
      resume: { type: 'boolean', default: false },
      folder: { type: 'string', default: '.cache/chaos' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const wanted = (values.nemesis ?? nemeses.join(',')).split(',').filter((one) => one !== '');
  const unknown = wanted.find((one) => !nemeses.includes(one as Nemesis));
  if (unknown !== undefined) throw new TypeError(`no nemesis is called ${unknown}: ${nemeses.join(', ')}`);
  const able = canKill(new Set(wanted as Nemesis[]));
  const kills = wholeNumber('--kills', values.kills ?? (able ? (values.quick ? '3' : '30') : '0'));
  if (kills > 0 && !able) throw new TypeError('--kills needs one of apps, brokers, postgres among --nemesis');
  const perRound = wholeNumber('--per-round', values['per-round']);
  if (perRound < 1 || perRound > mostChanges)
    throw new TypeError(`--per-round takes 1 to ${mostChanges}: a judgement needs every request that was made`);
  return {
    perRound,
    seed: wholeNumber('--seed', values.seed),
    changes: wholeNumber('--changes', values.changes ?? (values.quick ? '60' : '3000')),
    kills,
    nemeses: wanted as Nemesis[],
    quick: values.quick,
    resume: values.resume,
    folder: values.folder,
    ...(values.replay !== undefined && { replay: values.replay }),
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new TypeError(`${name} takes a whole number from 0 up`);
  return value;
}
