// The writer against a QuickBooks that misbehaves, on real PostgreSQL. Each test starts with two fresh companies.
import type { Json } from '#core';
import { LinkReport } from '#storage';
import { Installation } from './installation.js';

describe('the writer', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  const service = async (name = 'Work'): Promise<Json> =>
    w.save('Item', { Name: name, Type: 'Service', IncomeAccountRef: { value: await w.sourceAccount('Income') } });
  const customer = (name: string, more: Json = {}): Promise<Json> => w.save('Customer', { DisplayName: name, ...more });
  const payment = (customerId: string, invoiceId: string, amount: number): Promise<Json> =>
    w.save('Payment', {
      CustomerRef: { value: customerId },
      TotalAmt: amount,
      Line: [{ Amount: amount, LinkedTxn: [{ TxnId: invoiceId, TxnType: 'Invoice' }] }],
    });
  /** Source with one customer, one item and `count` invoices. */
  const books = async (count: number) => {
    const buyer = await customer('Northwind');
    const item = await service();
    const invoices: Json[] = [];
    for (let n = 1; n <= count; n++) invoices.push(await w.saveInvoice(buyer.Id, item.Id, n));
    return { buyer, item, invoices };
  };
  const expectNothingDoubled = async (count: number) => {
    const stats = await w.targetStats();
    expect(stats.duplicateSuspects).toEqual([]);
    expect(await w.query(w.target, 'select * from Invoice maxresults 1000')).toHaveLength(count);
  };

  it('makes the target equal: names, parents before children, an invoice and its payment', async () => {
    w.startWriter();
    const parent = await customer('Northwind');
    const child = await customer('Northwind Branch', { ParentRef: { value: parent.Id }, Job: true });
    const item = await service();
    const invoice = await w.saveInvoice(child.Id, item.Id, 125.5);
    await payment(child.Id, invoice.Id, 125.5);
    await w.take(await w.sourceEvents());
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ TotalAmt: 125.5, Balance: 0 });
    expect((await w.targetStats()).duplicateSuspects).toEqual([]);
    expect(await w.emulator.trialBalance(w.target.realmId)).toBeDefined();
  });

  it('replays every write with not one request to the target (I-12)', async () => {
    w.startWriter();
    await books(5);
    const events = await w.sourceEvents();
    await w.take(events);
    await w.quiet();
    const before = await w.targetStats();
    // A replay: the same versions, and the same content seen again later as a newer version.
    await w.take(events);
    await w.take(
      events.map((event) => ({ ...event, version: event.version.replace(/_[^_]+$/, `_${new Date().toISOString()}`) })),
    );
    await w.quiet();
    expect((await w.targetStats()).requests).toBe(before.requests);
  });

  it('sends transactions in batches and names one at a time', async () => {
    await books(40);
    await w.take(await w.sourceEvents());
    w.startWriter();
    await w.quiet();
    const stats = await w.targetStats();
    expect(stats.batchCalls).toBeLessThanOrEqual(4);
    expect(stats.batchItems).toBeGreaterThanOrEqual(38);
    await expectNothingDoubled(40);
  });

  it.each(['timeout-after-commit', 'reset-after-commit', 'truncate-body'])(
    'repeats a write whose answer was lost, and doubles nothing (%s)',
    async (fault) => {
      const { buyer, item, invoices } = await books(1);
      w.startWriter();
      await w.emulator.fault({
        match: { realmId: w.target.realmId, method: 'POST', entity: 'invoice' },
        fault,
        times: 1,
      });
      await w.emulator.fault({
        match: { realmId: w.target.realmId, method: 'POST', entity: 'customer' },
        fault,
        times: 1,
      });
      await w.take(await w.sourceEvents());
      await w.quiet();
      await expectNothingDoubled(1);
      expect((await w.targetStats()).replayedRequestIds).toBeGreaterThanOrEqual(2);
      expect(await w.targetRecord('Invoice', invoices[0]!.Id)).toMatchObject({ TotalAmt: 1 });
      expect([buyer, item]).toHaveLength(2);
    },
  );

  it('settles the answered part of a batch at once and repeats the batch for the rest', async () => {
    await books(10);
    await w.emulator.fault({
      match: { realmId: w.target.realmId, pathPattern: '/batch' },
      fault: 'partial-batch',
      items: 4,
      times: 1,
    });
    await w.take(await w.sourceEvents());
    w.startWriter();
    await w.quiet();
    await expectNothingDoubled(10);
  });

  it('repeats a whole batch whose answer was lost, byte for byte', async () => {
    await books(10);
    await w.emulator.fault({
      match: { realmId: w.target.realmId, pathPattern: '/batch' },
      fault: 'reset-after-commit',
      times: 1,
    });
    await w.take(await w.sourceEvents());
    w.startWriter();
    await w.quiet();
    await expectNothingDoubled(10);
  });

  it('comes through a storm of 429 and fails nothing', async () => {
    await books(6);
    await w.emulator.fault({ match: { realmId: w.target.realmId }, fault: 'throttle', probability: 0.5, times: 8 });
    await w.take(await w.sourceEvents());
    w.startWriter();
    await w.quiet();
    await expectNothingDoubled(6);
  });

  it('reads the record again when its SyncToken moved, and writes on top', async () => {
    w.startWriter();
    const buyer = await customer('Northwind');
    await w.carry('Customer', buyer);
    await w.quiet();
    const copy = await w.targetRecord('Customer', buyer.Id);
    await w.write(w.target, 'Customer', {
      Id: copy.Id,
      SyncToken: copy.SyncToken,
      sparse: true,
      Notes: 'edited in the target',
    });
    const renamed = await w.save('Customer', {
      Id: buyer.Id,
      SyncToken: buyer.SyncToken,
      sparse: true,
      DisplayName: 'Southwind',
    });
    await w.carry('Customer', renamed);
    await w.until((links) => links.every((l) => l.state === 'settled' && l.appliedVersion === l.desiredVersion));
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({
      DisplayName: 'Southwind',
      Notes: 'edited in the target',
    });
  });

  it('overwrites what a person edited in the target, and tells what it was', async () => {
    w.startWriter();
    const buyer = await customer('Northwind', { Notes: 'ours' });
    await w.carry('Customer', buyer);
    await w.quiet();
    const copy = await w.targetRecord('Customer', buyer.Id);
    await w.write(w.target, 'Customer', { Id: copy.Id, SyncToken: copy.SyncToken, sparse: true, Notes: 'theirs' });
    await w.carry(
      'Customer',
      await w.save('Customer', { Id: buyer.Id, SyncToken: buyer.SyncToken, sparse: true, CompanyName: 'Inc' }),
    );
    await w.until((links) => links.every((l) => l.state === 'settled' && l.appliedVersion === l.desiredVersion));
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({ Notes: 'ours', CompanyName: 'Inc' });
    expect((await w.results()).at(-1)).toMatchObject({
      outcome: 'drift',
      code: 'DRIFT.OVERWRITTEN',
      reason: expect.stringContaining('Notes (was "theirs")'),
    });
  });

  it('holds a record that a person edited in the target, when the sync says so', async () => {
    await w.db.query(`update syncs set settings = '{"drift": "hold"}' where id = $1`, [w.syncId]);
    w.startWriter();
    const buyer = await customer('Northwind', { Notes: 'ours' });
    await w.carry('Customer', buyer);
    await w.quiet();
    const copy = await w.targetRecord('Customer', buyer.Id);
    await w.write(w.target, 'Customer', { Id: copy.Id, SyncToken: copy.SyncToken, sparse: true, Notes: 'theirs' });
    await w.carry(
      'Customer',
      await w.save('Customer', { Id: buyer.Id, SyncToken: buyer.SyncToken, sparse: true, Notes: 'ours again' }),
    );
    await w.until((links) => links.some((l) => l.state === 'held'));
    expect(await w.link('Customer', buyer.Id)).toMatchObject({
      failureCode: 'DRIFT',
      failureReason: expect.stringContaining('Notes'),
    });
    // The person's decision that the source is right: what was held is written over it, and not held again.
    await w.db.withTransaction((tx) => new LinkReport(w.db).redrive(tx, w.syncId, {}, new Date()));
    await w.quiet();
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({ Notes: 'ours again' });
  });

  it.each(['claimed', 'answered'] as const)(
    'goes on with the same call after a crash when it was just %s',
    async (moment) => {
      await books(3);
      let crashes = 0;
      // The fifth write dies: by then a name and an invoice are among the candidates.
      w.startWriter({ crashWhen: (at) => at === moment && ++crashes === 3 });
      await w.take(await w.sourceEvents());
      await w.until(() => crashes >= 3);
      w.startWriter();
      await w.quiet();
      await expectNothingDoubled(3);
    },
  );

  it('is right with two writers over one database', async () => {
    await books(30);
    w.startWriter();
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    await expectNothingDoubled(30);
    const fences = await w.db.query('select fence from realm_leases where realm_id = $1', [w.target.realmId]);
    expect(fences).toHaveLength(1);
  });

  it('keeps a child waiting with a reason until its parent comes', async () => {
    w.startWriter();
    const { buyer, item, invoices } = await books(1);
    await w.carry('Invoice', invoices[0]!);
    await w.until((links) => links[0]?.state === 'waiting' && links[0].failureReason !== null);
    const waiting = await w.link('Invoice', invoices[0]!.Id);
    expect(waiting).toMatchObject({
      failureCode: 'PARENT.UNKNOWN',
      failureReason: expect.stringContaining('has not arrived'),
    });
    expect(waiting.waitingOn.sort()).toEqual([`Customer/${buyer.Id}`, `Item/${item.Id}`].sort());
    await w.take(await w.sourceEvents());
    await w.quiet();
    await expectNothingDoubled(1);
  });

  it('tells a waiting child that its parent is stuck, and both go on once it is redriven', async () => {
    w.startWriter();
    const { buyer, invoices } = await books(1);
    const { id } = await w.emulator.fault({
      match: { realmId: w.target.realmId, method: 'POST', entity: 'customer' },
      fault: 'http',
      status: 400,
      body: {
        Fault: { Error: [{ Message: 'Invalid String', Detail: 'too long', code: '2050' }], type: 'ValidationFault' },
      },
    });
    await w.take(await w.sourceEvents());
    await w.until((links) => links.some((l) => l.entityType === 'Invoice' && l.failureCode === 'PARENT.FAILED'));
    expect(await w.link('Invoice', invoices[0]!.Id)).toMatchObject({
      state: expect.stringMatching(/^(waiting|held)$/),
      failureReason: expect.stringContaining(`Customer ${buyer.Id}, which is failed: 2050`),
    });
    await w.emulator.steer('DELETE', `faults/${id}`);
    await w.db.withTransaction((tx) => new LinkReport(w.db).redrive(tx, w.syncId, {}, new Date()));
    await w.quiet();
    await expectNothingDoubled(1);
  });

  it('takes a delete that arrives before anything else as done, and an older create after it as nothing', async () => {
    w.startWriter();
    const { invoices } = await books(1);
    const create = w.event('Invoice', invoices[0]!);
    await w.take((await w.sourceEvents()).filter((event) => event.entityType !== 'Invoice'));
    await w.take([w.event('Invoice', { Id: invoices[0]!.Id, status: 'Deleted' })]);
    await w.take([create]);
    await w.quiet();
    await expectNothingDoubled(0);
  });

  it('deletes, and is content when the record is gone already', async () => {
    w.startWriter();
    const { invoices } = await books(2);
    await w.take(await w.sourceEvents());
    await w.quiet();
    const gone = await w.targetRecord('Invoice', invoices[0]!.Id);
    await w.write(w.target, 'Invoice', { Id: gone.Id, SyncToken: gone.SyncToken }, '?operation=delete');
    await w.take(invoices.map((invoice) => w.event('Invoice', { Id: invoice.Id, status: 'Deleted' })));
    await w.until((links) =>
      links.every((l) => l.state === 'settled' && (l.entityType !== 'Invoice' || l.op === 'delete')),
    );
    await expectNothingDoubled(0);
  });

  it('voids an invoice that was voided in the source', async () => {
    w.startWriter();
    const { invoices } = await books(1);
    await w.take(await w.sourceEvents());
    await w.quiet();
    const voided = await w.write(
      w.source,
      'Invoice',
      { Id: invoices[0]!.Id, SyncToken: invoices[0]!.SyncToken },
      '?operation=void',
    );
    await w.carry('Invoice', voided);
    await w.until((links) => links.every((l) => l.state === 'settled' && l.appliedVersion === l.desiredVersion));
    expect(await w.targetRecord('Invoice', invoices[0]!.Id)).toMatchObject({
      TotalAmt: 0,
      PrivateNote: expect.stringMatching(/^Voided/),
    });
  });

  it('makes a record inactive, also one that it never saw active', async () => {
    w.startWriter();
    const buyer = await customer('Northwind');
    const other = await customer('Southwind');
    const sleeping = await w.save('Customer', {
      Id: other.Id,
      SyncToken: other.SyncToken,
      sparse: true,
      Active: false,
    });
    await w.carry('Customer', buyer, sleeping);
    await w.quiet();
    await w.carry(
      'Customer',
      await w.save('Customer', { Id: buyer.Id, SyncToken: buyer.SyncToken, sparse: true, Active: false }),
    );
    await w.until((links) => links.every((l) => l.state === 'settled' && l.appliedVersion === l.desiredVersion));
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({ Active: false });
    expect(await w.targetRecord('Customer', other.Id)).toMatchObject({ Active: false });
  });

  it('links a twin instead of doubling it, keeps what it was, and brings it in line', async () => {
    w.startWriter();
    const twin = await w.write(w.target, 'Customer', { DisplayName: 'northwind', Notes: 'older' });
    const buyer = await customer('Northwind', { CompanyName: 'Northwind Inc' });
    await w.carry('Customer', buyer);
    await w.quiet();
    expect(await w.link('Customer', buyer.Id)).toMatchObject({ targetId: twin.Id });
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({ CompanyName: 'Northwind Inc', Notes: 'older' });
    const [row] = await new LinkReport(w.db).ofRecord(w.source.realmId, 'Customer', buyer.Id);
    expect(row!.beforeImage).toMatchObject({ DisplayName: 'northwind', Notes: 'older' });
  });

  it('holds the work of a revoked company with a reason, loses nothing, and goes on after it is connected again', async () => {
    w.startWriter();
    const { invoices } = await books(2);
    await w.emulator.revokeGrant(w.app.clientId, w.target.realmId);
    await w.take(await w.sourceEvents());
    await w.until((links) => links.length > 2 && links.every((l) => ['held', 'waiting'].includes(l.state)));
    const [company] = await w.db.query<{ status: string }>('select status from companies where realm_id = $1', [
      w.target.realmId,
    ]);
    expect(company!.status).toBe('reconnect_needed');
    const held = (await w.links()).find((l) => l.state === 'held')!;
    expect(held).toMatchObject({
      failureCode: 'TARGET.RECONNECT_NEEDED',
      failureReason: expect.stringContaining('reconnect'),
    });
    await w.reconnect(w.target);
    await w.quiet();
    await expectNothingDoubled(invoices.length);
  });

  it('sends nothing while a sync is paused, learns what is desired, and goes on when it is resumed', async () => {
    w.startWriter();
    await w.db.query(`update syncs set state = 'paused' where id = $1`, [w.syncId]);
    const { requests } = await w.targetStats();
    await books(1);
    await w.take(await w.sourceEvents());
    await w.until((links) => links.length > 0);
    expect((await w.targetStats()).requests).toBe(requests);
    await w.db.query(`update syncs set state = 'active' where id = $1`, [w.syncId]);
    await w.quiet();
    await expectNothingDoubled(1);
  });

  it('holds what a closed period refuses, with words a person understands', async () => {
    w.startWriter();
    const { buyer, item } = await books(0);
    await w.emulator.steer('PUT', `companies/${w.target.realmId}/preferences`, {
      AccountingInfoPrefs: { BookCloseDate: '2030-12-31' },
    });
    const invoice = await w.saveInvoice(buyer.Id, item.Id, 10);
    await w.take(await w.sourceEvents());
    const links = await w.until((all) => all.some((l) => l.entityType === 'Invoice' && l.state === 'held'));
    // As it was then: whether the books are open is asked again by and by, and a look from before they were closed lets it go once.
    expect(links.find((l) => l.entityType === 'Invoice' && l.sourceId === invoice.Id)).toMatchObject({
      failureCode: expect.stringMatching(/^QBO\.62(00|10)$/),
      failureReason: expect.stringMatching(/period/i),
    });
    await w.emulator.steer('PUT', `companies/${w.target.realmId}/preferences`, {
      AccountingInfoPrefs: { BookCloseDate: null },
    });
    await w.db.withTransaction((tx) => new LinkReport(w.db).redrive(tx, w.syncId, {}, new Date()));
    await w.quiet();
  });

  it('announces one result per write, in the transaction that settled it', async () => {
    w.startWriter();
    const { invoices } = await books(2);
    await w.take(await w.sourceEvents());
    await w.quiet();
    const created = (await w.results()).filter((r) => r.entityType === 'Invoice');
    expect(created.map((r) => [r.sourceId, r.outcome]).sort()).toEqual(invoices.map((i) => [i.Id, 'created']).sort());
    expect(created[0]).toMatchObject({
      attempt: 1,
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
      targetId: expect.any(String),
    });
  });

  it('joins edits that came while a call was on its way into one later write', async () => {
    w.startWriter();
    let buyer = await customer('Northwind');
    await w.emulator.fault({
      match: { realmId: w.target.realmId, method: 'POST', entity: 'customer' },
      fault: 'slow',
      ms: 300,
      times: 1,
    });
    await w.carry('Customer', buyer);
    await w.until((links) => links[0]?.state === 'sending');
    for (const note of ['one', 'two', 'three']) {
      buyer = await w.save('Customer', { Id: buyer.Id, SyncToken: buyer.SyncToken, sparse: true, Notes: note });
      await w.carry('Customer', buyer);
    }
    await w.quiet();
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({ Notes: 'three' });
    expect((await w.targetStats()).writes).toBe(2);
    // A second update is another question: under the id of the first, QuickBooks would answer as it did then.
    await w.carry(
      'Customer',
      await w.save('Customer', { Id: buyer.Id, SyncToken: buyer.SyncToken, sparse: true, Notes: 'four' }),
    );
    await w.quiet();
    expect(await w.targetRecord('Customer', buyer.Id)).toMatchObject({ Notes: 'four' });
  });

  it('asks the target itself when an answer was lost too long ago to repeat the call', async () => {
    w.startWriter();
    const { invoices } = await books(2);
    await w.take((await w.sourceEvents()).filter((event) => event.entityType !== 'Invoice'));
    await w.quiet();
    // One invoice was made before the connection broke, the other one was not.
    for (const [invoice, fault] of [
      [invoices[0]!, 'reset-after-commit'],
      [invoices[1]!, 'reset-before-commit'],
    ] as const) {
      await w.emulator.fault({ match: { realmId: w.target.realmId, method: 'POST' }, fault, times: 1 });
      await w.carry('Invoice', invoice);
      await w.until((links) => links.some((l) => l.state === 'uncertain'));
      await w.db.query(`update calls set claimed_at = claimed_at - interval '25 hours' where state = 'unknown'`);
      await w.quiet();
    }
    await expectNothingDoubled(2);
  });

  it('adopts after a duplicate fault, and says who holds a name that no customer has', async () => {
    w.startWriter();
    const buyer = await customer('Northwind');
    await w.write(w.target, 'Vendor', { DisplayName: 'Northwind' });
    await w.carry('Customer', buyer);
    await w.until((links) => links[0]?.state === 'failed' || links[0]?.state === 'held');
    expect(await w.link('Customer', buyer.Id)).toMatchObject({
      failureCode: 'COLLISION.NAME',
      failureReason: expect.stringContaining('Vendor'),
    });
  });

  it('fails a record that breaks the planner by itself, and its company goes on', async () => {
    w.startWriter();
    const { buyer } = await books(1);
    const events = await w.sourceEvents();
    const broken = events.find((event) => event.entityType === 'Customer')!;
    await w.take([
      ...events.filter((event) => event !== broken),
      { ...broken, references: [{ path: [], entityType: 'Nothing', sourceId: '1' }] },
    ]);
    await w.until((links) => links.some((l) => l.entityType === 'Item' && l.state === 'settled'));
    expect(['failed', 'waiting']).toContain((await w.link('Customer', buyer.Id)).state);
  });

  it('finds the twin of a name with quotes and backslashes in it', async () => {
    w.startWriter();
    const name = `O'Neil \\ "Söhne" & Co`;
    const twin = await w.write(w.target, 'Customer', { DisplayName: name.replace(/"/g, '') });
    const buyer = await customer(name.replace(/"/g, ''));
    const other = await customer('Plain');
    await w.carry('Customer', buyer, other);
    await w.quiet();
    expect(await w.link('Customer', buyer.Id)).toMatchObject({ targetId: twin.Id });
  });

  it('renews an access token once for three processes, and all go on with the new one (I-07)', async () => {
    await w.db.query(`update oauth_grants set access_expires_at = now() + interval '1 minute' where realm_id = $1`, [
      w.target.realmId,
    ]);
    const version = async () =>
      (
        await w.db.query<{ v: string }>('select grant_version::text as v from oauth_grants where realm_id = $1', [
          w.target.realmId,
        ])
      )[0]!.v;
    const before = await version();
    const processes = [w.custody(), w.custody(), w.custody()];
    const answers = await Promise.all(processes.flatMap((one) => [1, 2].map(() => one.accessToken(w.target.realmId))));
    expect(answers.every((answer) => answer.kind === 'token')).toBe(true);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(Number(await version())).toBe(Number(before) + 1);
  });
});
