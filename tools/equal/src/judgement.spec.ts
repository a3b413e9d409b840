// The proof can see: every way in which the second set of books can be wrong, planted into an equal pair, is found.
import type { Raw } from '#testing';
import { Books, type PostingLine } from './books.js';
import { judge, type Evidence } from './judgement.js';

/** Two equal companies whose ids differ by 100: an invoice of 50, a payment of 30 on it. */
function equalPair(): Evidence {
  const company = (shift: number): Books => {
    const id = (n: number): string => String(n + shift);
    const line = (txnType: string, txn: number, account: number, amount: string, name?: number): PostingLine => ({
      ...{ txnType, txnId: id(txn), date: '2026-05-05', accountId: id(account) },
      ...{
        debit: amount.startsWith('-') ? '0.00' : amount,
        credit: amount.replace(/^[^-].*/, '0.00').replace('-', ''),
      },
      ...(name !== undefined && { name: { type: 'Customer', id: id(name) } }),
    });
    const records: Record<string, Raw[]> = {
      Account: [
        { Id: id(1), FullyQualifiedName: 'A/R', AccountType: 'Accounts Receivable' },
        { Id: id(2), FullyQualifiedName: 'Sales', AccountType: 'Income' },
        { Id: id(3), FullyQualifiedName: 'Bank', AccountType: 'Bank' },
      ],
      Customer: [{ Id: id(4), DisplayName: 'Ada', Balance: 20 }],
      Invoice: [{ Id: id(10), TotalAmt: 50, Balance: 20, LinkedTxn: [{ TxnId: id(11), TxnType: 'Payment' }] }],
      Payment: [
        { Id: id(11), TotalAmt: 30, UnappliedAmt: 0, Line: [{ LinkedTxn: [{ TxnId: id(10), TxnType: 'Invoice' }] }] },
      ],
      Budget: [{ Id: id(20), Name: 'This year' }],
    };
    if (shift > 0) delete records.Budget;
    return new Books(records, [
      line('Invoice', 10, 1, '50.00', 4),
      line('Invoice', 10, 2, '-50.00', 4),
      line('Payment', 11, 3, '30.00', 4),
      line('Payment', 11, 1, '-30.00', 4),
    ]);
  };
  const link = (entityType: string, n: number) => ({
    ...{ entityType, sourceId: String(n), targetId: String(n + 100), state: 'settled' },
  });
  const types = ['Account', 'Customer', 'Invoice', 'Payment'];
  return {
    source: company(0),
    target: company(100),
    targetBefore: new Set(),
    links: [1, 2, 3]
      .map((n) => link('Account', n))
      .concat(link('Customer', 4), link('Invoice', 10), link('Payment', 11)),
    carried: new Set(types),
    notPossible: () => undefined,
    nameLists: new Set(['Account', 'Customer']),
    judged: () => true,
  };
}

it('two companies that differ only in ids are equal; a type that is not carried is named, not forgotten', () => {
  const judged = judge(equalPair());
  expect(judged.differences).toEqual([]);
  expect(judged).toMatchObject({ records: 6, types: 4, held: [], notCarried: [{ type: 'Budget', records: 1 }] });
});

describe('a planted mistake is found', () => {
  const plants: [string, (e: Evidence) => void, string][] = [
    ['a cent more on a line', (e) => void ((e.target.lines[0] as PostingLine).debit = '50.01'), 'account A/R'],
    ['another date', (e) => void ((e.target.lines[0] as PostingLine).date = '2026-05-06'), 'posting Invoice/10'],
    ['another name', (e) => void delete (e.target.lines[0] as PostingLine).name, 'balance Customer Ada in A/R'],
    ['another open balance', (e) => void (e.target.records.Invoice![0].Balance = 50), 'open Invoice/10'],
    ['a link is lost', (e) => void (e.target.records.Payment![0].Line = []), 'links Payment/11'],
    ['a record is lost', (e) => void (e.links as unknown[]).pop(), 'missing Payment/11'],
    ['a note is lost', (e) => void (e.source.records.Invoice![0].PrivateNote = 'call first'), 'field Invoice/10'],
    ['a due date moved', (e) => void (e.target.records.Invoice![0].DueDate = '2026-06-01'), 'field Invoice/10'],
    ['another customer', (e) => void (e.target.records.Invoice![0].CustomerRef = { value: '999' }), 'field Invoice/10'],
    [
      'a record is there twice',
      (e) => void e.target.records.Invoice!.push({ Id: '177', TotalAmt: 50 }),
      'extra Invoice/177',
    ],
    [
      'two sources share a target',
      (e) => void e.source.records.Customer!.push({ Id: '5', DisplayName: 'Eve' }),
      'missing Customer/5',
    ],
  ];
  it.each(plants)('%s', (_what, plant, found) => {
    const evidence = equalPair();
    plant(evidence);
    expect(judge(evidence).differences.map(({ what, key }) => `${what} ${key}`)).toContain(found);
  });
});

