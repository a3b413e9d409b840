// The query language as real clients meet it: grammar, refusals with their positions, case rules, the Active rule,
// default orders, projections, paging. The company is a bare view over arrays; nothing of the engine runs here.
import fc from 'fast-check';
import { type CompanyView, QboFault, type Rec } from '../types.js';
import { parseMoment, runQuery, storedMoment } from './index.js';

const at = (second: number): Rec => ({
  CreateTime: '2026-01-02T10:00:00-08:00',
  LastUpdatedTime: `2026-01-02T10:00:${String(second).padStart(2, '0')}-08:00`,
});

function company(records: Record<string, Rec[]>): CompanyView {
  return {
    realmId: '1',
    clock: { now: () => Date.UTC(2026, 0, 10) },
    country: () => 'US',
    homeCurrency: () => 'USD',
    multicurrency: () => false,
    utcOffsetMinutes: () => -480,
    today: () => '2026-01-10',
    preferences: () => ({ Id: '1' }),
    companyInfo: () => ({ Id: '1', CompanyName: 'Fern & Stone' }),
    get: (type, id) => records[type]?.find((rec) => rec.Id === id),
    all: (type) => records[type] ?? [],
    count: (type) => records[type]?.length ?? 0,
    accountBySubType: () => undefined,
    ensureAccount: () => ({}),
  };
}

const books = company({
  Invoice: [
    {
      DocNumber: '1001',
      TxnDate: '2026-01-01',
      TotalAmt: 100,
      Balance: 0,
      CustomerRef: { value: '1', name: 'Ada' },
      domain: 'QBO',
      sparse: false,
      Id: '10',
      MetaData: at(5),
    },
    {
      DocNumber: '1002',
      TxnDate: '2026-01-05',
      TotalAmt: 9.5,
      Balance: 9.5,
      CustomerRef: { value: '2', name: "O'Hara" },
      domain: 'QBO',
      sparse: false,
      Id: '9',
      MetaData: at(9),
    },
    {
      DocNumber: null,
      TxnDate: '2026-01-10',
      TotalAmt: 1000,
      Balance: 1000,
      CustomerRef: { value: '1', name: 'Ada' },
      domain: 'QBO',
      sparse: false,
      Id: '11',
      MetaData: at(7),
    },
  ],
  Customer: [
    {
      Id: '1',
      DisplayName: 'Ada',
      FullyQualifiedName: 'Ada',
      Active: true,
      Balance: 5,
      PrimaryEmailAddr: { Address: 'ada@example.com' },
      MetaData: at(1),
    },
    { Id: '2', DisplayName: "O'Hara", FullyQualifiedName: "O'Hara", Active: true, Balance: 0, MetaData: at(2) },
    {
      Id: '3',
      DisplayName: 'Gone (deleted)',
      FullyQualifiedName: 'Gone (deleted)',
      Active: false,
      Balance: 0,
      MetaData: at(3),
    },
  ],
  Attachable: [
    {
      Id: '500',
      FileName: 'a.pdf',
      AttachableRef: [{ EntityRef: { type: 'Invoice', value: '9' } }, { EntityRef: { type: 'Bill', value: '10' } }],
      MetaData: at(1),
    },
    { Id: '501', FileName: 'b.pdf', AttachableRef: [{ EntityRef: { type: 'Invoice', value: '10' } }], MetaData: at(1) },
  ],
  CreditCardPayment: [{ Id: '70', MetaData: at(1) }],
});
const ids = (statement: string): string[] => runQuery(statement, books).rows!.map((rec) => rec.Id as string);

