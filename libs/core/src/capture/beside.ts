// What belongs to a record and stands elsewhere in QBO. Some money has no entity (ledger.md 6): the stock an item began with
// is a transaction that only reports show. A tax code names its rates by ids, and a rate can be made only together with a
// code. Capture puts such facts into the snapshot, so that mapping stays a function of one record.
import type { Json } from '../model/json.js';
import { pick } from '../canonical/paths.js';

/** The stock an inventory item was created with. */
export interface StartingStock {
  Qty: number;
  Value: number;
  AsOf: string;
}

/** Older companies call it an adjustment; the number is what both have. */
const startingTypes = new Set(['inventory starting value', 'inventory qty adjust']);
export const startingStockColumns = 'tx_date,txn_type,doc_num,memo,quantity,subt_nat_amount,item_name';

/** From a GeneralLedger report with `startingStockColumns`: by item id. */
export function startingStockIn(report: Json): Map<string, StartingStock> {
  const keys = pick(report, 'Columns.Column.*').map((column) => keyOf(column as Json));
  const found = new Map<string, StartingStock>();
  for (const cells of dataRows(report.Rows as Json | undefined)) {
    const cell = (key: string) => cells[keys.indexOf(key)];
    const text = (key: string) => String(cell(key)?.value ?? '').trim();
    if (text('doc_num') !== 'START' || !startingTypes.has(text('txn_type').toLowerCase())) continue;
    const [itemId, quantity] = [String(cell('item_name')?.id ?? ''), Number(text('quantity') || NaN)];
    // The row of the other account shows the value again, without a quantity.
    if (itemId === '' || !Number.isFinite(quantity) || found.has(itemId)) continue;
    found.set(itemId, { Qty: quantity, Value: Number(text('subt_nat_amount')), AsOf: text('tx_date') });
  }
  return found;
}

/** The day whose ledger shows how an item began; undefined for what holds no stock. */
export function startingDay(item: Json): string | undefined {
  return item.Type === 'Inventory' && typeof item.InvStartDate === 'string' ? item.InvStartDate : undefined;
}

/** A tax code with the facts of its rates, which it names by id only. */
export function withTaxRates(code: Json, rates: ReadonlyMap<string, Json>): Json {
  const facts = (['Sales', 'Purchase'] as const).flatMap((side) =>
    pick(code, `${side}TaxRateList.TaxRateDetail.*`).flatMap((detail) => {
      const rate = rates.get(String((detail as Json).TaxRateRef?.value ?? ''));
      if (!rate) return [];
      const { Name, RateValue, AgencyRef } = rate;
      return [{ Name: Name as string, RateValue: RateValue as number, AgencyRef: AgencyRef as Json, Applies: side }];
    }),
  );
  return facts.length === 0 ? code : { ...code, TaxRates: facts };
}

/** A tax rate with the code that brings it to a company: the first one made, where several use it. */
export function withTaxCode(rate: Json, codes: readonly Json[]): Json {
  const sides = ['SalesTaxRateList', 'PurchaseTaxRateList', 'AdjustmentTaxRateList'];
  const uses = (code: Json) =>
    sides.some((side) =>
      pick(code, `${side}.TaxRateDetail.*`).some((detail) => (detail as Json).TaxRateRef?.value === rate.Id),
    );
  const users = codes.filter(uses).sort((a, b) => Number(a.Id) - Number(b.Id));
  return users.length === 0 ? rate : { ...rate, UsedBy: { value: String(users[0]!.Id) } };
}

function keyOf(column: Json): string {
  const named = (column.MetaData as Json[] | undefined)?.find(({ Name }) => Name === 'ColKey');
  return String(named?.Value ?? '');
}

function dataRows(rows: Json | undefined): Json[][] {
  const list: unknown = rows?.Row;
  if (!Array.isArray(list)) return [];
  return (list as Json[]).flatMap((row) => [
    ...(Array.isArray(row.ColData) ? [row.ColData as Json[]] : []),
    ...dataRows(row.Rows as Json | undefined),
  ]);
}
