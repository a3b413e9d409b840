// XML as the second format: the shapes that captured answers have, and requests read back into JSON with the types of
// the catalogue.
import fc from 'fast-check';
import { QboFault, type Rec } from '../types.js';
import { fromXml, toXml } from './index.js';

const time = '2026-05-05T02:08:54.543-07:00';
const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3" time="${time}">`;

it.each<[string, Rec, string]>([
  [
    'a record with its attributes and references',
    {
      Invoice: {
        TotalAmt: 10.5,
        CustomerRef: { value: '51', name: 'A & B' },
        Line: [{ Id: '1' }, { Id: '2' }],
        domain: 'QBO',
        sparse: false,
        Id: '7',
      },
      time,
    },
    '<Invoice domain="QBO" sparse="false"><TotalAmt>10.5</TotalAmt><CustomerRef name="A &#38; B">51</CustomerRef><Line><Id>1</Id></Line><Line><Id>2</Id></Line><Id>7</Id></Invoice>',
  ],
  [
    'a query answer',
    { QueryResponse: { Term: [{ Name: 'Net 30' }], startPosition: 1, maxResults: 1 }, time },
    '<QueryResponse startPosition="1" maxResults="1"><Term><Name>Net 30</Name></Term></QueryResponse>',
  ],
  ['an empty query answer', { QueryResponse: {}, time }, '<QueryResponse></QueryResponse>'],
  [
    'a deletion',
    { Bill: { status: 'Deleted', domain: 'QBO', Id: '108' }, time },
    '<Bill status="Deleted" domain="QBO"><Id>108</Id></Bill>',
  ],
  [
    'a fault',
    {
      Fault: {
        Error: [{ Message: 'Object Not Found', Detail: 'gone', code: '610', element: '' }],
        type: 'ValidationFault',
      },
      time,
    },
    '<Fault type="ValidationFault"><Error code="610" element=""><Message>Object Not Found</Message><Detail>gone</Detail></Error></Fault>',
  ],
  [
    'a batch item',
    { BatchItemResponse: [{ bId: '1', Term: { Id: '3' } }], time },
    '<BatchItemResponse bId="1"><Term><Id>3</Id></Term></BatchItemResponse>',
  ],
])('writes %s', (_title, answer, inner) => {
  expect(toXml(answer, time)).toBe(`${head}${inner}</IntuitResponse>`);
});

it('writes a report as the root, without an envelope', () => {
  const report = {
    Header: { ReportName: 'TrialBalance' },
    Rows: { Row: [{ type: 'Data', ColData: [{ value: 'Checking', id: '35' }, { value: '9.50' }] }] },
  };
  expect(toXml(report, time)).toBe(
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Report xmlns="http://schema.intuit.com/finance/v3"><Header><ReportName>TrialBalance</ReportName></Header><Rows><Row type="Data"><ColData value="Checking" id="35"></ColData><ColData value="9.50"></ColData></Row></Rows></Report>',
  );
});

it('reads an entity with prefixes, comments, CDATA and entities, typed by the catalogue', () => {
  const { entity, body } =
    fromXml(`<?xml version="1.0"?><!-- x --><ns0:Invoice xmlns:ns0="http://schema.intuit.com/finance/v3" domain="QBO" sparse="true">
    <ns0:Id>7</ns0:Id><ns0:CustomerRef name="Ada">51</ns0:CustomerRef><ns0:CustomerMemo>Thanks &amp; bye</ns0:CustomerMemo>
    <ns0:PrivateNote><![CDATA[a < b]]></ns0:PrivateNote>
    <ns0:ApplyTaxAfterDiscount>false</ns0:ApplyTaxAfterDiscount><ns0:ExchangeRate>1.25</ns0:ExchangeRate>
    <ns0:Line><ns0:Amount>12.50</ns0:Amount><ns0:DetailType>SalesItemLineDetail</ns0:DetailType>
      <ns0:SalesItemLineDetail><ns0:ItemRef>3</ns0:ItemRef><ns0:Qty>2</ns0:Qty></ns0:SalesItemLineDetail></ns0:Line></ns0:Invoice>`);
  expect(entity).toBe('Invoice');
  expect(body).toEqual({
    domain: 'QBO',
    sparse: true,
    Id: '7',
    CustomerRef: { value: '51', name: 'Ada' },
    CustomerMemo: { value: 'Thanks & bye' },
    PrivateNote: 'a < b',
    ApplyTaxAfterDiscount: false,
    ExchangeRate: 1.25,
    Line: [
      { Amount: 12.5, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: '3' }, Qty: 2 } },
    ],
  });
});

it('reads a batch', () => {
  const { entity, body } = fromXml(
    '<IntuitBatchRequest xmlns="http://schema.intuit.com/finance/v3"><BatchItemRequest bId="b1" operation="create"><Term><Name>Net 9</Name><DueDays>9</DueDays></Term></BatchItemRequest><BatchItemRequest bId="b2"><Query>select * from Term</Query></BatchItemRequest></IntuitBatchRequest>',
  );
  expect(entity).toBe('Batch');
  expect(body).toEqual({
    BatchItemRequest: [
      { bId: 'b1', operation: 'create', Term: { Name: 'Net 9', DueDays: 9 } },
      { bId: 'b2', Query: 'select * from Term' },
    ],
  });
});

it('reads back what it wrote', () => {
  const text = fc.string({ unit: 'grapheme' }).map((s) => `x${s.trim()}`);
  const records = fc.record({
    Line: fc.array(
      fc.record({ Amount: fc.integer({ min: 0, max: 1_000_000 }).map((cents) => cents / 100), Description: text }),
      { minLength: 1, maxLength: 4 },
    ),
    PrivateNote: text,
    CustomerRef: fc.record({ value: fc.nat().map(String), name: text }),
    sparse: fc.boolean(),
  });
  fc.assert(
    fc.property(records, (record) => {
      const document = toXml({ Invoice: record, time }, time);
      const inner = /<Invoice[\s\S]*<\/Invoice>/.exec(document)![0];
      expect(fromXml(inner)).toEqual({ entity: 'Invoice', body: record });
    }),
    { numRuns: 300 },
  );
});

it.each([
  '',
  'no xml',
  '<a>',
  '<a></b>',
  '<a/><b/>',
  '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
  '<a>&nope;</a>',
  '<a'.repeat(5),
  '<a>'.repeat(1_000),
  '<a x=1/>',
])('refuses %s as QBO does what it cannot map', (text) => {
  expect(() => fromXml(text)).toThrow(QboFault);
});

it('any text is read or refused, never a crash', () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '/',
    'a',
    ' ',
    '"',
    '=',
    '&amp;',
    '&',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<?',
    '?>',
    '<Invoice>',
    '</Invoice>',
    '\u0000',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(pieces).map((all) => all.join('')),
      ),
      (text) => {
        try {
          fromXml(text);
        } catch (error) {
          expect(error).toBeInstanceOf(QboFault);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
