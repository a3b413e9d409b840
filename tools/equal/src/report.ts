// What the proof says, in words an accountant can follow: what was compared, what is not there and why, what differs.
import type { How } from './arguments.js';
import type { Done, Outcome } from './history.js';
import type { Held, Judgement } from './judgement.js';

const shownDifferences = 60;

/** @returns lines, differences last */
export function reportLines({ judgements }: Outcome): string[] {
  return judgements.flatMap(({ how, judgement }) => [
    ...countLines(how, judgement),
    ...balanceLines(how, judgement),
    ...heldLines(how, judgement.held),
    ...judgement.notes.map((note) => `${how}: note: ${note}`),
    ...differenceLines(how, judgement),
  ]);
}

function countLines(how: How, { counts, notCarried }: Judgement): string[] {
  const one = ({ type, source, target, held }: Judgement['counts'][number]): string =>
    `${type} ${source}${source === target ? '' : `/${target}`}${held > 0 ? ` (+${held} held)` : ''}`;
  const lines = [`${how}: records by type, source = target unless two numbers: ${counts.map(one).join(', ')}`];
  if (notCarried.length > 0)
    lines.push(`${how}: not carried: ${notCarried.map(({ type, records }) => `${type} ${records}`).join(', ')}`);
  return lines;
}

function balanceLines(how: How, { trialBalance: t, held }: Judgement): string[] {
  const without = held.length > 0 ? `, without the ${held.length} held` : '';
  return [
    `${how}: trial balance of ${t.accounts} accounts${without}: debits ${t.source} in the source, ${t.target} in the target, difference ${t.difference}`,
  ];
}

const heldLines = (how: How, held: readonly Held[]): string[] =>
  held.map(({ key, reason, amount }) => `${how}: held: ${key}, amount ${amount}: ${reason}`);

function differenceLines(how: How, { differences }: Judgement): string[] {
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
}

/** Of one history, both ways together: types and records are those of the larger, a record held both ways is one. */
export function totalsOf(acts: number, { judgements }: Outcome): Totals {
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
  };
}

export const closingLine = ({ acts, types, records, differences, held }: Totals): string =>
  `equal: acts=${acts} types=${types} records=${records} differences=${differences} held=${held}`;

/** In which ways it fails. */
export const failingIn = ({ judgements }: Outcome): How[] =>
  judgements.filter(({ judgement }) => judgement.differences.length > 0).map(({ how }) => how);

export const told = ({ index, act, type, id, name, with: others }: Done): string =>
  `${index}: ${act} ${type} ${id}${name ? ` "${name}"` : ''}${others?.length ? ` with ${others.map((one) => `${one.type} ${one.id}`).join(', ')}` : ''}`;
