// The source company of a history: made up from a seed, or real records from beside the project.
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatorClient, Raw } from '#testing';
import { countries, type EqualOptions } from './arguments.js';

/** Real records are never part of the project: where they are absent, the proof says so. */
export const fixturesFolder = join(process.cwd(), '..', 'shared', 'fixtures', 'sandbox-company');
export const fixturesPresent = (): boolean => existsSync(fixturesFolder);

/** Own document numbers everywhere: otherwise the target would number by the order of arrival. */
export const preferences = { SalesFormsPrefs: { CustomTxnNumbers: true } };

/** Where source and target are. */
export const placeOf = ({ country }: EqualOptions) => country && { country, homeCurrency: countries[country] };

/** @returns its realm */
export async function makeSource(emulator: EmulatorClient, o: EqualOptions, seed: number): Promise<string> {
  const foreign = o.currency !== undefined && { multicurrency: true, currency: o.currency };
  const what: Record<string, unknown> =
    o.company === 'fixtures'
      ? { preset: 'import', records: await realRecords() }
      : {
          ...{ preset: o.company, seed, ...foreign },
          ...(o.company === 'generated' && {
            transactions: o.transactions,
            years: o.years,
            movingPrices: o.movingPrices,
          }),
        };
  return (await emulator.createCompany({ name: `Source ${seed}`, preferences, ...placeOf(o), ...what })).realmId;
}

async function realRecords(): Promise<Record<string, Raw[]>> {
  const records: Record<string, Raw[]> = {};
  for (const file of (await readdir(fixturesFolder)).filter((name) => name.endsWith('.json'))) {
    records[file.replace('.json', '')] = JSON.parse(await readFile(join(fixturesFolder, file), 'utf8')) as Raw[];
  }
  return { ...missingLists(records), ...records };
}

/** Short lists that were not captured, made up under their ids and names: without a term half of the invoices would wait for it. */
function missingLists(records: Record<string, Raw[]>): Record<string, Raw[]> {
  const lists: Record<string, Map<string, Raw>> = { Term: new Map(), PaymentMethod: new Map() };
  const note = (type: 'Term' | 'PaymentMethod', { value, name }: Raw): void => {
    const Id = String(value);
    const Name = String(name ?? `${type} ${Id}`);
    const own = type === 'Term' ? { Type: 'STANDARD', DueDays: 30, DiscountPercent: 0 } : { Type: 'NON_CREDIT_CARD' };
    if (!lists[type]!.has(Id)) lists[type]!.set(Id, { Id, SyncToken: '0', Name, Active: true, ...own });
  };
  for (const record of Object.values(records).flat()) {
    for (const field of ['SalesTermRef', 'TermRef']) if (record[field]) note('Term', record[field]);
    if (record.PaymentMethodRef) note('PaymentMethod', record.PaymentMethodRef);
    for (const line of (record.Line as Raw[] | undefined) ?? [])
      if (line.DepositLineDetail?.PaymentMethodRef) note('PaymentMethod', line.DepositLineDetail.PaymentMethodRef);
  }
  return Object.fromEntries(Object.entries(lists).map(([type, rows]) => [type, [...rows.values()]]));
}
