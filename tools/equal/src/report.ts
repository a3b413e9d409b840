// What the proof says, in words an accountant can follow: what was compared, what is not there and why, what differs.
import type { How } from './arguments.js';
import type { Done, Outcome } from './history.js';
import type { Held, Judgement } from './judgement.js';

export interface Reported {
  judgements: readonly { how: string; judgement: Judgement }[];
}

const shownDifferences = 60;

/** @returns lines, differences last */
export function reportLines({ judgements }: Reported): string[] {
  return judgements.flatMap(({ how, judgement }) => [
    ...countLines(how, judgement),
    ...balanceLines(how, judgement),
    ...heldLines(how, judgement.held),
    ...judgement.notes.map((note) => `${how}: note: ${note}`),
    ...differenceLines(how, judgement),
  ]);
}

function countLines(how: string, { counts, notCarried }: Judgement): string[] {
  const one = ({ type, source, target, held }: Judgement['counts'][number]): string =>
    `${type} ${source}${source === target ? '' : `/${target}`}${held > 0 ? ` (+${held} held)` : ''}`;
  const lines = [`${how}: records by type, source = target unless two numbers: ${counts.map(one).join(', ')}`];
  if (notCarried.length > 0)
    lines.push(`${how}: not carried: ${notCarried.map(({ type, records }) => `${type} ${records}`).join(', ')}`);
  return lines;
}

function balanceLines(how: string, { trialBalance: t, held }: Judgement): string[] {
  const without = held.length > 0 ? `, without the ${held.length} held` : '';
  return [
    `${how}: trial balance of ${t.accounts} accounts${without}: debits ${t.source} in the source, ${t.target} in the target, difference ${t.difference}`,
  ];
}

const heldLines = (how: string, held: readonly Held[]): string[] =>
  held.map(({ key, reason, amount }) => `${how}: held: ${key}, amount ${amount}: ${reason}`);

function differenceLines(how: string, { differences }: Judgement): string[] {
  const lines = differences
    .slice(0, shownDifferences)
    .map(({ what, key, text, cause }) => `${how}: difference: ${what} ${key}: ${text}${cause ? ` <- ${cause}` : ''}`);
  if (differences.length > shownDifferences)
    lines.push(`${how}: and ${differences.length - shownDifferences} more differences`);
  return lines;
}

export interface Totals {
  acts: number;
  types: number;
  records: number;
  differences: number;
  held: number;
  /** writes that QuickBooks counted after everything was at rest; absent: nobody asked for them */
  writesAfterRest?: number;
}

/** Of one history, both ways together: types and records are those of the larger, a record held both ways is one. */
export function totalsOf(acts: number, { judgements }: Reported): Totals {
  const most = (of: (judgement: Judgement) => number): number =>
    Math.max(0, ...judgements.map(({ judgement }) => of(judgement)));
  return {
    acts,
    types: most((j) => j.types),
    records: most((j) => j.records),
    differences: judgements.reduce((sum, { judgement }) => sum + judgement.differences.length, 0),
    held: new Set(judgements.flatMap(({ judgement }) => judgement.held.map(({ key }) => key))).size,
  };
}

export function sumOf(all: readonly Totals[]): Totals {
  const sum = (of: (one: Totals) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    acts: sum((one) => one.acts),
    types: Math.max(0, ...all.map((one) => one.types)),
    records: sum((one) => one.records),
    differences: sum((one) => one.differences),
    held: sum((one) => one.held),
    ...(all.some((one) => one.writesAfterRest !== undefined) && {
      writesAfterRest: sum((one) => one.writesAfterRest ?? 0),
    }),
  };
}

export const closingLine = ({ acts, types, records, differences, held, writesAfterRest }: Totals): string =>
  `equal: acts=${acts} types=${types} records=${records} differences=${differences} held=${held}${
    writesAfterRest === undefined ? '' : ` writes_after_rest=${writesAfterRest}`
  }`;

/** In which ways it fails. */
export const failingIn = ({ judgements }: Outcome): How[] =>
  judgements.filter(({ judgement }) => judgement.differences.length > 0).map(({ how }) => how);

export const told = ({ index, act, type, id, name, with: others }: Done): string =>
  `${index}: ${act} ${type} ${id}${name ? ` "${name}"` : ''}${others?.length ? ` with ${others.map((one) => `${one.type} ${one.id}`).join(', ')}` : ''}`;
