// The proof can see: every way in which a mirror can be wrong, planted into an equal pair, is found and named.
import type { Raw } from '#testing';
import { cents, compare, money, sideBySide, totalDifference } from './comparison.js';
import type { Evidence, Pair } from './comparison.js';

/** Two equal companies whose ids differ by 100. */
function equalPair(): Evidence {
  const company = (shift: number): Record<string, Raw[]> => {
    const id = (n: number) => String(n + shift);
    return {
      Customer: [
        { Id: id(1), SyncToken: String(shift), DisplayName: 'Ada', MetaData: { CreateTime: `t${shift}` } },
        { Id: id(2), DisplayName: 'Project', Job: true, ParentRef: { value: id(1), name: 'Ada' } },
      ],
      Item: [{ Id: id(5), Name: 'Design' }],
      Invoice: [
        {
          Id: id(10),
          DocNumber: '1001',
          TotalAmt: 50,
          Balance: 20,
          CustomerRef: { value: id(2) },
          LinkedTxn: [{ TxnId: id(11), TxnType: 'Payment' }],
          Line: [{ Id: '1', Amount: 50, SalesItemLineDetail: { ItemRef: { value: id(5), name: 'Design' }, Qty: 1 } }],
        },
      ],
      Payment: [
        { Id: id(11), TotalAmt: 30, Line: [{ Amount: 30, LinkedTxn: [{ TxnId: id(10), TxnType: 'Invoice' }] }] },
      ],
      Attachable: [
        { Id: id(20), FileName: 'a.pdf', AttachableRef: [{ EntityRef: { type: 'Invoice', value: id(10) } }] },
      ],
    };
  };
  const link = (entityType: string, n: number) => ({ entityType, sourceId: String(n), targetId: String(n + 100) });
  return {
    source: { records: company(0) },
    target: { records: company(100) },
    targetBefore: { records: {} },
    links: [link('Customer', 1), link('Customer', 2), link('Item', 5), link('Invoice', 10), link('Payment', 11)],
    fileHashes: new Map([
      ['source/20', 'hash'],
      ['target/120', 'hash'],
    ]),
    duplicateSuspects: [],
  };
}

it('two companies that differ only in ids, tokens and times are equal', () => {
  expect(compare(equalPair())).toMatchObject({ equal: 6, lost: [], doubled: [] });
});

describe('a planted mistake is found', () => {
  const plants: [string, (target: Record<string, Raw[]>, e: Evidence) => void, 'lost' | 'doubled', string][] = [
    ['a record is missing', (t) => void (t.Invoice = []), 'lost', 'Invoice/10'],
    ['an amount differs by a cent', (t) => void (t.Invoice![0].TotalAmt = 50.01), 'lost', 'Invoice/10'],
    ['a name differs', (t) => void (t.Customer![0].DisplayName = 'Eda'), 'lost', 'Customer/1'],
    ['a number differs', (t) => void (t.Invoice![0].DocNumber = '1002'), 'lost', 'Invoice/10'],
    ['a field is missing', (t) => void delete t.Customer![1].Job, 'lost', 'Customer/2'],
    ['a field is too many', (t) => void (t.Customer![0].Active = false), 'lost', 'Customer/1'],
    ['a line is missing', (t) => void (t.Invoice![0].Line = []), 'lost', 'Invoice/10'],
    ['a reference points elsewhere', (t) => void (t.Invoice![0].CustomerRef.value = '101'), 'lost', 'Invoice/10'],
    ['a parent is missing', (t) => void delete t.Customer![1].ParentRef, 'lost', 'Customer/2'],
    [
      'a payment pays another invoice',
      (t) => void (t.Payment![0].Line[0].LinkedTxn[0].TxnId = '999'),
      'lost',
      'Payment/11',
    ],
    ['a payment pays nothing', (t) => void (t.Payment![0].Line[0].LinkedTxn = []), 'lost', 'Payment/11'],
    ['a file is missing', (t) => void (t.Attachable = []), 'lost', 'Attachable/20'],
    [
      'a file hangs on another record',
      (t) => void (t.Attachable![0].AttachableRef[0].EntityRef.value = '111'),
      'lost',
      'Attachable/20',
    ],
    [
      'a file has other bytes',
      (_t, e) => void (e.fileHashes as Map<string, string>).set('target/120', 'other'),
      'lost',
      'Attachable/20',
    ],
    ['a link is missing', (_t, e) => void (e.links as unknown[]).pop(), 'lost', 'Payment/11'],
    ['two sources share a target', (_t, e) => void ((e.links as Pair[])[0]!.targetId = '102'), 'lost', 'Customer/2'],
    ['a record is there twice', (t) => void t.Invoice!.push({ ...t.Invoice![0], Id: '177' }), 'doubled', 'Invoice/177'],
    [
      'a file is there twice',
      (t) => void t.Attachable!.push({ ...t.Attachable![0], Id: '178' }),
      'doubled',
      'Attachable/178',
    ],
    [
      'the emulator suspects a twin',
      (_t, e) => void (e.duplicateSuspects as unknown[]).push(['a', 'b']),
      'doubled',
      'suspects',
    ],
  ];
  it.each(plants)('%s', (_what, plant, kind, key) => {
    const evidence = equalPair();
    plant(evidence.target.records, evidence);
    expect(compare(evidence)[kind].map((entry) => entry.key)).toContain(key);
  });

  it('a record that was deleted in the source lives on in the target', () => {
    const evidence = equalPair();
    evidence.source.records.Payment = [];
    evidence.source.records.Invoice![0].LinkedTxn = [];
    expect(compare(evidence).doubled).toEqual([{ key: 'Payment/111', why: 'source 11 is gone' }]);
  });
});

it("what the target had before and nobody claims is the target's own", () => {
  const evidence = equalPair();
  const own = { Id: '150', DisplayName: 'Own' };
  evidence.target.records.Customer!.push(own);
  evidence.targetBefore.records.Customer = [own];
  expect(compare(evidence)).toMatchObject({ lost: [], doubled: [] });
});

describe('trial balances', () => {
  const row = (name: string, debit: string, credit: string) => ({ name, debit, credit });

  it('are compared account by account, so that two wrong ones do not cancel', () => {
    const rows = sideBySide(
      [row('A/R', '10.00', '0'), row('Sales', '0', '10.00')],
      [row('A/R', '10.01', '0'), row('Sales', '0', '10.01')],
    );
    expect(money(totalDifference(rows))).toBe('0.02');
  });

  it('an account that only one side has counts whole', () => {
    expect(money(totalDifference(sideBySide([row('Bank', '0', '1234.50')], [])))).toBe('1234.50');
  });

  it.each([
    ['0', 0n, '0.00'],
    ['-0.05', -5n, '-0.05'],
    ['98765432109876543.21', 9_876_543_210_987_654_321n, '98765432109876543.21'],
    ['7.5', 750n, '7.50'],
    ['1.2300', 123n, '1.23'],
  ])('%s is read exactly', (text, value, shown) => {
    expect(cents(text)).toBe(value);
    expect(money(value)).toBe(shown);
  });

  it('a fraction of a cent is refused, never rounded away', () => {
    expect(() => cents('0.005')).toThrow('"0.005" is not an amount of cents');
  });
});
