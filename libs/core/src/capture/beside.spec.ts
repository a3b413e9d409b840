import type { Json } from '../model/json.js';
import { mergeLayers } from '../mapping/layers.js';
import { mapChange } from '../mapping/map-change.js';
import { defaultTemplate } from '../mapping/template.js';
import { startingDay, startingStockIn, withTaxRates } from './beside.js';

const column = (key: string) => ({ ColTitle: key, MetaData: [{ Name: 'ColKey', Value: key }] });
const row = (...cells: [string, string?][]) => ({
  type: 'Data',
  ColData: cells.map(([value, id]) => (id === undefined ? { value } : { value, id })),
});
const ledger = (...rows: Json[]): Json => ({
  Columns: {
    Column: ['tx_date', 'txn_type', 'doc_num', 'memo', 'quantity', 'subt_nat_amount', 'item_name'].map(column),
  },
  Rows: { Row: [{ type: 'Section', Header: { ColData: [{ value: 'Inventory Asset' }] }, Rows: { Row: rows } }] },
});
const start = (type: string, quantity: string, amount: string, id?: string, number = 'START') =>
  row(['2026-01-01'], [type], [number], ['Pump - Opening inventory and value'], [quantity], [amount], ['Pump', id]);
const mapped = (entityType: string, snapshot: Json) => {
  const result = mapChange(
    { realmId: '1', entityType, id: '5', version: 'v', deleted: false, snapshot },
    mergeLayers([defaultTemplate]),
  );
  if (result.kind !== 'write') throw new Error(JSON.stringify(result));
  return result.write;
};

describe('the stock an item began with', () => {
  it.each(['Inventory Starting Value', 'Inventory Qty Adjust'])('is read from the ledger as "%s"', (type) => {
    const report = ledger(start(type, '12', '98.40', '5'), start(type, '', '98.40', '5'));
    expect([...startingStockIn(report)]).toEqual([['5', { Qty: 12, Value: 98.4, AsOf: '2026-01-01' }]]);
  });

  it('is nothing else that moves stock, and nothing in an empty report', () => {
    const report = ledger(start('Invoice', '3', '9.00', '5'), start('Inventory Qty Adjust', '2', '1.00', '5', '17'));
    expect(startingStockIn(report).size).toBe(0);
    expect(startingStockIn({}).size).toBe(0);
  });

  it('is what the copy is created with; without it, or for what holds no stock, nothing is', () => {
    const pump: Json = { Name: 'Pump', Type: 'Inventory', QtyOnHand: 3, InvStartDate: '2026-01-01' };
    expect(startingDay(pump)).toBe('2026-01-01');
    expect(startingDay({ ...pump, Type: 'Service' })).toBeUndefined();
    const begun = { ...pump, StartingStock: { Qty: 12, Value: 98.4, AsOf: '2026-01-01' } };
    expect(mapped('Item', begun).payload).toMatchObject({ QtyOnHand: 12, InvStartDate: '2026-01-01' });
    expect(mapped('Item', begun).payload).not.toHaveProperty('StartingStock');
    expect(mapped('Item', pump).payload).toMatchObject({ QtyOnHand: 0 });
  });
});

describe('the rates of a tax code', () => {
  const code: Json = {
    Id: '7',
    Name: 'County',
    TaxCodeConfigType: 'USER_DEFINED',
    SalesTaxRateList: {
      TaxRateDetail: [{ TaxRateRef: { value: '3' }, TaxTypeApplicable: 'TaxOnAmount', TaxOrder: 0 }],
    },
    PurchaseTaxRateList: { TaxRateDetail: [] },
  };
  const rates = new Map<string, Json>([['3', { Name: 'County rate', RateValue: 7.25, AgencyRef: { value: '2' } }]]);

  it('go with it, so that it can be made: the agency by reference, no id of a rate', () => {
    const write = mapped('TaxCode', withTaxRates(code, rates));
    expect(write.payload).toEqual({
      Name: 'County',
      TaxRates: [{ Name: 'County rate', RateValue: 7.25, Applies: 'Sales' }],
    });
    expect(write.references).toEqual([
      { path: ['TaxRates', '0', 'AgencyRef'], entityType: 'TaxAgency', sourceId: '2' },
    ]);
  });

  it('stay away where QBO made the code itself, or does not show them: such a code is only found by name', () => {
    expect(mapped('TaxCode', { ...withTaxRates(code, rates), TaxCodeConfigType: 'SYSTEM_GENERATED' }).payload).toEqual({
      Name: 'County',
    });
    expect(mapped('TaxCode', withTaxRates(code, new Map())).payload).toEqual({ Name: 'County' });
  });
});
