// What `npm run demo -- ...` understands.
import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** few lines: phases and the end */
  quiet: boolean;
  /** keep everything running after the end, until Ctrl-C */
  stay: boolean;
  /** a real Prometheus watches, with our rules, and tells how the objectives stand */
  observe: boolean;
  /** how long the person works in the source */
  workMs: number;
  seed: number;
}

export const usage = `npm run demo -- [--quiet] [--stay] [--observe] [--work-seconds 20] [--seed N]
Builds two QuickBooks companies on the emulator, connects them, backfills, lets a person work under lossy webhooks, kills the
writer once, replays the topics, and compares the books. Exit 0 only if the last line says that they are equal.
--observe: a real Prometheus (the machine's own; Debian: apt-get install prometheus) scrapes the six apps with our rules loaded;
a table at the end says of each objective its value and the state of its alerts.`;

/** @throws TypeError with a sentence for a person */
export function readArguments(args: string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      quiet: { type: 'boolean', default: false },
      stay: { type: 'boolean', default: false },
      observe: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      'work-seconds': { type: 'string', default: '20' },
      seed: { type: 'string', default: '7' },
    },
  });
  if (values.help) return 'help';
  const workSeconds = Number(values['work-seconds']);
  const seed = Number(values.seed);
  if (!(workSeconds >= 1 && workSeconds <= 3600)) throw new TypeError('--work-seconds takes 1 to 3600');
  if (!Number.isSafeInteger(seed)) throw new TypeError('--seed takes a whole number');
  const { quiet, stay, observe } = values;
  return { quiet, stay, observe, workMs: workSeconds * 1000, seed };
}
