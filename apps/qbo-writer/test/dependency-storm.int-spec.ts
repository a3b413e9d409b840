// Children arrive first and parents last, as when a topic is read from the wrong end: nothing is left waiting, and the target
// is not asked to write more than there is to write. (10,000 records through the whole system: npm run storm.)
import type { Json } from '#core';
import { Installation } from './installation.js';

describe('a dependency storm', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
    await w.begin();
  });
  afterAll(() => w.stop());

  it('of 300 records leaves none waiting and writes at most 1.1 items a record', async () => {
    const income = { value: await w.sourceAccount('Income') };
    const inTurn = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
    const make = async (count: number, save: (n: number) => Promise<Json>): Promise<Json[]> => {
      const made: Json[] = [];
      for (let n = 0; n < count; n++) made.push(await save(n));
      return made;
    };
    const customers = await make(30, (n) => w.save('Customer', { DisplayName: `Customer ${n}` }));
    const jobs = await make(20, (n) =>
      w.save('Customer', { DisplayName: `Job ${n}`, Job: true, ParentRef: { value: inTurn(customers, n).Id } }),
    );
    const items = await make(10, (n) =>
      w.save('Item', { Name: `Item ${n}`, Type: 'Service', IncomeAccountRef: income }),
    );
    const invoices = await make(140, (n) => {
      const buyer = inTurn([...customers, ...jobs], n);
      return w.saveInvoice(String(buyer.Id), String(inTurn(items, n).Id), 10 + n);
    });
    const payments = await make(100, (n) => {
      const invoice = invoices[n]!;
      return w.save('Payment', {
        CustomerRef: invoice.CustomerRef,
        TotalAmt: 10 + n,
        Line: [{ Amount: 10 + n, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
      });
    });
    const ofType = new Map<string, Json[]>([
      ['Payment', payments],
      ['Invoice', invoices],
      ['Item', items],
      ['Customer', [...jobs, ...customers]],
    ]);
    const all = await w.sourceEvents();
    const written = ['Payment', 'Invoice', 'Item', 'Customer'];
    const before = await w.targetStats();
    w.startWriter();
    for (const type of written) {
      const mine = new Set(ofType.get(type)!.map((record) => String(record.Id)));
      await w.take(all.filter((event) => event.entityType === type && mine.has(event.sourceId)));
      // Time enough to try, and to find that the parents are missing.
      await w.until((links) => links.every((link) => link.state !== 'ready' && link.state !== 'sending'));
    }
    await w.take(all.filter((event) => !written.includes(event.entityType)));
    const links = await w.quiet();
    expect(links.filter((link) => link.state === 'waiting')).toEqual([]);
    const after = await w.targetStats();
    const records = [...ofType.values()].reduce((sum, list) => sum + list.length, 0);
    expect(records).toBe(300);
    // Counts every item of a batch as a write.
    const sent = Number(after.writes) - Number(before.writes);
    expect(sent).toBeGreaterThanOrEqual(records);
    expect(sent).toBeLessThanOrEqual(records * 1.1);
    expect(after.duplicateSuspects).toEqual([]);
  });
});