it('what is held with an excuse is no difference, in either sum; it is listed with reason and amount', () => {
  const evidence = equalPair();
  const links = evidence.links.map((link) =>
    link.entityType === 'Payment'
      ? { ...link, targetId: null, state: 'held', failureCode: 'QBO.6210', failureReason: 'closed' }
      : link,
  );
  const target = new Books(
    {
      ...evidence.target.records,
      Payment: [],
      Invoice: [{ Id: '110', TotalAmt: 50, Balance: 50 }],
      Customer: [{ Id: '104', DisplayName: 'Ada', Balance: 50 }],
    },
    evidence.target.lines.filter((line) => line.txnType !== 'Payment'),
  );
  const judged = judge({ ...evidence, links, target });
  expect(judged.differences).toEqual([]);
  expect(judged.held).toEqual([
    { key: 'Payment/11', amount: '30', reason: 'the period is closed (held QBO.6210: closed)' },
  ]);
});

it.each([
  ['was there before the sync', '900', []],
  ['is a copy of ours', '104', ['missing']],
])('a name that is taken by what %s', (_what, holder, expected) => {
  const evidence = equalPair();
  const failureReason = `the target has the name "Eve" already: Customer ${holder}`;
  const link = { entityType: 'Customer', sourceId: '5', targetId: null, state: 'held', failureCode: 'COLLISION.NAME' };
  evidence.source.records.Customer!.push({ Id: '5', DisplayName: 'Eve' });
  evidence.target.records.Customer!.push({ Id: '900', DisplayName: 'Eve' });
  const [source, target] = [evidence.source, evidence.target].map(({ records, lines }) => new Books(records, lines));
  const judged = judge({
    ...evidence,
    ...{ source: source!, target: target! },
    targetBefore: new Set([...evidence.targetBefore, 'Customer/900']),
    links: [...evidence.links, { ...link, failureReason } as unknown as (typeof evidence.links)[number]],
  });
  expect(judged.differences.filter(({ what }) => what === 'missing').map(({ what }) => what)).toEqual(expected);
});

it('what failed without an excuse is a difference', () => {
  const evidence = equalPair();
  const links = evidence.links.map((link) =>
    link.entityType === 'Payment' ? { ...link, targetId: null, state: 'failed', failureCode: 'QBO.2020' } : link,
  );
  expect(judge({ ...evidence, links }).differences.map(({ what }) => what)).toContain('missing');
});

it('stock costed in another order of entry within a day is a note, and a difference when the day does not come to the same', () => {
  const costed = (amounts: readonly [string, string]): Evidence => {
    const e = equalPair();
    const book = (books: Books, shift: number, [first, second]: readonly string[]): Books =>
      new Books(
        {
          ...books.records,
          Account: [
            ...books.records.Account!,
            { Id: String(shift + 7), Name: 'Cost', AccountType: 'Cost of Goods Sold' },
          ],
        },
        [
          ...books.lines,
          ...[first, second].map((debit, n) => ({
            ...{ txnType: ['Invoice', 'Payment'][n]!, txnId: String(shift + 10 + n), date: '2026-05-05' },
            ...{ accountId: String(shift + 7), debit: debit!, credit: '0.00' },
          })),
        ],
      );
    const link = { entityType: 'Account', sourceId: '7', targetId: '107', state: 'settled' };
    return {
      ...e,
      ...{
        links: [...e.links, link],
        source: book(e.source, 0, ['5.00', '3.00']),
        target: book(e.target, 100, amounts),
      },
    };
  };
  const noted = judge(costed(['3.00', '5.00']));
  expect(noted.differences).toEqual([]);
  expect(noted.notes).toHaveLength(1);
  expect(judge(costed(['3.00', '5.01'])).differences.map(({ what }) => what)).toContain('posting');
});

it('a name that is held as it is, is still the same name in the ledger', () => {
  const evidence = equalPair();
  const links = evidence.links.map((link) =>
    link.entityType === 'Customer'
      ? { ...link, state: 'held', failureCode: 'QBO.6220', failureReason: 'a balance' }
      : link,
  );
  Object.assign(evidence.source.records.Customer![0], { DisplayName: 'Ada (deleted)', Active: false });
  const judged = judge({ ...evidence, links });
  expect(judged.differences).toEqual([]);
  expect(judged.held).toMatchObject([{ key: 'Customer/4' }]);
  expect(judged.trialBalance).toEqual({ accounts: 3, source: '50.00', target: '50.00', difference: '0.00' });
});