describe('filters', () => {
  it.each([
    ["SELECT * FROM Invoice WHERE DocNumber = '1001'", ['10']],
    ["select * from invoice where docnumber = '1001'", ['10']],
    ["SELECT * FROM Customer WHERE DisplayName = 'ADA'", ['1']],
    ["SELECT * FROM Customer WHERE DisplayName = 'O\\'Hara'", ['2']],
    ["SELECT * FROM Customer WHERE DisplayName LIKE '%hara'", ['2']],
    ["SELECT * FROM Customer WHERE DisplayName LIKE 'A%A'", ['1']],
    ["SELECT * FROM Customer WHERE PrimaryEmailAddr = 'ada@example.com'", ['1']],
    ["SELECT * FROM Invoice WHERE TotalAmt > '99.5' ORDERBY Id", ['10', '11']],
    ['SELECT * FROM Invoice WHERE Balance >= 9.5 ORDERBY Id', ['9', '11']],
    ['SELECT * FROM Invoice WHERE TxnDate < CURRENT_DATE ORDER BY TxnDate DESC', ['9', '10']],
    ["SELECT * FROM Invoice WHERE DocNumber = ' '", ['11']],
    ["SELECT * FROM Invoice WHERE Id IN ('9','11') ORDERBY Id", ['9', '11']],
    ["SELECT * FROM Invoice WHERE CustomerRef = '1' AND TxnDate > '2026-01-01'", ['11']],
    ["SELECT * FROM Invoice WHERE Metadata.LastUpdatedTime >= '2026-01-02T18:00:07Z'", ['9', '11']],
    ["SELECT * FROM Invoice WHERE MetaData.LastUpdatedTime > '2026-01-02T10:00:07'", ['9']],
    [
      "select * from Attachable where AttachableRef.EntityRef.Type='invoice' and AttachableRef.EntityRef.value='10'",
      ['501'],
    ],
    ['SELECT * FROM Customer WHERE Active IN (true, false) ORDERBY Id', ['1', '2', '3']],
    ['SELECT * FROM Customer WHERE Active = false', ['3']],
    ['SELECT * FROM Customer', ['1', '2']],
  ])('%s', (statement, expected) => {
    expect(ids(statement)).toEqual(expected);
  });
});

