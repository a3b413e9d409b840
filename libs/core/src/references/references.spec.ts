import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { bindReferences, extractReferences, ruleOf, UnknownReference, type Reference } from './references.js';

const payment: Json = {
  CustomerRef: { value: '9', name: 'Twin Lane' },
  DepositToAccountRef: { value: '35' },
  CurrencyRef: { value: 'USD', name: 'United States Dollar' },
  TotalAmt: 86.4,
  Line: [
    { Amount: 80, LinkedTxn: [{ TxnId: '14', TxnType: 'Invoice', TxnLineId: '0' }] },
    { Amount: 6.4, LinkedTxn: [{ TxnId: '15', TxnType: 'Invoice' }] },
  ],
};

describe('extracting references', () => {
  it('takes every id of the source out and says where it stood', () => {
    const { payload, references } = extractReferences('Payment', payment);
    expect(payload).toEqual({
      CurrencyRef: { value: 'USD' },
      TotalAmt: 86.4,
      Line: [
        { Amount: 80, LinkedTxn: [{ TxnType: 'Invoice' }] },
        { Amount: 6.4, LinkedTxn: [{ TxnType: 'Invoice' }] },
      ],
    });
    expect(references).toEqual(
      expect.arrayContaining<Reference>([
        { path: ['CustomerRef'], entityType: 'Customer', sourceId: '9' },
        { path: ['DepositToAccountRef'], entityType: 'Account', sourceId: '35' },
        { path: ['Line', '0', 'LinkedTxn', '0', 'TxnId'], entityType: 'Invoice', sourceId: '14' },
        { path: ['Line', '1', 'LinkedTxn', '0', 'TxnId'], entityType: 'Invoice', sourceId: '15' },
      ]),
    );
    expect(references).toHaveLength(4);
  });

  it.each([
    ['TAX', { DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { TaxCodeRef: { value: 'TAX' } } }],
    ['NON', { DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { TaxCodeRef: { value: 'NON' } } }],
    [
      'SHIPPING_ITEM_ID',
      { DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: 'SHIPPING_ITEM_ID' } } },
    ],
  ])('lets %s pass, which is no id', (_, line) => {
    const { payload, references } = extractReferences('Invoice', { Line: [line] });
    expect(payload.Line).toEqual([line]);
    expect(references).toEqual([]);
  });

  it('refuses a reference that the registry does not explain: its id would point at a stranger', () => {
    expect(() => extractReferences('Invoice', { NewThingRef: { value: '7' } })).toThrow(UnknownReference);
    expect(() => extractReferences('CreditMemo', { Line: [{ LinkedTxn: [{ TxnId: '7', TxnType: 'X' }] }] })).toThrow(
      /not declared/,
    );
  });

  it('refuses a link to a type that is not carried, by name', () => {
    const body = { Line: [{ Amount: 1, LinkedTxn: [{ TxnId: '7', TxnType: 'StatementCharge' }] }] };
    expect(() => extractReferences('Payment', body)).toThrow(/StatementCharge/);
  });

  it('closes the hole of a dropped link only when it binds, so that other positions stay true', () => {
    const body = {
      Line: [
        {
          Amount: 2,
          LinkedTxn: [
            { TxnId: '7', TxnType: 'CreditMemo' },
            { TxnId: '8', TxnType: 'Invoice' },
          ],
        },
      ],
    };
    const { payload, references } = extractReferences('Payment', body, (_rule, type) =>
      type === 'CreditMemo' ? { kind: 'drop' } : { kind: 'follow' },
    );
    expect(bindReferences(payload, references, () => '80')).toEqual({
      kind: 'bound',
      body: { Line: [{ Amount: 2, LinkedTxn: [{ TxnType: 'Invoice', TxnId: '80' }] }] },
    });
  });

  it('knows the rule that a reference came from', () => {
    const { references } = extractReferences('Payment', payment);
    expect(references.map((reference) => ruleOf('Payment', reference)?.kind)).toContain('linked-txn');
    expect(references.every((reference) => ruleOf('Payment', reference) !== undefined)).toBe(true);
  });
});

describe('binding references', () => {
  it('names every missing parent once', () => {
    const { payload, references } = extractReferences('Payment', payment);
    expect(bindReferences(payload, references, (type) => (type === 'Invoice' ? undefined : '1'))).toEqual({
      kind: 'missing',
      missing: [
        { type: 'Invoice', sourceId: '14' },
        { type: 'Invoice', sourceId: '15' },
      ],
    });
  });

  it('with each id bound to itself restores what was extracted', () => {
    const id = fc.stringMatching(/^[1-9]\d{0,6}$/);
    const line = fc.record({
      Amount: fc.integer({ min: 0, max: 100_000 }),
      DetailType: fc.constant('SalesItemLineDetail'),
      SalesItemLineDetail: fc.record({
        ItemRef: fc.record({ value: id }),
        TaxCodeRef: fc.record({ value: fc.oneof(id, fc.constantFrom('TAX', 'NON')) }),
        Qty: fc.integer({ min: 1, max: 9 }),
      }),
    });
    const body = fc.record(
      { CustomerRef: fc.record({ value: id }), SalesTermRef: fc.record({ value: id }), Line: fc.array(line) },
      { requiredKeys: ['CustomerRef', 'Line'] },
    );
    fc.assert(
      fc.property(body, (invoice) => {
        const { payload, references } = extractReferences('Invoice', invoice);
        const bound = bindReferences(payload, references, (_type, sourceId) => sourceId);
        expect(bound).toEqual({ kind: 'bound', body: invoice });
      }),
    );
  });

  it('never leaves an id of the source in the body', () => {
    const { payload, references } = extractReferences('Payment', payment);
    const bound = bindReferences(payload, references, (type, sourceId) => `t-${type}-${sourceId}`);
    expect(JSON.stringify(bound)).not.toMatch(/"(9|35|14|15)"/);
  });
});
