// A mapping rule leaves records out that were carried, or whose children are: the sync's policy decides about the copy, and
// children say at once why they do not come.
import { desiredHash, type Json } from '#core';
import type { WriteEvent } from '#contracts';
import { LinkReport, Links } from '#storage';
import { Installation } from './installation.js';

describe('a record that the mapping leaves out', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  /** What the mapper says under a newer version of the rules. */
  const leftOut = (type: string, record: Json): WriteEvent => {
    const { payload: _payload, naturalKey: _key, ...event } = w.event(type, record);
    return {
      ...event,
      op: 'exclude',
      desiredHash: desiredHash('exclude', undefined, []),
      references: [],
      mappingVersion: event.mappingVersion + 1,
      failure: { code: 'MAPPING.EXCLUDED', message: 'small fry (sync 4)' },
    };
  };
  const again = (type: string, record: Json): WriteEvent => {
    const event = w.event(type, record);
    return { ...event, mappingVersion: event.mappingVersion + 2 };
  };
  const sold = async () => {
    const buyer = await w.save('Customer', { DisplayName: 'Northwind' });
    const income = { value: await w.sourceAccount('Income') };
    const item = await w.save('Item', { Name: 'Work', Type: 'Service', IncomeAccountRef: income });
    return { buyer, invoice: await w.saveInvoice(String(buyer.Id), String(item.Id), 12) };
  };
  const carried = async (settings: Json) => {
    await w.begin(settings);
    const made = await sold();
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    return made;
  };

  it('keeps its copy by default, is listed with the rule, and follows the source again when the rule is gone', async () => {
    const { invoice } = await carried({});
    const copy = (await w.link('Invoice', invoice.Id)).targetId;
    const before = await w.targetStats();
    await w.take([leftOut('Invoice', invoice)]);
    await w.until((links) => links.some((one) => one.op === 'exclude' && one.state === 'settled'));
    const listed = await new LinkReport(w.db).page(w.syncId, { ops: ['exclude'] }, 10);
    expect(listed.items).toMatchObject([{ targetId: copy, exclusion: 'small fry (sync 4)' }]);
    expect((await w.results()).at(-1)).toMatchObject({ outcome: 'unchanged', code: 'EXCLUDED.LEFT' });
    await w.take([again('Invoice', invoice)]);
    await w.quiet();
    expect(await w.link('Invoice', invoice.Id)).toMatchObject({ op: 'upsert', targetId: copy, exclusion: null });
    expect((await w.targetStats()).requests).toBe(before.requests);
  });

  it('is removed where the sync says so, documents before the names they use, and carried anew when the rule is gone', async () => {
    const { buyer, invoice } = await carried({ excluded: 'remove' });
    await w.take([leftOut('Customer', buyer), leftOut('Invoice', invoice)]);
    await w.quiet();
    expect(await w.query(w.target, 'select * from Invoice')).toEqual([]);
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({ Active: false });
    await w.take([again('Invoice', invoice), again('Customer', buyer)]);
    await w.quiet();
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({ Active: true });
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 12 });
  });

  it('is held where the sync says so, naming the rule and the copy', async () => {
    const { invoice } = await carried({ excluded: 'hold' });
    await w.take([leftOut('Invoice', invoice)]);
    await w.until((links) => links.some((one) => one.failureCode === 'EXCLUDED.HELD'));
    const { failureReason, targetId } = await w.link('Invoice', invoice.Id);
    expect(failureReason).toBe(`the mapping leaves it out: small fry (sync 4); Invoice ${targetId} is still there`);
  });

  it('tells its children at once, and they go on when it is carried after all', async () => {
    await w.begin();
    const { buyer, invoice } = await sold();
    w.startWriter();
    const events = (await w.sourceEvents()).filter(
      (event) => event.sourceId !== buyer.Id || event.entityType !== 'Customer',
    );
    await w.take([leftOut('Customer', buyer), ...events]);
    await w.until((links) => links.some((one) => one.failureCode === 'PARENT.EXCLUDED'));
    expect((await w.link('Invoice', invoice.Id)).failureReason).toBe(
      `waits for Customer ${String(buyer.Id)}, which the mapping leaves out: small fry (sync 4)`,
    );
    await w.take([again('Customer', buyer)]);
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 12 });
  });

  it('and a name is put away although something waits for ever, but not while its own documents may still move', async () => {
    await w.begin();
    await sold();
    const quiet = await w.save('Customer', { DisplayName: 'Quiet' });
    const events = await w.sourceEvents();
    w.startWriter();
    // An invoice of somebody nobody has heard of, as bulk work: it may wait for ever.
    const invoice = events.find((event) => event.entityType === 'Invoice')!;
    const references = invoice.references.map((one) =>
      one.entityType === 'Customer' ? { ...one, sourceId: '8888' } : one,
    );
    const others = events.filter((event) => event.entityType !== 'Invoice');
    await w.take([...others, { ...invoice, sourceId: '9999', references }]);
    await w.until((links) => links.some((one) => one.failureCode === 'PARENT.UNKNOWN'));
    const { Id, SyncToken } = quiet;
    await w.carry('Customer', await w.save('Customer', { Id, SyncToken, sparse: true, Active: false }));
    await w.until((links) =>
      links.filter((one) => one.entityType === 'Customer').every((one) => one.state === 'settled'),
    );
    expect(await w.targetRecord('Customer', quiet.Id)).toMatchObject({ Active: false });
    const name = (sourceId: string) => ({ syncId: w.syncId, entityType: 'Customer', sourceId });
    const needed = await new Links(w.db).stillNeeded([name(String(Id)), name('8888')], ['Invoice']);
    expect([...needed]).toEqual([`${w.syncId}/Customer/8888`]);
  });
});