it('of a company that was cut out of a larger one, what refers to what was left behind is held, not lost', () => {
  const evidence = equalPair();
  const links = evidence.links.map((link) =>
    link.entityType === 'Payment' ? { ...link, targetId: null, state: 'waiting', waitingOn: ['Invoice/999'] } : link,
  );
  const left = { ...evidence, links, target: new Books({ ...evidence.target.records, Payment: [] }, []) };
  expect(judge({ ...left, fragment: true }).held).toMatchObject([
    { key: 'Payment/11', reason: 'refers to Invoice/999, which the source itself does not have' },
  ]);
  expect(judge(left).held).toEqual([]);
});

it("an edit of the target that the sync's policy keeps is listed with reason and amount, and is no difference", () => {
  const e = equalPair();
  e.target.ofType('Invoice')[0]!.PrivateNote = 'theirs';
  expect(judge(e).differences).toMatchObject([{ what: 'field', key: 'Invoice/10' }]);
  const links = e.links.map((link) =>
    link.entityType === 'Invoice'
      ? { ...link, differences: [{ path: 'PrivateNote', answered: 'theirs', cause: 'DRIFT.KEPT' }] }
      : link,
  );
  const judged = judge({ ...e, links });
  expect(judged.differences).toEqual([]);
  expect(judged.held).toMatchObject([
    { key: 'Invoice/10', amount: '50', reason: expect.stringMatching(/DRIFT\.KEPT.*"theirs" here/) as string },
  ]);
});

it('of a pair: what the opposite sync lists as held is not missed here, and nothing else is forgiven', () => {
  const e = equalPair();
  (e.target.ofType('Invoice') as Raw[]).push({ Id: '777', TotalAmt: 5, Balance: 5 });
  expect(judge(e).differences.map(({ what }) => what)).toEqual(['extra', 'count']);
  expect(judge({ ...e, heldThere: new Set(['Invoice/777']) }).differences).toEqual([]);
  expect(judge({ ...e, heldThere: new Set(['Invoice/778']) }).differences).not.toEqual([]);
});

describe('real records', () => {
  const withField = (record: 'source' | 'target', field: string, value: unknown, fragment: boolean) => {
    const e = equalPair();
    Object.assign(e[record].record(record === 'source' ? 'Invoice/10' : 'Invoice/110')!, { [field]: value });
    return judge({ ...e, fragment });
  };

  it('what QuickBooks gives to a document that says nothing of it is named, and a difference in any other company', () => {
    const address = { Line1: '12 Nursery Row' };
    expect(withField('target', 'ShipFromAddr', address, true)).toMatchObject({
      differences: [],
      notes: ['Invoice.ShipFromAddr: 1 x absent from the real record, given by QuickBooks to its copy'],
    });
    expect(withField('target', 'ShipFromAddr', address, false).differences).toHaveLength(1);
    expect(withField('source', 'ShipFromAddr', address, true).differences).toHaveLength(1);
  });

  it('a document from before the stock of its item is held; of any other company it is missing', () => {
    const judged = (fragment: boolean) => {
      const e = equalPair();
      const links = e.links.map((link) =>
        link.entityType === 'Payment'
          ? { ...link, targetId: null, state: 'failed', failureCode: 'QBO.6270', failureReason: 'too early' }
          : link,
      );
      return judge({ ...e, links, fragment });
    };
    expect(judged(true).held.map(({ key }) => key)).toEqual(['Payment/11']);
    expect(judged(false).held).toEqual([]);
  });
});

it.each([
  ['held', 'QBO.620', 'it is deposited already'],
  ['failed', 'QBO.6000', "6000 You can't apply more than the open balance of the Invoice"],
])(
  'a document that two people paid or deposited at once is %s on one side with %s, and nowhere else an excuse',
  (state, failureCode, failureReason) => {
    const judged = (severalHands: boolean, reason = failureReason) => {
      const e = equalPair();
      const twice = { state, failureCode, failureReason: reason, targetId: null };
      const links = e.links.map((link) => (link.entityType === 'Payment' ? { ...link, ...twice } : link));
      const target = new Books(
        { ...e.target.records, Payment: [] },
        e.target.lines.filter(({ txnType }) => txnType !== 'Payment'),
      );
      return judge({ ...e, links, target, severalHands });
    };
    expect(judged(true).held).toMatchObject([{ key: 'Payment/11', reason: expect.stringContaining(failureReason) }]);
    expect(judged(true).differences.filter(({ key }) => key === 'Payment/11')).toEqual([]);
    const missing = expect.objectContaining({ what: 'missing', key: 'Payment/11' });
    expect(judged(false).differences).toContainEqual(missing);
    if (failureCode === 'QBO.6000') expect(judged(true, '6000 something else').differences).toContainEqual(missing);
  },
);

