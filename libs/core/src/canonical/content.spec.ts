import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { canonicalContent, contentHash, desiredHash } from './content.js';
import { canonicalText } from './text.js';

const invoice: Json = {
  domain: 'QBO',
  sparse: false,
  Id: '130',
  SyncToken: '0',
  MetaData: { CreateTime: '2026-05-01T10:00:00-07:00', LastUpdatedTime: '2026-05-01T10:00:00-07:00' },
  DocNumber: '1037',
  TxnDate: '2026-05-01',
  CurrencyRef: { value: 'USD', name: 'United States Dollar' },
  CustomField: [],
  LinkedTxn: [],
  Line: [
    {
      Id: '1',
      LineNum: 1,
      Description: 'Rock fountain',
      Amount: 275,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: {
        ItemRef: { value: '5', name: 'Rock Fountain' },
        UnitPrice: 275,
        Qty: 1,
        ItemAccountRef: { value: '79', name: 'Sales' },
        TaxCodeRef: { value: 'TAX' },
      },
    },
    { Amount: 275, DetailType: 'SubTotalLineDetail', SubTotalLineDetail: {} },
  ],
  TxnTaxDetail: { TotalTax: 22, TxnTaxCodeRef: { value: '2' } },
  CustomerRef: { value: '24', name: 'Sonnenschein Family Store' },
  BillAddr: { Id: '95', Line1: 'Russ Sonnenschein', Lat: 'INVALID', Long: 'INVALID' },
  TotalAmt: 297,
  PrintStatus: 'NeedToPrint',
  EmailStatus: 'NotSet',
  Balance: 297,
};

const changed = (change: (record: Json) => void): Json => {
  const copy = structuredClone(invoice);
  change(copy);
  return copy;
};

describe('the content hash of an invoice', () => {
  const silent: [string, (record: Json) => void][] = [
    [
      'a payment links to it',
      (r) => {
        r.SyncToken = '1';
        r.Balance = 0;
        r.LinkedTxn = [{ TxnId: '140', TxnType: 'Payment' }];
        r.MetaData = { LastUpdatedTime: '2026-05-02T09:00:00-07:00' };
      },
    ],
    ['its customer is renamed', (r) => void (r.CustomerRef.name = 'Sonnenschein & Sons')],
    ['its item is renamed', (r) => void (r.Line[0].SalesItemLineDetail.ItemRef.name = 'Fountain')],
    ['its item posts to another account', (r) => void (r.Line[0].SalesItemLineDetail.ItemAccountRef = { value: '80' })],
    [
      'it is sent by e-mail',
      (r) => void Object.assign(r, { EmailStatus: 'EmailSent', DeliveryInfo: { DeliveryType: 'Email' } }),
    ],
    ['it is printed', (r) => void (r.PrintStatus = 'PrintComplete')],
    ['the sub-total line is missing', (r) => void r.Line.pop()],
    ['the address is geocoded', (r) => void Object.assign(r.BillAddr, { Id: '96', Lat: '37.4', Long: '-122.1' })],
    ['an invoice link appears', (r) => void (r.InvoiceLink = 'https://example.com/pay')],
    ['a serializer dump appears', (r) => void (r.Line[0].LineEx = { any: [{ name: 'x' }] })],
    ['custom extensions appear', (r) => void (r.Line[0].CustomExtensions = [])],
    ['empty lists go', (r) => void (delete r.LinkedTxn, delete r.CustomField)],
    ['home amounts appear', (r) => void Object.assign(r, { HomeTotalAmt: 297, HomeBalance: 10 })],
    ['lines are renumbered', (r) => void Object.assign(r.Line[0], { Id: '7', LineNum: 3 })],
    ['a reference is named', (r) => void (r.TxnTaxDetail.TxnTaxCodeRef.name = 'California')],
    ['online payment is switched on for the company', (r) => void (r.AllowOnlineACHPayment = true)],
  ];
  it.each(silent)('stays when %s', (_, change) => {
    expect(contentHash('Invoice', changed(change))).toBe(contentHash('Invoice', invoice));
  });

  const audible: [string, (record: Json) => void][] = [
    ['an amount', (r) => void (r.Line[0].Amount = 275.01)],
    ['a quantity', (r) => void (r.Line[0].SalesItemLineDetail.Qty = 1.5)],
    ['a unit price in its seventh decimal', (r) => void (r.Line[0].SalesItemLineDetail.UnitPrice = 275.0000001)],
    ['the customer', (r) => void (r.CustomerRef.value = '25')],
    ['the date', (r) => void (r.TxnDate = '2026-05-03')],
    ['the number', (r) => void (r.DocNumber = '1038')],
    ['the tax', (r) => void (r.TxnTaxDetail.TotalTax = 22.01)],
    ['the note', (r) => void (r.PrivateNote = 'Voided')],
    ['the order of lines', (r) => void r.Line.unshift({ Amount: 1, DetailType: 'DescriptionOnly' })],
    ['the total beside unchanged lines (a hidden line)', (r) => void (r.TotalAmt = 372)],
  ];
  it.each(audible)('moves with %s', (_, change) => {
    expect(contentHash('Invoice', changed(change))).not.toBe(contentHash('Invoice', invoice));
  });
});

