// Inventory valuation: quantity, value of the remaining layers, average; and the movements behind them.
import type { CompanyView, Rec } from '../types.js';
import { centsText, plus, share, unitsText, type Cents } from '../money/index.js';
import { dateOf, type Ledger } from '../ledger/index.js';
import { dataRow, frame, idFilter, money, reportDate, section, text, type Column, type Params } from './frame.js';
import { dayPeriod, nameOf } from './statements.js';

function itemsOf(params: Params, company: CompanyView): Rec[] {
  const asked = idFilter(params.item);
  return [...company.all('Item')]
    .filter((item) => item.Type === 'Inventory' && (!asked || asked.has(String(item.Id))))
    .sort((a, b) => (String(a.Name).toLowerCase() < String(b.Name).toLowerCase() ? -1 : 1));
}

function average(value: Cents, units: number): string {
  if (units === 0) return '';
  return (share(value * 1000, 1e7, units) / 100_000).toFixed(5).replace(/0{1,3}$/, '');
}

export function inventoryValuationSummary(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const asOf = reportDate({ report_date: params.report_date ?? params.end_date }, company);
  let total = 0;
  const rows: Rec[] = [];
  for (const item of itemsOf(params, company)) {
    const stock = ledger.stock(String(item.Id));
    let units = 0;
    let value = 0;
    for (const movement of stock?.movements ?? []) {
      if (movement.ymd > asOf) continue;
      units = plus(units, movement.inbound ? movement.units : -movement.units);
      value = plus(value, movement.inbound ? movement.cost : -movement.cost);
    }
    total = plus(total, value);
    rows.push({
      ColData: [
        text(String(item.FullyQualifiedName ?? item.Name), String(item.Id)),
        text(String(item.Sku ?? '')),
        text(unitsText(units)),
        money(value),
        text(average(value, units)),
      ],
    });
  }
  const empty = rows.length === 0;
  rows.push(section({ summary: [text('TOTAL'), text(''), text(''), money(total), text('')], group: 'GrandTotal' }));
  return frame('InventoryValuationSummary', company, {
    period: dayPeriod(company, asOf),
    summarize: 'Total',
    columns: [
      { title: '', type: 'Item' },
      { title: 'SKU', type: 'String', key: 'sku' },
      { title: 'Qty', type: 'Quantity', key: 'quantity' },
      { title: 'Asset Value', type: 'Money', key: 'assetvalue' },
      { title: 'Calc. Avg', type: 'Money', key: 'avgcost' },
    ],
    rows,
    empty,
  });
}

export function inventoryValuationDetail(params: Params, company: CompanyView, ledger: Ledger): Rec {
  const asOf = reportDate({ report_date: params.report_date ?? params.end_date }, company);
  const columns: Column[] = [
    { title: 'Date', type: 'Date', key: 'tx_date' },
    { title: 'Transaction Type', type: 'String', key: 'txn_type' },
    { title: 'Num', type: 'String', key: 'doc_num' },
    { title: 'Name', type: 'String', key: 'name' },
    { title: 'Qty', type: 'Quantity', key: 'quantity' },
    { title: 'Rate', type: 'Money', key: 'rate' },
    { title: 'Inventory Cost', type: 'Money', key: 'subt_nat_amount' },
    { title: 'Qty on Hand', type: 'Quantity', key: 'qty_on_hand' },
    { title: 'Asset Value', type: 'Money', key: 'asset_value' },
  ];
  const rows: Rec[] = [];
  for (const item of itemsOf(params, company)) {
    const movements = ledger.stock(String(item.Id))?.movements.filter((m) => m.ymd <= asOf) ?? [];
    if (movements.length === 0) continue;
    let units = 0;
    let value = 0;
    const inner = movements.map((movement) => {
      const sign = movement.inbound ? 1 : -1;
      units = plus(units, sign * movement.units);
      value = plus(value, sign * movement.cost);
      const posting = ledger.posting(movement.type, movement.id);
      const { name, id } = nameOf(company, posting?.name);
      return dataRow([
        text(dateOf(movement.ymd)),
        text(posting?.label ?? movement.type, movement.id),
        text(posting?.docNumber),
        text(name, id ?? ''),
        text(unitsText(sign * movement.units)),
        text(movement.units === 0 ? '' : centsText(share(movement.cost, 1e7, movement.units))),
        money(sign * movement.cost || 0),
        text(unitsText(units)),
        money(value),
      ]);
    });
    const title = String(item.FullyQualifiedName ?? item.Name);
    rows.push(
      section({
        header: [text(title, String(item.Id)), ...Array.from({ length: 8 }, () => text(''))],
        rows: inner,
        summary: [
          text(`Total for ${title}`),
          ...Array.from({ length: 6 }, () => text('')),
          text(unitsText(units)),
          money(value),
        ],
      }),
    );
  }
  return frame('InventoryValuationDetail', company, {
    period: dayPeriod(company, asOf),
    columns,
    rows,
    empty: rows.length === 0,
  });
}
