// The verdict over a migration, for people who sign it: of each type how many the source has and what became of each, of each
// account what both companies' own trial balances say, and every difference by its name. Nothing is rounded and nothing is
// excused: `equal` means that there is no difference.
//
// A validation that is made before the first record is written is the baseline: what the target had of its own. Later ones
// take it off the target's side.
import { definitionOf } from '../registry/index.js';
import type { AccountBalance, BalanceComparison } from './trial-balance.js';
import { compareTrialBalances } from './trial-balance.js';

export interface LinkTally {
  entityType: string;
  /** as the sync wants it: `gone` in the source, left out by the mapping, or to be there */
  wish: 'there' | 'gone' | 'excluded';
  state: 'settled' | 'held' | 'open';
  /** of what is held */
  code: string | null;
  /** the target has a record for it by this sync */
  hasTarget: boolean;
  count: number;
}

export interface ValidationFacts {
  /** records by type, as QuickBooks counts them; a type that it does not count is absent */
  counted: { source: ReadonlyMap<string, number>; target: ReadonlyMap<string, number> };
  /** records of the source that no API can make, by type */
  notPossible?: ReadonlyMap<string, number> | undefined;
  links: readonly LinkTally[];
  /** undefined: the report was cut off */
  balances: { source: AccountBalance[] | undefined; target: AccountBalance[] | undefined };
  /** account of the target, by account of the source */
  targetAccount: (sourceId: string) => string | undefined;
  baseline?: Baseline | undefined;
}

export interface Baseline {
  number: number;
  counts: Record<string, number>;
  balances: AccountBalance[];
}

export interface TypeLine {
  type: string;
  /** null: QuickBooks does not count this type */
  source: number | null;
  linked: number;
  settled: number;
  held: Record<string, number>;
  open: number;
  excluded: number;
  /** no API can make them */
  notPossible: number;
  /** what the target has, and what it had of its own (null: nobody looked before) */
  target: number | null;
  own: number | null;
}

export interface NamedDifference {
  kind: 'count' | 'held' | 'open' | 'missing' | 'account' | 'report';
  subject: string;
  source: string;
  target: string;
  detail: string;
}

export interface ValidationReport {
  verdict: 'equal' | 'different' | 'baseline';
  /** number of the validation that said what the target had of its own */
  baseline: number | null;
  types: TypeLine[];
  accounts: BalanceComparison[];
  differences: NamedDifference[];
  /** of a baseline: what later ones take off */
  own?: Omit<Baseline, 'number'>;
}

/** @param asked types that are compared, those of the registry that are carried */
export function validationReport(asked: readonly string[], facts: ValidationFacts): ValidationReport {
  const { counted, balances, baseline } = facts;
  const isFirst = facts.links.every(({ hasTarget }) => !hasTarget);
  const types = asked.map((type) => typeLine(type, facts));
  const compared =
    balances.source && balances.target
      ? compareTrialBalances(balances.source, balances.target, facts.targetAccount, baseline?.balances)
      : [];
  const differences = [
    ...types.flatMap(ofType),
    ...compared.filter(({ difference }) => Number(difference) !== 0).map(ofAccount),
    ...(balances.source && balances.target ? [] : [cutOff]),
  ];
  const shown = types.filter(({ source, linked, target }) => (source ?? 0) + linked + (target ?? 0) > 0);
  const told = { types: shown, accounts: compared, differences, baseline: baseline?.number ?? null };
  if (isFirst && balances.target)
    return {
      ...told,
      verdict: 'baseline',
      own: { counts: Object.fromEntries(counted.target), balances: balances.target },
    };
  return { ...told, verdict: differences.length === 0 ? 'equal' : 'different' };
}

function typeLine(type: string, { counted, links, baseline, notPossible }: ValidationFacts): TypeLine {
  const own = links.filter(({ entityType }) => entityType === type);
  const sum = (of: (one: LinkTally) => boolean) => own.filter(of).reduce((total, { count }) => total + count, 0);
  const held: Record<string, number> = {};
  for (const { state, code, count } of own) if (state === 'held') held[code ?? ''] = (held[code ?? ''] ?? 0) + count;
  return {
    type,
    source: counted.source.get(type) ?? null,
    linked: sum(({ wish }) => wish === 'there'),
    settled: sum(({ wish, state }) => wish === 'there' && state === 'settled'),
    held,
    open: sum(({ state }) => state === 'open'),
    excluded: sum(({ wish }) => wish === 'excluded'),
    notPossible: notPossible?.get(type) ?? 0,
    target: counted.target.get(type) ?? null,
    own: baseline ? (baseline.counts[type] ?? 0) : null,
  };
}

function ofType(line: TypeLine): NamedDifference[] {
  const { type, source, linked, excluded, notPossible, open, held, settled, target } = line;
  const found: NamedDifference[] = [];
  const known = linked + excluded + notPossible;
  // What the target makes itself, tax rates beside their codes, is not counted against the source.
  if (source !== null && source !== known && definitionOf(type).policy !== 'adopted')
    found.push({
      ...{ kind: 'count', subject: type, source: String(source), target: String(known) },
      detail: `the source has ${source}, this sync knows of ${linked}, leaves ${excluded} out, and ${notPossible} cannot be made`,
    });
  for (const [code, count] of Object.entries(held))
    found.push({
      kind: 'held',
      subject: type,
      source: String(count),
      target: '0',
      detail: `${count} wait for a person: ${code}`,
    });
  if (open > 0)
    found.push({ kind: 'open', subject: type, source: String(open), target: '0', detail: `${open} are on their way` });
  // One copy each; a name that the target had is one, too.
  if (target !== null && target < settled && definitionOf(type).policy !== 'adopted')
    found.push({
      ...{ kind: 'missing', subject: type, source: String(settled), target: String(target) },
      detail: `${settled} were written or adopted, and the target has ${target}: a sweep says which are gone`,
    });
  return found;
}

const ofAccount = ({ sourceName, targetName, source, target, difference }: BalanceComparison): NamedDifference => ({
  kind: 'account',
  subject: targetName ?? sourceName ?? 'an account',
  source,
  target,
  detail:
    sourceName === null
      ? `the target has ${target} on it, and no account of the source goes there`
      : targetName === null
        ? `no account of the target holds what ${sourceName} of the source has`
        : `the target differs by ${difference}`,
});

const cutOff: NamedDifference = {
  kind: 'report',
  subject: 'TrialBalance',
  source: '',
  target: '',
  detail: 'QuickBooks cut a trial balance off, so the two cannot be compared',
};
