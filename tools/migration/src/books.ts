// What a company holds, by the emulator's dump and ledger, and what of it is not as it was. Pure.
import { canonicalText, entityTypes, stays, withoutNoise } from '#core';
import type { Raw } from '#testing';

export interface BooksNow {
  records: Record<string, Raw[]>;
  trialBalance: Raw[];
}

export interface BooksBefore {
  /** what each record said, by type and id */
  records: Map<string, string>;
  balances: ReadonlyMap<string, string>;
  /** what a person made since, by type and id */
  theirs: Set<string>;
}

/** Kept by QuickBooks itself: who a company is, and what comes with the use of a currency. */
const own: ReadonlySet<string> = new Set(['CompanyInfo', 'Preferences', 'ExchangeRate', 'CompanyCurrency', 'TaxRate']);

export function booksBefore({ records, trialBalance }: BooksNow): BooksBefore {
  const said = new Map<string, string>();
  for (const [type, rows] of Object.entries(records))
    if (!own.has(type)) for (const row of rows) said.set(`${type}/${row.Id}`, saying(row));
  return { records: said, balances: balancesOf(trialBalance), theirs: new Set() };
}

/** Records alive that were not there before, and what says something else than it did; amounts of accounts among it. */
export function changedSince(before: BooksBefore, now: BooksNow): { alive: string[]; changed: string[] } {
  const [alive, changed] = [new Array<string>(), new Array<string>()];
  const seen = new Set<string>();
  for (const [type, rows] of Object.entries(now.records)) {
    const definition = entityTypes[type];
    for (const row of own.has(type) ? [] : rows) {
      const key = `${type}/${row.Id}`;
      seen.add(key);
      const was = before.records.get(key);
      if (was !== undefined) {
        if (was !== saying(row)) changed.push(`${key}: ${was.slice(0, 400)} -> ${saying(row).slice(0, 400)}`);
      } else if (before.theirs.has(key)) continue;
      else if (row.Active !== false && !(definition && stays(definition)))
        alive.push(`${key} ${String(row.DisplayName ?? row.Name ?? row.DocNumber ?? '')}`);
    }
  }
  for (const key of before.records.keys()) if (!seen.has(key)) changed.push(`${key} is gone`);
  const balances = balancesOf(now.trialBalance);
  for (const account of new Set([...before.balances.keys(), ...balances.keys()])) {
    const [was, is] = [before.balances.get(account) ?? '0', balances.get(account) ?? '0'];
    if (was !== is) changed.push(`balance of account ${account}: ${was} -> ${is}`);
  }
  return { alive, changed };
}

const saying = (row: Raw): string => canonicalText(withoutNoise(row));

function balancesOf(rows: readonly Raw[]): Map<string, string> {
  const sums = rows.map(
    (row) => [String(row.accountId ?? row.id ?? row.name), `${Number(row.debit)}|${Number(row.credit)}`] as const,
  );
  return new Map(sums.filter(([, sum]) => sum !== '0|0'));
}
