// What people edit and delete in the target is found although nothing is to be written there, and the policy decides.
import { requestSweep } from '#storage';
import type { Json } from '#core';
import { Installation } from './installation.js';

describe('a sweep of the target', () => {
  let w: Installation;
  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(() => w.end());

  async function carried(settings: Json): Promise<{ customer: Json; invoice: Json }> {
    await w.begin(settings);
    const income = await w.sourceAccount('Income');
    const customer = await w.save('Customer', { DisplayName: 'Ada', Notes: 'ours' });
    const item = await w.save('Item', { Name: 'Work', Type: 'Service', IncomeAccountRef: { value: income } });
    const invoice = await w.saveInvoice(customer.Id, item.Id, 10, { PrivateNote: 'ours' });
    if (w.writers.length === 0) w.startWriter();
    await w.take(await w.sourceEvents());
    await w.carry('Invoice', invoice);
    await w.quiet();
    return { customer, invoice };
  }

  /** Nobody wakes the writer: that a sweep is due is work like any other. */
  async function swept(full: boolean): Promise<Json> {
    const at = new Date();
    if (full) await requestSweep(w.db, w.syncId, at);
    else await w.db.query('update syncs set sweep_due_at = $2 where id = $1', [w.syncId, at]);
    return sweptSince(at);
  }

  async function sweptSince(at: Date): Promise<Json> {
    for (const giveUpAt = Date.now() + 30_000; ; await new Promise((wake) => setTimeout(wake, 50))) {
      const [row] = await w.db.query<{ sweep: Json | null }>('select sweep from syncs where id = $1', [w.syncId]);
      if (row?.sweep && new Date(row.sweep.at as string) >= at) return row.sweep;
      if (Date.now() > giveUpAt) throw new Error('not swept');
    }
  }

  async function sweptAgain(): Promise<Json> {
    const [before] = await w.db.query<{ sweep: Json }>('select sweep from syncs where id = $1', [w.syncId]);
    await w.db.query('update syncs set sweep_due_at = now() where id = $1', [w.syncId]);
    for (const giveUpAt = Date.now() + 30_000; ; await new Promise((wake) => setTimeout(wake, 50))) {
      const [row] = await w.db.query<{ sweep: Json }>('select sweep from syncs where id = $1', [w.syncId]);
      if (row!.sweep.at !== before!.sweep.at) return row!.sweep;
      if (Date.now() > giveUpAt) throw new Error('not swept');
    }
  }

  const edited = async (type: string, sourceId: unknown, fields: Json): Promise<void> => {
    const { Id, SyncToken } = await w.targetRecord(type, sourceId);
    await w.write(w.target, type, { Id, SyncToken, sparse: true, ...fields });
  };

  it('writes back, leaves or holds what was edited, and holds or makes again what was deleted', async () => {
    const { customer, invoice } = await carried({
      drift: {
        Customer: { default: 'hold', fields: { Notes: 'keep', CompanyName: 'overwrite' } },
        Invoice: { default: 'overwrite', gone: 'recreate' },
      },
    });
    await edited('Customer', customer.Id, { Notes: 'theirs' });
    await edited('Invoice', invoice.Id, { PrivateNote: 'theirs' });
    expect(await swept(false)).toMatchObject({ full: false, drifted: 2, gone: 0 });
    await w.quiet();
    expect(await w.targetRecord('Invoice', invoice.Id)).toMatchObject({ PrivateNote: 'ours' });
    expect(await w.targetRecord('Customer', customer.Id)).toMatchObject({ Notes: 'theirs' });
    const told = (await w.results()).filter(({ code }) => code === 'DRIFT.OVERWRITTEN');
    expect(told.map(({ reason }) => String(reason))).toEqual([expect.stringContaining('theirs')]);
    const kept = await w.db.query<{ differences: Json[] }>(
      `select differences from links where sync_id = $1 and entity_type = 'Customer' and differences is not null`,
      [w.syncId],
    );
    expect(kept[0]!.differences).toMatchObject([{ path: 'Notes', answered: 'theirs', cause: 'DRIFT.KEPT' }]);

    const { writes } = await w.targetStats();
    expect(await swept(true)).toMatchObject({ full: true, gone: 0 });
    await w.quiet();
    expect((await w.targetStats()).writes).toBe(writes);

    const copy = await w.targetRecord('Invoice', invoice.Id);
    await w.write(w.target, 'Invoice', { Id: copy.Id, SyncToken: copy.SyncToken }, '?operation=delete');
    // Also by the count alone: here nothing tells of the deletion but that there is one less.
    await w.db.query(
      `update syncs set sweep = jsonb_set(sweep, '{at}', to_jsonb(now() + interval '1 hour')) where id = $1`,
      [w.syncId],
    );
    const counted = await sweptAgain();
    expect(counted).toMatchObject({ full: false, gone: 1, counts: { Invoice: { written: 1, there: 0 } } });
    await w.until((links) =>
      links.some((one) => one.entityType === 'Invoice' && one.state === 'settled' && one.targetId !== copy.Id),
    );
    expect(await w.query(w.target, 'select * from Invoice')).toHaveLength(1);

    await edited('Customer', customer.Id, { DisplayName: 'Eve' });
    expect(await swept(false)).toMatchObject({ drifted: 1 });
    const held = await w.until((links) => links.some((one) => one.state === 'held'));
    expect(held.find((one) => one.state === 'held')).toMatchObject({
      failureCode: 'DRIFT',
      failureReason: expect.stringContaining('DisplayName (ours "Ada", theirs "Eve")') as string,
    });
  });

  it('comes by itself to a company that nothing ever happens to', async () => {
    w.startWriter({ sweepIntervalMs: 1_500 });
    const at = new Date();
    const { customer } = await carried({});
    await edited('Customer', customer.Id, { Notes: 'theirs' });
    await sweptSince(at);
    await w.until((links) => links.every((one) => one.state === 'settled'));
    for (
      const giveUpAt = Date.now() + 20_000;
      Date.now() < giveUpAt;
      await new Promise((wake) => setTimeout(wake, 100))
    )
      if ((await w.targetRecord('Customer', customer.Id)).Notes === 'ours') return;
    throw new Error('not written back');
  });

  it('tells of an overwritten edit also when the process died between the claim and the answer', async () => {
    const { customer } = await carried({});
    await edited('Customer', customer.Id, { Notes: 'theirs' });
    const now = await w.save('Customer', {
      Id: customer.Id,
      SyncToken: customer.SyncToken,
      sparse: true,
      Notes: 'newer',
    });
    await Promise.all(w.writers.splice(0).map((writers) => writers.stop()));
    // Without its token the copy is read before it is written, and the edit is seen.
    await w.db.query('update links set target_sync_token = null where sync_id = $1', [w.syncId]);
    let crashed = false;
    w.startWriter({ crashWhen: (moment) => moment === 'claimed' && !crashed && (crashed = true) });
    await w.carry('Customer', now);
    for (const giveUpAt = Date.now() + 20_000; !crashed && Date.now() < giveUpAt;)
      await new Promise((wake) => setTimeout(wake, 20));
    w.startWriter();
    await w.until(() => crashed);
    await w.quiet();
    expect((await w.results()).filter(({ code }) => code === 'DRIFT.OVERWRITTEN')).toHaveLength(1);
    expect(await w.targetRecord('Customer', customer.Id)).toMatchObject({ Notes: 'newer' });
  });
});
