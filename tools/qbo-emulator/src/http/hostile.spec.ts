// Hostile input: whatever arrives, the answer is a fault in QBO's shape (or an honest success), the server lives, and a
// refused request changes nothing. Driven in-process below the socket for number, over the socket for form.
import fc from 'fast-check';
import { entityTypes } from '../catalogue/catalogue.js';
import { Emulator } from '../emulator.js';
import type { Seat } from '../seat.js';
import type { Rec } from '../types.js';
import { Accounting } from './accounting.js';
import type { Call } from './call.js';
import { TestCompany, faultCode, salesLine, send } from './test-company.js';

const emulator = new Emulator({ clock: 'virtual', baseUrl: () => 'http://none' });
emulator.logDefects = true;
const seat: Seat = emulator.newEmptyCompany({ name: 'Hostile', multicurrency: true });
const accounting = new Accounting(emulator);
const customer = seat.engine.create('Customer', { DisplayName: 'Target' }).id;
const invoice = seat.engine.create('Invoice', { CustomerRef: { value: customer }, Line: [salesLine('1', 10)] }).id;
seat.company.changes.length = 0;

/** Cheap and complete enough: how many records of each type, their tokens summed, and the books. */
function state(): string {
  const { company } = seat;
  let text = JSON.stringify(company.ledger.trialBalance());
  for (const t of entityTypes) {
    let tokens = 0;
    for (const rec of company.all(t.entity)) tokens += Number(rec['SyncToken']);
    text += `|${company.count(t.entity)}.${tokens}`;
  }
  return text;
}

function ask(
  method: string,
  path: string,
  body: Buffer | string,
  headers: Rec = {},
  wantsJson = true,
): { status: number; text: string } {
  const [address = '', search = ''] = path.split('?');
  const call: Call = {
    method,
    realmId: seat.company.realmId,
    segments: address.split('/').filter((s) => s !== ''),
    query: new URLSearchParams(search),
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body as string),
    wantsJson,
  };
  const answer = accounting.answer(seat, call, undefined);
  return { status: answer.status, text: answer.body.toString() };
}

let asked = 0;

function assertAnswered({ status, text }: { status: number; text: string }, before: () => string | undefined): void {
  asked += 1;
  if (status === 200) return;
  const fault =
    status === 400 || status === 403 || status === 404
      ? ((JSON.parse(text) as Rec)['Fault'] as Rec | undefined)
      : undefined;
  const error = fault?.['Error']?.[0] as Rec | undefined;
  if (
    typeof fault?.['type'] !== 'string' ||
    !/^\d+$/.test(String(error?.['code'])) ||
    typeof error?.['Message'] !== 'string'
  ) {
    throw new Error(`not a QBO fault: ${status} ${text.slice(0, 300)}`);
  }
  // The whole picture costs a millisecond; every tenth refusal is enough to find a path that leaves something behind.
  const was = asked % 10 === 0 ? before() : undefined;
  if (was !== undefined && state() !== was)
    throw new Error(`a refused request changed the company: ${text.slice(0, 300)}`);
}

const names = [...new Set(entityTypes.flatMap((t) => [...t.fields.keys()]))];
const endpoints = entityTypes.map((t) => t.endpoint);
const scalar = fc.oneof(
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, '', '0', '-1', 1e308, -0, '9'.repeat(40), '2026-02-30', '\u0000', '\ud800', 'NaN', '__proto__'),
);
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.record({ value: scalar }),
    fc.dictionary(fc.constantFrom(...names, 'value', 'name', 'constructor', '__proto__', 'LineEx'), tie('node'), {
      maxKeys: 4,
    }),
    fc.array(tie('node'), { maxLength: 4 }),
  ),
})).node;
const body = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 8 });
const NUM_RUNS = 4_500;

