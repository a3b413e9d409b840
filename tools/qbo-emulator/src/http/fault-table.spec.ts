// Runs the shared fault table over the wire, and holds it against the codes the emulator knows.
import { REFUSALS } from '../engine/refusals.js';
import { faultTable } from './fault-cases.js';
import { TestCompany, faultCode, salesLine } from './test-company.js';

const { rows, prepare } = faultTable();
let qbo: TestCompany;

beforeAll(async () => {
  qbo = await TestCompany.open();
  await prepare(qbo);
});
afterAll(() => qbo.close());

describe('fault table', () => {
  it.each(rows)('%s when %s', async (code, _when, ask) => {
    const reply = await ask();
    expect([faultCode(reply), reply.text.slice(0, 400)]).toEqual([code, expect.any(String)]);
  });

  it('has a row for every code that a refusal can have', () => {
    const covered = new Set(rows.map(([code]) => code));
    expect(Object.keys(REFUSALS).filter((code) => !covered.has(code))).toEqual([]);
  });

  it('leaves nothing behind: the books stand as they stood after a refused write', async () => {
    const customer = { CustomerRef: { value: (await qbo.make('Customer', { DisplayName: 'Unmoved' }))['Id'] } };
    const invoice = await qbo.make('Invoice', { ...customer, Line: [salesLine('1', 100)] });
    const books = async (): Promise<string> => (await qbo.steer('GET', `/companies/${qbo.realmId}/trial-balance`)).text;
    const before = await books();
    await qbo.post('/invoice', { ...customer, Line: [salesLine('1', 10), salesLine('99999', 1)] });
    await qbo.post('/payment', {
      ...customer,
      TotalAmt: 5000,
      Line: [{ Amount: 5000, LinkedTxn: [{ TxnId: invoice['Id'], TxnType: 'Invoice' }] }],
    });
    expect(await books()).toBe(before);
  });
});
