// What is special about the types beyond the first ones, by small records of each; and every type by its emptiest record.
import { contentHash } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { entityTypes } from '../registry/index.js';
import { mergeLayers } from './layers.js';
import { mapChange } from './map-change.js';
import { defaultTemplate } from './template.js';

const rules = mergeLayers([defaultTemplate]);
const map = (entityType: string, snapshot: Json) =>
  mapChange({ realmId: '1', entityType, id: '5', version: 'v', deleted: false, snapshot }, rules);
const written = (entityType: string, snapshot: Json) => {
  const mapped = map(entityType, snapshot);
  if (mapped.kind !== 'write') throw new Error(JSON.stringify(mapped));
  return mapped.write;
};
const sale = (amount: number) => ({
  Amount: amount,
  DetailType: 'SalesItemLineDetail',
  SalesItemLineDetail: { ItemRef: { value: '3' }, Qty: 1, UnitPrice: amount },
});

describe('a record of each type', () => {
  it.each(Object.values(entityTypes).map(({ type, policy }) => [type, policy]))('%s (%s)', (type, policy) => {
    const snapshot = {
      Id: '5',
      SyncToken: '0',
      DisplayName: 'A',
      Name: 'A',
      MetaData: {},
      Line: [],
      UsedBy: { value: '1' },
    };
    const expected = { carried: 'write', adopted: 'write', reported: 'excluded' }[policy];
    expect(map(type, snapshot).kind).toBe(type === 'Attachable' ? 'attachment' : expected);
    const moved = { ...snapshot, SyncToken: '7', MetaData: { LastUpdatedTime: 'later' }, domain: 'QBO', sparse: false };
    expect(contentHash(type, moved)).toBe(contentHash(type, snapshot));
  });

  it('a reported one says why', () => {
    expect(map('Budget', { Id: '1' })).toEqual({
      kind: 'excluded',
      reason: expect.stringContaining('by hand') as string,
    });
  });
});

describe('links', () => {
  it('an invoice sends what it bills, and not the payments QBO shows beside it', () => {
    const LinkedTxn = [
      { TxnId: '11', TxnType: 'Payment' },
      { TxnId: '12', TxnType: 'Estimate' },
    ];
    const invoice = { Line: [sale(5)], LinkedTxn };
    const { payload, references } = written('Invoice', invoice);
    expect(payload!.LinkedTxn).toEqual([{ TxnType: 'Estimate' }]);
    expect(references).toContainEqual({ path: ['LinkedTxn', '0', 'TxnId'], entityType: 'Estimate', sourceId: '12' });
    expect(contentHash('Invoice', invoice)).toBe(contentHash('Invoice', { ...invoice, LinkedTxn: LinkedTxn.slice(1) }));
    expect(contentHash('Invoice', invoice)).not.toBe(contentHash('Invoice', { ...invoice, LinkedTxn: [] }));
  });

  it('a deposit keeps the line it takes, under the names QBO has for a type', () => {
    const line = { Amount: 9, LinkedTxn: [{ TxnId: '7', TxnType: 'BillPaymentCheck', TxnLineId: '0' }] };
    const { payload, references } = written('Deposit', { DepositToAccountRef: { value: '1' }, Line: [line] });
    expect(payload!.Line).toEqual([{ Amount: 9, LinkedTxn: [{ TxnType: 'BillPaymentCheck', TxnLineId: '0' }] }]);
    expect(references.map(({ entityType, sourceId }) => `${entityType}/${sourceId}`)).toContain('BillPayment/7');
  });

  it('a bill payment does not send what QBO would drop in silence', () => {
    const line = { Amount: 9, LinkedTxn: [{ TxnId: '7', TxnType: 'Purchase' }] };
    expect(map('BillPayment', { VendorRef: { value: '1' }, Line: [line] })).toMatchObject({
      kind: 'failed',
      code: 'REFERENCE.TYPE_NOT_CARRIED',
    });
  });

  it('a status that follows from a link is left to the copy of that link; one a person set is sent', () => {
    const linked = { LinkedTxn: [{ TxnId: '9', TxnType: 'Invoice' }] };
    expect(written('Estimate', { TxnStatus: 'Closed', ...linked, Line: [] }).payload).not.toHaveProperty('TxnStatus');
    expect(written('Estimate', { TxnStatus: 'Closed', Line: [] }).payload!.TxnStatus).toBe('Closed');
    expect(written('Estimate', { TxnStatus: 'Accepted', ...linked, Line: [] }).payload!.TxnStatus).toBe('Accepted');
    expect(written('PurchaseOrder', { POStatus: 'Closed', ...linked, Line: [] }).payload).not.toHaveProperty(
      'POStatus',
    );
    const ordered = (Received?: number) => ({
      ...{ Amount: 40, DetailType: 'ItemBasedExpenseLineDetail', Received },
      ItemBasedExpenseLineDetail: { ItemRef: { value: '3' }, Qty: 4 },
    });
    const order = (...Line: object[]) => written('PurchaseOrder', { POStatus: 'Closed', ...linked, Line }).payload!;
    expect(order(ordered(4), ordered(5))).not.toHaveProperty('POStatus');
    // Received in part, and a person will have no more of it.
    expect(order(ordered(4), ordered(1)).POStatus).toBe('Closed');
    // Who knows: closed last, that is right either way.
    expect(order(ordered()).POStatus).toBe('Closed');
  });
});

