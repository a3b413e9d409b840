// QuickBooks' report TrialBalance as rows, and two of them laid side by side through the links of accounts. Titles are
// localised and nested by the chart of accounts; ids are not, so rows go by the id of their account.
import type { Json } from '../model/json.js';
import { moneyOf, toCents, type Money } from '../money/index.js';

export interface AccountBalance {
  /** absent: retained earnings of a company that never made that account */
  accountId?: string;
  name: string;
  /** debit minus credit, exact, as text */
  balance: string;
}

/** The rows of a report; undefined when QuickBooks cut it off, for a part of a trial balance says nothing. */
export function trialBalanceRows(report: Json): AccountBalance[] | undefined {
  const rows: AccountBalance[] = [];
  let cut = false;
  const walk = (list: unknown): void => {
    for (const row of Array.isArray(list) ? (list as Json[]) : []) {
      const [account, debit, credit] = (row.ColData ?? []) as Json[];
      if (account && String(account.value ?? '').startsWith('Unable to display')) cut = true;
      else if (account && row.group === undefined && debit) {
        const balance = (moneyOf(debit.value || 0) ?? zero()).minus(moneyOf(credit?.value || 0) ?? zero());
        const { id } = account as { id?: string };
        rows.push({ ...(id ? { accountId: String(id) } : {}), name: String(account.value), balance: inCents(balance) });
      }
      walk((row.Rows as Json | undefined)?.Row);
    }
  };
  walk((report.Rows as Json | undefined)?.Row);
  return cut ? undefined : rows;
}

export interface BalanceComparison {
  sourceName: string | null;
  targetName: string | null;
  targetId: string | null;
  source: string;
  /** less what it had of its own before the migration */
  target: string;
  own: string;
  difference: string;
}

/**
 * Accounts of the target with what the source says they must hold. Several accounts of the source may go into one.
 * @param targetOf account of the target, by account of the source; what no link knows stands alone
 * @param before what the target had of its own
 */
export function compareTrialBalances(
  source: readonly AccountBalance[],
  target: readonly AccountBalance[],
  targetOf: (sourceId: string) => string | undefined,
  before: readonly AccountBalance[] = [],
): BalanceComparison[] {
  const lines = new Map<
    string,
    { sourceName?: string; targetName?: string; targetId?: string; source: Money; target: Money; own: Money }
  >();
  const at = (key: string) => {
    const known = lines.get(key) ?? { source: zero(), target: zero(), own: zero() };
    lines.set(key, known);
    return known;
  };
  // Without an account of its own a company's retained earnings go by their name.
  const targetKey = ({ accountId, name }: AccountBalance) =>
    accountId === undefined ? `name ${name}` : `id ${accountId}`;
  for (const row of source) {
    const mapped = row.accountId === undefined ? undefined : targetOf(row.accountId);
    const key =
      row.accountId === undefined
        ? `name ${row.name}`
        : mapped === undefined
          ? `unlinked ${row.accountId}`
          : `id ${mapped}`;
    const line = at(key);
    line.source = line.source.plus(row.balance);
    line.sourceName = line.sourceName === undefined ? row.name : `${line.sourceName}, ${row.name}`;
    if (mapped !== undefined) line.targetId = mapped;
  }
  for (const row of target) {
    const line = at(targetKey(row));
    line.target = line.target.plus(row.balance);
    line.targetName = row.name;
    if (row.accountId !== undefined) line.targetId = row.accountId;
  }
  for (const row of before) {
    const line = at(targetKey(row));
    line.own = line.own.plus(row.balance);
    line.targetName ??= row.name;
  }
  return [...lines.values()].map((line) => ({
    sourceName: line.sourceName ?? null,
    targetName: line.targetName ?? null,
    targetId: line.targetId ?? null,
    source: inCents(line.source),
    target: inCents(line.target.minus(line.own)),
    own: inCents(line.own),
    difference: inCents(line.target.minus(line.own).minus(line.source)),
  }));
}

const zero = (): Money => moneyOf(0)!;
const inCents = (amount: Money): string => toCents(amount).plus(0).toFixed(2);