describe('hostile input', () => {
  afterEach(() => expect(emulator.defects).toBe(0));

  it('a document of random fields is answered, and refused without a trace', () => {
    let known: string | undefined;
    fc.assert(
      fc.property(
        fc.constantFrom(...endpoints),
        body,
        fc.constantFrom('', '?operation=update', '?operation=delete', '?include=void'),
        (endpoint, doc, search) => {
          known ??= state();
          const reply = ask('POST', `${endpoint}${search}`, JSON.stringify(doc));
          assertAnswered(reply, () => known);
          if (reply.status === 200) known = undefined;
        },
      ),
      { numRuns: NUM_RUNS, endOnFailure: true },
    );
  });

  it('a good document with one bad field is answered, and refused without a trace', () => {
    const good: [string, Rec][] = [
      ['invoice', { CustomerRef: { value: customer }, Line: [salesLine('1', 10)] }],
      [
        'payment',
        {
          CustomerRef: { value: customer },
          TotalAmt: 1,
          Line: [{ Amount: 1, LinkedTxn: [{ TxnId: invoice, TxnType: 'Invoice' }] }],
        },
      ],
      ['customer', { Id: customer, SyncToken: '0', sparse: true }],
      ['item', { Name: 'Item', Type: 'Service', IncomeAccountRef: { value: '1' } }],
      ['attachable', { Note: 'n' }],
      ['preferences', { SyncToken: '0', sparse: true }],
      ['taxservice/taxcode', { TaxCode: 'T', TaxRateDetails: [{ TaxRateName: 'R', RateValue: 1, TaxAgencyId: '1' }] }],
      ['recurringtransaction', { Bill: { RecurringInfo: { Name: 'R' } } }],
      ['exchangerate', { SourceCurrencyCode: 'EUR', AsOfDate: '2026-01-01', Rate: 1 }],
    ];
    let known: string | undefined;
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.constantFrom(...names, 'Line', 'Amount', 'LinkedTxn'),
        value,
        fc.boolean(),
        ([path, doc], name, bad, inLine) => {
          known ??= state();
          const broken = structuredClone(doc);
          const line = (broken['Line'] as Rec[] | undefined)?.[0];
          if (inLine && line) line[name] = bad;
          else broken[name] = bad;
          const reply = ask('POST', path, JSON.stringify(broken));
          assertAnswered(reply, () => known);
          if (reply.status === 200) known = undefined;
        },
      ),
      { numRuns: NUM_RUNS, endOnFailure: true },
    );
  });

  it('random bytes, with any content type, are answered', () => {
    const known = state();
    fc.assert(
      fc.property(
        fc.constantFrom(...endpoints, 'batch', 'upload', 'query'),
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(
          'application/json',
          'application/xml',
          'text/plain',
          'multipart/form-data; boundary=x',
          'image/png',
          '',
        ),
        (endpoint, bytes, type) => {
          assertAnswered(ask('POST', endpoint, Buffer.from(bytes), { 'content-type': type }), () => undefined);
        },
      ),
      { numRuns: NUM_RUNS, endOnFailure: true },
    );
    expect(state()).toBe(known);
  });

  it('random query statements are answered without a trace', () => {
    const known = state();
    const words = [
      'select',
      '*',
      'from',
      'Invoice',
      'where',
      'TotalAmt',
      '=',
      '>',
      'in',
      '(',
      ')',
      "'",
      "'x'",
      'like',
      "'%'",
      'orderby',
      'order',
      'by',
      'startposition',
      'maxresults',
      '0',
      '-1',
      '1e9',
      'count(*)',
      'and',
      'MetaData.LastUpdatedTime',
      '\\',
      ';',
      ',',
    ];
    const statement = fc.oneof(
      fc.string(),
      fc
        .array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })), { maxLength: 12 })
        .map((w) => w.join(' ')),
    );
    fc.assert(
      fc.property(statement, (text) =>
        assertAnswered(
          ask('GET', `query?query=${encodeURIComponent(text.replace(/[\ud800-\udfff]/g, '?'))}`, ''),
          () => undefined,
        ),
      ),
      { numRuns: NUM_RUNS, endOnFailure: true },
    );
    expect(state()).toBe(known);
  });

  it('random batches answer every item or refuse the whole', () => {
    const item = fc.dictionary(
      fc.constantFrom('bId', 'operation', 'optionsData', 'Query', 'Invoice', 'Customer', 'Nonsense'),
      fc.oneof(body, scalar, fc.constantFrom('create', 'update', 'delete', 'void')),
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(fc.oneof(fc.array(item, { maxLength: 5 }), item, scalar), (items) => {
        const reply = ask('POST', 'batch', JSON.stringify({ BatchItemRequest: items }));
        assertAnswered(reply, () => undefined);
        if (reply.status === 200 && Array.isArray(items)) {
          expect((JSON.parse(reply.text) as Rec)['BatchItemResponse']).toHaveLength(items.length);
        }
      }),
      { numRuns: 2_000, endOnFailure: true },
    );
  });
});

describe('hostile form over the socket', () => {
  let qbo: TestCompany;
  beforeAll(async () => {
    qbo = await TestCompany.open();
  });
  afterAll(async () => {
    expect(qbo.running.emulator.defects).toBe(0);
    await qbo.close();
  });

  it('a very deep document is a fault, not a crash', async () => {
    const deep = `{"Line":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expect(faultCode(await qbo.post('/invoice', deep))).toMatch(/^\d+$/);
    const nested = `{"BatchItemRequest":[${'{"Invoice":'.repeat(5_000)}1${'}'.repeat(5_000)}]}`;
    expect((await qbo.post('/batch', nested)).status).toBeLessThan(500);
  });

  it('a body of ten megabytes is read and refused', async () => {
    const reply = await qbo.post('/customer', JSON.stringify({ DisplayName: 'x'.repeat(10 * 1024 * 1024) }));
    expect(faultCode(reply)).toBe('2050');
  });

  it('addresses that cannot be decoded, huge headers and wrong packing are answered', async () => {
    expect((await qbo.get('/customer/%E0%A4%A')).status).toBe(400);
    expect((await qbo.get('/companyinfo/1', { 'x-long': 'y'.repeat(30_000) })).status).toBe(200);
    expect((await qbo.post('/customer', 'not gzip', { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await send(qbo.running.url, 'GET', '/nowhere')).status).toBe(404);
    expect((await send(qbo.running.url, 'POST', '/_emulator/companies', '[')).body['error'].code).toBe('BAD_REQUEST');
  });
});