describe('people in three shapes', () => {
  it.each([
    ['Purchase', { EntityRef: { value: '4', type: 'Vendor' } }, ['EntityRef'], 'Vendor'],
    [
      'Deposit',
      { Line: [{ DepositLineDetail: { Entity: { value: '4', type: 'EMPLOYEE' } } }] },
      ['Line', '0', 'DepositLineDetail', 'Entity'],
      'Employee',
    ],
    [
      'JournalEntry',
      { Line: [{ JournalEntryLineDetail: { Entity: { Type: 'Customer', EntityRef: { value: '4', name: 'Amy' } } } }] },
      ['Line', '0', 'JournalEntryLineDetail', 'Entity', 'EntityRef'],
      'Customer',
    ],
  ])('%s', (type, snapshot, path, entityType) => {
    expect(written(type, snapshot as Json).references).toContainEqual({ path, entityType, sourceId: '4' });
  });
});

describe('what cannot be made as it is', () => {
  it('a bundle becomes its lines, in its place', () => {
    const group = {
      DetailType: 'GroupLineDetail',
      Amount: 7,
      GroupLineDetail: { GroupItemRef: { value: '9' }, Line: [sale(3), sale(4)] },
    };
    const { payload } = written('Invoice', { Line: [sale(1), group, sale(2)] });
    expect((payload!.Line as Json[]).map(({ Amount }) => Amount as number)).toEqual([1, 3, 4, 2]);
  });

  it('a template is inactive, whatever it wraps, and so neither mails nor prints', () => {
    const Invoice = { Line: [sale(5)], EmailStatus: 'NeedToSend', RecurringInfo: { Name: 'Monthly', Active: true } };
    expect(written('RecurringTransaction', { Invoice }).payload!.Invoice).toMatchObject({
      EmailStatus: 'NotSet',
      RecurringInfo: { Name: 'Monthly', Active: false },
    });
  });

  it('hours that were billed are written as billable, and an expense as not', () => {
    expect(written('TimeActivity', { BillableStatus: 'HasBeenBilled' }).payload!.BillableStatus).toBe('Billable');
    const line = { AccountBasedExpenseLineDetail: { AccountRef: { value: '1' }, BillableStatus: 'HasBeenBilled' } };
    const { payload } = written('Purchase', { Line: [line] });
    expect((payload!.Line as Json[])[0]!.AccountBasedExpenseLineDetail).toEqual({ BillableStatus: 'NotBillable' });
  });

  it('a home currency adjustment fails with its reason: left out in silence it would be missing from the books', () => {
    const mapped = map('JournalEntry', { HomeCurrencyAdjustment: true, Line: [] });
    expect(mapped).toMatchObject({ kind: 'failed', message: expect.stringContaining('made by QBO itself') as string });
  });
});