describe('the content hash of other types', () => {
  const pairs: [string, string, Json, Json][] = [
    [
      'a balance',
      'Customer',
      { DisplayName: 'Amy', Balance: 1, BalanceWithJobs: 2 },
      { DisplayName: 'Amy', Balance: 5 },
    ],
    [
      'a default tax code that only single reads show',
      'Customer',
      { DisplayName: 'A', DefaultTaxCodeRef: { value: '2' } },
      { DisplayName: 'A' },
    ],
    [
      'zero rates that only single reads show',
      'Vendor',
      { DisplayName: 'A', BillRate: 0, CostRate: 0 },
      { DisplayName: 'A' },
    ],
    ['a false deferred revenue', 'Item', { Name: 'A', DeferredRevenue: false }, { Name: 'A' }],
    [
      'stock moved by sales',
      'Item',
      { Name: 'A', Type: 'Inventory', QtyOnHand: 5, AvgCost: 2 },
      { Name: 'A', Type: 'Inventory', QtyOnHand: 4 },
    ],
    ['an account balance', 'Account', { Name: 'A', CurrentBalance: 5 }, { Name: 'A', CurrentBalance: 6 }],
    [
      "the parent's rename",
      'Account',
      { Name: 'A', FullyQualifiedName: 'P:A' },
      { Name: 'A', FullyQualifiedName: 'Q:A' },
    ],
    [
      'a deposit of the payment',
      'Payment',
      { TotalAmt: 5, LinkedTxn: [{ TxnId: '9', TxnType: 'Deposit' }] },
      { TotalAmt: 5 },
    ],
    ['what a payment has not applied', 'Payment', { TotalAmt: 5, UnappliedAmt: 5 }, { TotalAmt: 5, UnappliedAmt: 0 }],
    ['an expiring link to a file', 'Attachable', { FileName: 'a', TempDownloadUri: 'https://x' }, { FileName: 'a' }],
  ];
  it.each(pairs)('does not move with %s', (_, type, a, b) => {
    expect(contentHash(type, a)).toBe(contentHash(type, b));
  });

  it('moves when a payment is applied to another invoice', () => {
    const payment = (id: string) => ({
      TotalAmt: 5,
      Line: [{ Amount: 5, LinkedTxn: [{ TxnId: id, TxnType: 'Invoice' }] }],
    });
    expect(contentHash('Payment', payment('1'))).not.toBe(contentHash('Payment', payment('2')));
  });

  it('moves when a person adjusts the stock that an item began with', () => {
    const item = (Qty: number) => ({
      Name: 'A',
      Type: 'Inventory',
      StartingStock: { Qty, Value: 10, AsOf: '2026-01-31' },
    });
    expect(contentHash('Item', item(4))).not.toBe(contentHash('Item', item(6)));
  });

  it('keeps a class and a department of one name apart', () => {
    expect(contentHash('Class', { Name: 'North' })).not.toBe(contentHash('Department', { Name: 'North' }));
  });
});

describe('canonical content', () => {
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('Name', 'Note', 'Line', 'value', 'Amount', 'Ref'), tie('value')),
    ),
  })).value;
  const record = fc.dictionary(fc.constantFrom('DisplayName', 'Notes', 'BillAddr', 'Line', 'ParentRef'), json);

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(record, (body) => {
        const reversed = Object.fromEntries(Object.entries(body).reverse());
        return contentHash('Customer', reversed) === contentHash('Customer', body);
      }),
    );
  });

  it('is a fixed point: the content of the content is the content', () => {
    fc.assert(
      fc.property(record, (body) => {
        const once = canonicalContent('Customer', body as Json);
        expect(canonicalContent('Customer', once)).toEqual(once);
      }),
    );
  });

  it('writes 100.00 and 100 and -0 and 0 alike', () => {
    expect(canonicalText(JSON.parse('[100.00, 0]'))).toBe(canonicalText([100, -0]));
  });
});

describe('the desired hash', () => {
  const a = { path: ['CustomerRef'], entityType: 'Customer', sourceId: '1' };
  const b = { path: ['SalesTermRef'], entityType: 'Term', sourceId: '2' };

  it('does not depend on the order of references', () => {
    expect(desiredHash('upsert', { x: 1 }, [a, b])).toBe(desiredHash('upsert', { x: 1 }, [b, a]));
  });

  it('differs by operation, payload and reference', () => {
    const hashes = [
      desiredHash('upsert', { x: 1 }, [a]),
      desiredHash('void', { x: 1 }, [a]),
      desiredHash('upsert', { x: 2 }, [a]),
      desiredHash('upsert', { x: 1 }, [{ ...a, sourceId: '9' }]),
      desiredHash('delete', undefined, []),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
