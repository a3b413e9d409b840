import type { Json, Reading } from '#core';
import { Beside } from './beside.js';

const column = (key: string) => ({ MetaData: [{ Name: 'ColKey', Value: key }] });
const columns = ['tx_date', 'txn_type', 'doc_num', 'memo', 'quantity', 'subt_nat_amount', 'item_name'].map(column);
const started = (itemId: string, quantity = '4'): Json => ({
  Columns: { Column: columns },
  Rows: {
    Row: [
      {
        ColData: [
          { value: '2026-01-01' },
          { value: 'Inventory Starting Value' },
          { value: 'START' },
          { value: '' },
          { value: quantity },
          { value: '20.00' },
          { value: 'Pump', id: itemId },
        ],
      },
    ],
  },
});
const item = (id: string, more: Json = {}): Reading => ({
  kind: 'record',
  type: 'Item',
  id,
  snapshot: { Id: id, Type: 'Inventory', InvStartDate: '2026-01-01', ...more },
});

describe('what stands beside a record', () => {
  let asked: string[];
  const asking = (report: Json | undefined) => ({
    ledgerOf: (day: string) => {
      asked.push(day);
      return Promise.resolve(report);
    },
    taxCodes: () => Promise.resolve([]),
    taxRates: () => Promise.resolve([{ Id: '3', Name: 'County', RateValue: 7, AgencyRef: { value: '1' } } as Json]),
  });
  const stockOf = (readings: Reading[]) =>
    readings.map((one) => (one.kind === 'record' ? (one.snapshot.StartingStock as Json | undefined)?.Qty : undefined));

  beforeEach(() => {
    asked = [];
  });

  it('asks once per day for the items that began then, and not again: a sale brings the item in every look', async () => {
    const beside = new Beside();
    const readings = [item('5'), item('6'), item('7', { Type: 'Service' }), item('8', { InvStartDate: '2026-02-01' })];
    expect(stockOf(await beside.complete('1', readings, asking(started('5'))))).toEqual([
      4,
      undefined,
      undefined,
      undefined,
    ]);
    expect(asked).toEqual(['2026-01-01', '2026-02-01']);
    expect(stockOf(await beside.complete('1', readings, asking(undefined)))).toEqual([
      4,
      undefined,
      undefined,
      undefined,
    ]);
    expect(asked).toHaveLength(2);
  });

  it('asks again when an item moved and no document of the look says why: its starting value may have been edited', async () => {
    const beside = new Beside();
    const at = (SyncToken: string) => item('5', { SyncToken });
    const sale: Reading = {
      ...{ kind: 'record', type: 'Invoice', id: '9' },
      snapshot: { Id: '9', Line: [{ SalesItemLineDetail: { ItemRef: { value: '5' } } }] },
    };
    await beside.complete('1', [at('0')], asking(started('5')));
    await beside.complete('1', [at('1'), sale], asking(started('5')));
    await beside.complete('1', [at('1')], asking(started('5')));
    expect(asked).toHaveLength(1);
    const [edited] = await beside.complete('1', [at('2')], asking(started('5', '7')));
    expect(stockOf([edited!])).toEqual([7]);
    expect(asked).toHaveLength(2);
    // Not shown this time: what is known stays.
    expect(stockOf(await beside.complete('1', [at('3')], asking(undefined)))).toEqual([7]);
  });

  it('keeps the items of companies apart', async () => {
    const beside = new Beside();
    await beside.complete('1', [item('5')], asking(started('5')));
    expect(stockOf(await beside.complete('2', [item('5')], asking(started('9'))))).toEqual([undefined]);
  });

  it('asks again after a refusal', async () => {
    const beside = new Beside();
    expect(stockOf(await beside.complete('1', [item('5')], asking(undefined)))).toEqual([undefined]);
    expect(stockOf(await beside.complete('1', [item('5')], asking(started('5'))))).toEqual([4]);
  });

  it('gives a tax code its rates, and asks nothing for what needs nothing', async () => {
    const detail = { TaxRateDetail: [{ TaxRateRef: { value: '3' } }] };
    const code: Reading = { kind: 'record', type: 'TaxCode', id: '2', snapshot: { Id: '2', SalesTaxRateList: detail } };
    const gone: Reading = { kind: 'gone', type: 'Item', id: '5' };
    const [found, left] = await new Beside().complete('1', [code, gone], asking(undefined));
    expect(found).toMatchObject({ snapshot: { TaxRates: [{ Name: 'County', RateValue: 7, Applies: 'Sales' }] } });
    expect([left, asked]).toEqual([gone, []]);
  });
});
