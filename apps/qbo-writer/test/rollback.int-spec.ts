// A sync is taken back: what it made is gone, what was there before is as it was, what a person touched since is left to them.
import { randomUUID } from 'node:crypto';
import { rollbackRank, typesInRankOrder, type Json } from '#core';
import { advanceRollback, beginRollback, Jobs, LinkReport, type RollbackCount } from '#storage';
import { Installation } from './installation.js';

describe('a rollback', () => {
  let w: Installation;
  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  const ranks = typesInRankOrder().map((definition) => ({ type: definition.type, rank: rollbackRank(definition) }));
  let jobId = '';

  /** As control does, in one look after the other. */
  async function begin(): Promise<void> {
    jobId = randomUUID();
    const { organizationId, syncId } = w;
    await w.db.withTransaction(async (tx) => {
      await beginRollback(tx, syncId, new Date());
      await new Jobs(w.db).create(tx, { id: jobId, organizationId, syncId, kind: 'rollback', params: {} });
    });
  }
  let told = false;
  async function advance(): Promise<{ counts: RollbackCount[]; ended: boolean }> {
    const looked = await advanceRollback(w.db, { syncId: w.syncId, jobId, told, ranks }, new Date());
    told = true;
    return looked;
  }
  async function rolledBack(): Promise<RollbackCount[]> {
    told = false;
    for (const giveUpAt = Date.now() + 60_000; ; await new Promise((wake) => setTimeout(wake, 100))) {
      const { counts, ended } = await advance();
      if (ended) return counts;
      if (Date.now() > giveUpAt) {
        const open = (await w.links()).filter((one) => one.state !== 'settled');
        throw new Error(
          `not rolled back: ${JSON.stringify(open.map((l) => [l.entityType, l.sourceId, l.state, l.failureCode, l.failureReason]))}`,
        );
      }
    }
  }
  const by = (counts: readonly RollbackCount[]): Record<string, number> => {
    const sums: Record<string, number> = {};
    for (const { outcome, count } of counts) sums[outcome] = (sums[outcome] ?? 0) + count;
    return sums;
  };

  /** Every live record of the target, without what the service moves by itself. */
  async function books(): Promise<Record<string, Json>> {
    const found: Record<string, Json> = {};
    for (const { type, endpoint, category, policy } of typesInRankOrder()) {
      if (policy === 'reported') continue;
      const where = category === 'name-list' ? ' where Active = true' : '';
      for (const row of await w.query(w.target, `select * from ${endpoint}${where} maxresults 1000`)) {
        const { MetaData: _, SyncToken: __, ...rest } = row;
        found[`${type}/${String(row.Id ?? JSON.stringify(row))}`] = rest;
      }
    }
    return found;
  }

  async function carried(): Promise<{
    customer: Json;
    own: Json;
    other: Json;
    invoice: Json;
    payment: Json;
    before: Record<string, Json>;
  }> {
    await w.begin();
    // The target has a twin with its own notes, and an invoice of its own for it.
    const income = String((await w.query(w.target, `select * from Account where AccountType = 'Income'`))[0]!.Id);
    const own = await w.write(w.target, 'Customer', { DisplayName: 'Ada', Notes: 'theirs', CompanyName: 'Lovelace' });
    const work = await w.write(w.target, 'Item', {
      Name: 'Own work',
      Type: 'Service',
      IncomeAccountRef: { value: income },
    });
    await w.write(w.target, 'Invoice', {
      CustomerRef: { value: own.Id },
      Line: [{ Amount: 7, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: work.Id } } }],
    });
    const before = await books();
    const account = await w.sourceAccount('Income');
    const customer = await w.save('Customer', { DisplayName: 'Ada', Notes: 'ours' });
    const other = await w.save('Customer', { DisplayName: 'Grace', Job: false });
    await w.save('Customer', {
      DisplayName: 'Grace:Site'.replace(':', ' '),
      Job: true,
      ParentRef: { value: other.Id },
    });
    const item = await w.save('Item', { Name: 'Work', Type: 'Service', IncomeAccountRef: { value: account } });
    const invoice = await w.saveInvoice(customer.Id, item.Id, 10);
    const payment = await w.save('Payment', {
      CustomerRef: { value: customer.Id },
      TotalAmt: 10,
      Line: [{ Amount: 10, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
    });
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    expect(await w.targetRecord('Customer', customer.Id)).toMatchObject({ Id: own.Id, Notes: 'ours' });
    return { customer, own, other, invoice, payment, before };
  }

  it('leaves the target as it was before, in spite of a writer that dies in the middle', async () => {
    const { before, customer } = await carried();
    const running = w.writers.splice(0);
    await Promise.all(running.map((writers) => writers.stop()));
    await begin();
    await advance();
    for (const moment of ['claimed', 'answered'] as const) {
      let crashed = false;
      w.startWriter({ crashWhen: (now) => !crashed && now === moment && (crashed = true) });
      while (!crashed) await new Promise((wake) => setTimeout(wake, 20));
    }
    w.startWriter();
    const counts = await rolledBack();
    expect(by(counts)).toMatchObject({ deleted: 2, 'put-back': 1 });
    expect(counts.filter(({ outcome }) => outcome === 'held')).toEqual([]);
    const after = await books();
    expect(Object.keys(after).filter((key) => !(key in before))).toEqual([]);
    expect(after).toEqual(before);
    // What comes from the source now is nobody's business any more.
    const { writes } = await w.targetStats();
    await w.carry('Customer', await w.write(w.source, 'Customer', { ...customer, Notes: 'later' }));
    expect((await w.link('Customer', customer.Id)).op).toBe('rollback');
    expect((await w.targetStats()).writes).toBe(writes);
  });

  it('asks a person about what was edited since and about what it does not know the origin of, and goes on when told', async () => {
    const { invoice, payment, other, before } = await carried();
    const copy = await w.targetRecord('Invoice', invoice.Id);
    await w.write(w.target, 'Invoice', { Id: copy.Id, SyncToken: copy.SyncToken, sparse: true, PrivateNote: 'mine' });
    // As a link from before this was written down.
    await w.db.query(
      `update links set origin = null where sync_id = $1 and entity_type = 'Customer' and source_id = $2`,
      [w.syncId, other.Id],
    );
    await begin();
    told = false;
    let looked = await advance();
    const isStill = () => looked.counts.every(({ outcome }) => outcome !== 'open');
    for (const giveUpAt = Date.now() + 60_000; !isStill() && Date.now() < giveUpAt; looked = await advance())
      await new Promise((wake) => setTimeout(wake, 100));
    const held = (await w.links()).filter(({ state }) => state === 'held');
    expect(held.find(({ entityType }) => entityType === 'Invoice')).toMatchObject({
      ...{ failureCode: 'ROLLBACK.EDITED', failureReason: expect.stringContaining('never wrote') as string },
    });
    // Its item stays usable until the invoice is decided; the payment is gone.
    expect(held.find(({ entityType }) => entityType === 'Item')).toMatchObject({ failureCode: 'ROLLBACK.DEPENDENT' });
    expect(held.find(({ entityType }) => entityType === 'Customer')).toMatchObject({
      failureCode: 'ROLLBACK.UNKNOWN_ORIGIN',
    });
    expect(await w.link('Payment', payment.Id)).toMatchObject({ state: 'settled' });
    await w.db.withTransaction((tx) => new LinkReport(w.db).redrive(tx, w.syncId, {}, new Date()));
    await rolledBack();
    const grace = await w.targetRecord('Customer', other.Id);
    const { [`Customer/${String(grace.Id)}`]: left, ...after } = await books();
    expect(left).toMatchObject({ DisplayName: 'Grace', Active: true });
    expect(after).toEqual(before);
  });
});