describe('order and pages', () => {
  it('gives transactions newest change first unless an order is asked', () => {
    expect(ids('SELECT * FROM Invoice')).toEqual(['9', '11', '10']);
  });
  it('sorts by two keys, and Ids as numbers', () => {
    expect(ids('SELECT * FROM Invoice ORDERBY TxnDate DESC, Id ASC')).toEqual(['11', '9', '10']);
  });
  it.each(['STARTPOSITION 2 MAXRESULTS 1', 'MAXRESULTS 1 STARTPOSITION 2'])('takes %s', (paging) => {
    const answer = runQuery(`SELECT * FROM Invoice ORDERBY Id ${paging}`, books);
    expect(answer).toMatchObject({ startPosition: 2, maxResults: 1, totalCount: 1 });
    expect(answer.rows![0]!.Id).toBe('10');
  });
  it('answers no rows and no count of rows past the end', () => {
    expect(runQuery('SELECT * FROM Invoice STARTPOSITION 10', books)).toMatchObject({ rows: [], maxResults: 0 });
  });
  it('pages of a large company join to exactly the sorted whole, whatever the page size (selection loses no row)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(30), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 40 }),
        (seconds, size) => {
          const many = company({ Invoice: seconds.map((s, i) => ({ Id: String(i + 1), MetaData: at(s % 60) })) });
          const whole = runQuery('SELECT * FROM Invoice MAXRESULTS 1000', many).rows!.map((rec) => rec.Id);
          const pages: string[] = [];
          for (let start = 1; start <= seconds.length; start += size) {
            pages.push(
              ...runQuery(`SELECT * FROM Invoice STARTPOSITION ${start} MAXRESULTS ${size}`, many).rows!.map(
                (rec) => rec.Id,
              ),
            );
          }
          expect(pages).toEqual(whole);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('selection', () => {
  it('counts without rows, the Active rule included', () => {
    expect(runQuery('SELECT COUNT(*) FROM Customer STARTPOSITION 1 MAXRESULTS 5', books)).toMatchObject({ count: 2 });
    expect(runQuery('SELECT COUNT(*) FROM Customer', books).rows).toBeUndefined();
  });
  it('projects partial objects flagged sparse', () => {
    const { rows, partial } = runQuery("SELECT DocNumber, MetaData.CreateTime FROM Invoice WHERE Id = '9'", books);
    expect(partial).toBe(true);
    expect(rows).toEqual([
      { DocNumber: '1002', domain: 'QBO', sparse: true, Id: '9', MetaData: { CreateTime: at(0).CreateTime } },
    ]);
  });
  it('takes a star with further fields as the whole record', () => {
    expect(runQuery("SELECT *, DocNumber FROM Invoice WHERE Id = '9'", books).rows![0]!.TotalAmt).toBe(9.5);
  });
  it('names the answer key that differs from the entity', () => {
    expect(runQuery('select * from creditcardpayment', books)).toMatchObject({
      entity: 'CreditCardPayment',
      jsonName: 'CreditCardPaymentTxn',
    });
  });
  it('reads the singletons', () => {
    expect(runQuery('select * from CompanyInfo', books).rows![0]!.CompanyName).toBe('Fern & Stone');
  });
});

describe('refusals', () => {
  it.each([
    [
      'SELECT * FROM Invoice ORDER TxnDate',
      '4000',
      'QueryParserError: Encountered " <IDENTIFIER> "TxnDate "" at line 1, column 29.',
    ],
    [
      "SELECT * FROM Customer WHERE DisplayName != 'x'",
      '4000',
      'QueryParserError: Invalid content. Lexical error at line 1, column 42.  Encountered: "!" (33), after : ""',
    ],
    [
      "SELECT * FROM Customer WHERE DisplayName = 'it''s'",
      '4000',
      'QueryParserError: Encountered " <STRING> "\'s\' "" at line 1, column 48.',
    ],
    [
      "SELECT * FROM Customer WHERE Id = '1' OR Id = '2'",
      '4000',
      'QueryParserError: Encountered " <IDENTIFIER> "OR "" at line 1, column 39.',
    ],
    [
      'SELECT * FROM Invoice STARTPOSITION 0',
      '4001',
      'QueryValidationError: value 0 is too small. Min allowed value is 1',
    ],
    [
      "SELECT * FROM Purchase WHERE NoSuchField = '1'",
      '4001',
      'QueryValidationError: Property NoSuchField not found for Entity Purchase',
    ],
    [
      "SELECT * FROM Purchase WHERE AccountRef = '1'",
      '4001',
      "QueryValidationError: property 'AccountRef' is not queryable",
    ],
    [
      "SELECT * FROM Invoice WHERE Line.Amount = '1'",
      '4001',
      "QueryValidationError: property 'Line.Amount' is not queryable",
    ],
    ['SELECT * FROM TaxService', '4001', 'QueryValidationError: invalid context declaration: TaxService'],
    [
      "SELECT * FROM Invoice WHERE Id > '3'",
      '4001',
      "QueryValidationError: operator > is not supported for property 'Id'",
    ],
    ['', '4000', 'QueryParserError: Encountered "<EOF>" at line 0, column 0.\nWas expecting:\n    "select" ...\n    '],
    ['SELECT * FROM', '4000', 'QueryParserError: Encountered "<EOF>" at line 1, column 13.'],
  ])('%s', (statement, code, detail) => {
    expect(faultOf(() => runQuery(statement, books))).toMatchObject({ code, detail, faultType: 'ValidationFault' });
  });

  it('any text is answered or refused with 4000 or 4001, never a crash', () => {
    const words = fc.constantFrom(
      'SELECT',
      '*',
      'FROM',
      'Invoice',
      'WHERE',
      'Id',
      '=',
      "'1'",
      'IN',
      '(',
      ')',
      ',',
      'LIKE',
      "'%'",
      'ORDERBY',
      'AND',
      'MAXRESULTS',
      '5',
      '-1',
      'Active',
      'true',
      'Line',
      "'",
      '\\',
      '💸',
      'count',
      '\n',
    );
    const statements = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words, { maxLength: 15 }).map((all) => all.join(' ')),
      fc.array(words, { maxLength: 8 }).map((all) => `SELECT * FROM Invoice ${all.join(' ')}`),
    );
    fc.assert(
      fc.property(statements, (statement) => {
        try {
          runQuery(statement, books);
        } catch (error) {
          expect(error).toBeInstanceOf(QboFault);
          expect(['4000', '4001']).toContain((error as QboFault).code);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('moments', () => {
  it.each([
    ['2026-01-02T03:04:05-08:00', '2026-01-02T11:04:05.000Z'],
    ['2026-01-02T03:04:05.250Z', '2026-01-02T03:04:05.250Z'],
    ['2026-01-02T03:04:05', '2026-01-02T11:04:05.000Z'],
    ['2026-01-02', '2026-01-02T08:00:00.000Z'],
    ['2026-01-02T03:04:05 02:00', '2026-01-02T01:04:05.000Z'],
  ])('%s in a company at -08:00', (text, utc) => {
    expect(new Date(parseMoment(text, -480)!).toISOString()).toBe(utc);
  });
  it('reads stored timestamps exactly as the slow way does', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2000-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }),
        fc.constantFrom('-07:00', '+05:30', '+00:00'),
        (date, zone) => {
          const text = date.toISOString().slice(0, 19) + zone;
          expect(storedMoment(text)).toBe(Date.parse(text));
        },
      ),
    );
  });
});

function faultOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