it('what one deleted and another one paid in the other company is held as long as its deletion is, and nowhere else an excuse', () => {
  const judged = (severalHands: boolean, state = 'held') => {
    const e = equalPair();
    const { Invoice: _gone, Payment: _never, ...left } = e.target.records;
    left.Customer![0].Balance = 0;
    const links = e.links.map((link) =>
      link.entityType === 'Payment'
        ? {
            ...link,
            state: 'held',
            failureCode: 'PAIR.PARENT_GONE',
            failureReason: 'refers to Invoice 10',
            targetId: null,
          }
        : link,
    );
    const back = { entityType: 'Invoice', sourceId: '110', targetId: '10', state, failureCode: 'QBO.800' };
    const linksBack = [{ ...back, failureReason: 'linked to Payment 11' }];
    return judge({ ...e, links, linksBack, target: new Books({ ...left, Payment: [] }, []), severalHands });
  };
  expect(
    judged(true)
      .held.map(({ key }) => key)
      .sort(),
  ).toEqual(['Invoice/10', 'Payment/11']);
  expect(judged(true).differences).toEqual([]);
  for (const { differences } of [judged(false), judged(true, 'settled')])
    expect(differences).toContainEqual(expect.objectContaining({ what: 'missing', key: 'Invoice/10' }));
});

it('what was done to a copy and is held on the way back is held on both sides where two people were at work, and a difference elsewhere', () => {
  const judged = (severalHands: boolean) => {
    const e = equalPair();
    const [voided] = e.target.records.Payment!;
    Object.assign(voided, { TotalAmt: 0, Line: [] });
    const lines = e.target.lines.filter((line) => line.txnType !== 'Payment');
    const target = new Books({ ...e.target.records, Payment: [voided] }, lines);
    return judge({ ...e, target, heldThere: new Set([`Payment/${voided.Id}`]), severalHands });
  };
  expect(judged(true).held).toEqual([
    expect.objectContaining({ key: 'Payment/11', reason: expect.stringContaining('held on the way back') as unknown }),
  ]);
  expect(judged(true).differences.filter(({ key }) => key === 'Payment/11')).toEqual([]);
  expect(judged(false).differences).toContainEqual(expect.objectContaining({ what: 'posting', key: 'Payment/11' }));
});

it('a held document leaves its stock where it was, and nothing else differs for it', () => {
  const judged = (state: string) => {
    const e = equalPair();
    for (const [books, id, QtyOnHand] of [[e.source, '30', 3] as const, [e.target, '130', 5] as const])
      books.records.Item = [{ Id: id, Name: 'Pump', QtyOnHand }];
    const [source, target] = [e.source, e.target].map(({ records, lines }) => new Books(records, lines));
    const line = { DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: '30' }, Qty: 2 } };
    source!.records.Invoice![0].Line = [line];
    const links = e.links
      .map((one) =>
        one.entityType === 'Invoice' ? { ...one, state, failureCode: 'QBO.6210', failureReason: 'closed' } : one,
      )
      .concat({ entityType: 'Item', sourceId: '30', targetId: '130', state: 'settled' });
    return judge({ ...e, source: source!, target: target!, links, carried: new Set([...e.carried, 'Item']) });
  };
  const stock = expect.objectContaining({ what: 'open', key: 'Item/30' }) as unknown;
  expect(judged('held').differences).not.toContainEqual(stock);
  expect(judged('settled').differences).toContainEqual(stock);
});

it('a link that real records say on the wrong side only is named, and a difference everywhere else', () => {
  const judged = (fragment: boolean) => {
    const e = equalPair();
    e.source.records.PurchaseOrder = [{ Id: '40', LinkedTxn: [{ TxnId: '10', TxnType: 'Invoice' }] }];
    e.target.records.PurchaseOrder = [{ Id: '140' }];
    const [source, target] = [e.source, e.target].map(({ records, lines }) => new Books(records, lines));
    const links = e.links.concat({ entityType: 'PurchaseOrder', sourceId: '40', targetId: '140', state: 'settled' });
    const carried = new Set([...e.carried, 'PurchaseOrder']);
    return judge({ ...e, source: source!, target: target!, links, carried, fragment });
  };
  expect(judged(false).differences).toMatchObject([{ what: 'links', key: 'PurchaseOrder/40' }]);
  expect(judged(true).differences).toEqual([]);
  expect(judged(true).notes).toEqual([expect.stringContaining('PurchaseOrder/40 is linked to Invoice/10')]);
});
