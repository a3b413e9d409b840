// A payment in a deposit is edited, deleted or voided in the source: QuickBooks refuses that in the target until the deposit
// has let the payment go (6540). Deposit, payment and deposit again, each a written-down call; killed between any two of
// them, a new process comes to the same end.
import type { Json } from '#core';
import { Installation } from './installation.js';

describe('a payment that is frozen by its deposit', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  const payment = (customerId: unknown, amount: number): Promise<Json> =>
    w.save('Payment', { CustomerRef: { value: String(customerId) }, TotalAmt: amount });
  const line = (one: Json): Json => ({
    Amount: one.TotalAmt as number,
    LinkedTxn: [{ TxnId: one.Id as string, TxnType: 'Payment', TxnLineId: '0' }],
  });
  const key = ({ Id, SyncToken }: Json): Json => ({ Id, SyncToken });
  const deposit = async (...payments: Json[]): Promise<Json> =>
    w.save('Deposit', { DepositToAccountRef: { value: await w.sourceAccount('Bank') }, Line: payments.map(line) });
  const edit = (type: string, record: Json, changes: Json): Promise<Json> =>
    w.save(type, { ...key(record), sparse: true, ...changes });
  const remove = (type: string, record: Json): Promise<Json> =>
    w.write(w.source, type, key(record), '?operation=delete');

  /** Carried: one customer, payments of 10, 20, ... and the deposit of them all. */
  const deposited = async (count: number) => {
    if (!(await w.query(w.source, `select * from Account where AccountType = 'Bank'`)).length) {
      await w.save('Account', { Name: 'Checking', AccountType: 'Bank', AccountSubType: 'Checking' });
    }
    const buyer = await w.save('Customer', { DisplayName: 'Northwind' });
    const payments: Json[] = [];
    for (let n = 1; n <= count; n++) payments.push(await payment(buyer.Id, n * 10));
    const made = await deposit(...payments);
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    return { payments, made };
  };
  /** As a person does it: out of the deposit, change, in again. */
  const editInSource = async (made: Json, payments: Json[], changes: Json) => {
    const [first, ...others] = payments;
    const without =
      others.length > 0 ? await edit('Deposit', made, { Line: others.map(line) }) : await remove('Deposit', made);
    const changed = await edit('Payment', first!, { CustomerRef: first!.CustomerRef as Json, ...changes });
    const again =
      others.length > 0
        ? await edit('Deposit', without, { Line: [changed, ...others].map(line) })
        : await deposit(changed);
    return { changed, again };
  };
  const expectDeposit = async (record: Json, total: number, lines: number) => {
    const copy = await w.targetRecord('Deposit', record.Id);
    expect(Number(copy.TotalAmt)).toBe(total);
    expect(copy.Line).toHaveLength(lines);
    expect(await w.query(w.target, 'select * from Deposit')).toHaveLength(1);
    const rows = await w.query(w.target, 'select * from Payment');
    expect((await w.targetStats()).duplicateSuspects).toEqual([]);
    return rows;
  };

  it('is edited in between: the deposit lets it go and takes it in again', async () => {
    const { payments, made } = await deposited(2);
    const { changed, again } = await editInSource(made, payments, { TotalAmt: 15, PrivateNote: 'five more' });
    await w.take([w.event('Payment', changed), w.event('Deposit', again)]);
    await w.quiet();
    expect(await w.targetRecord('Payment', changed.Id)).toMatchObject({ TotalAmt: 15, PrivateNote: 'five more' });
    await expectDeposit(again, 35, 2);
  });

  it('is edited though the deposit says nothing new of it', async () => {
    const { payments, made } = await deposited(2);
    const { changed } = await editInSource(made, payments, { PrivateNote: 'only a note' });
    await w.carry('Payment', changed);
    await w.quiet();
    expect(await w.targetRecord('Payment', changed.Id)).toMatchObject({ PrivateNote: 'only a note' });
    await expectDeposit(made, 30, 2);
  });

  it('is alone in its deposit: the deposit is deleted and made again', async () => {
    const { payments, made } = await deposited(1);
    const before = await w.link('Deposit', made.Id);
    const changed = await edit('Payment', payments[0]!, { CustomerRef: payments[0]!.CustomerRef as Json }).catch(
      async () => {
        await remove('Deposit', made);
        return edit('Payment', payments[0]!, {
          CustomerRef: payments[0]!.CustomerRef as Json,
          PrivateNote: 'only a note',
        });
      },
    );
    // The source's deposit is made again under its old number in this history: nothing new is heard of it.
    await w.carry('Payment', changed);
    await w.quiet();
    expect(await w.targetRecord('Payment', changed.Id)).toMatchObject({ PrivateNote: 'only a note' });
    await expectDeposit(made, 10, 1);
    expect((await w.link('Deposit', made.Id)).targetId).not.toBe(before.targetId);
  });

  it('is deleted, and the deposit that let it go before comes later', async () => {
    const { payments, made } = await deposited(2);
    const without = await edit('Deposit', made, { Line: [line(payments[1]!)] });
    await remove('Payment', payments[0]!);
    await w.take([w.event('Payment', { Id: payments[0]!.Id as string, status: 'Deleted' })]);
    await w.until((links) =>
      links.some((l) => l.entityType === 'Payment' && l.op === 'delete' && l.state === 'settled'),
    );
    await w.carry('Deposit', without);
    await w.quiet();
    expect(await expectDeposit(without, 20, 1)).toHaveLength(1);
  });

  it('is voided together with the newer deposit', async () => {
    const { payments, made } = await deposited(2);
    const without = await edit('Deposit', made, { Line: [line(payments[1]!)] });
    const voided = await w.write(w.source, 'Payment', key(payments[0]!), '?operation=update&include=void');
    await w.take([w.event('Payment', voided), w.event('Deposit', without)]);
    await w.quiet();
    expect(await w.targetRecord('Payment', voided.Id)).toMatchObject({ TotalAmt: 0 });
    await expectDeposit(without, 20, 1);
  });

  it('takes the files with it that hung on a deposit that had to be made again', async () => {
    const { payments, made } = await deposited(1);
    const hanging = { references: [{ entityType: 'Deposit', sourceId: String(made.Id), includeOnSend: false }] };
    for (const [id, state] of [
      ['carried', 'settled'],
      ['on its way', 'sending'],
    ]) {
      await w.db.query(
        `insert into attachment_links (sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state, lane,
           desired_version, desired_deleted, desired, change_id, due_at, desired_at)
         values ($1, $2, $3, $4, $5, $6, 'live', 'v', false, $7, 'c', now(), now())`,
        [w.syncId, id, w.organizationId, w.source.realmId, w.target.realmId, state, JSON.stringify(hanging)],
      );
    }
    await remove('Deposit', made);
    const { CustomerRef } = payments[0]!;
    await w.carry(
      'Payment',
      await edit('Payment', payments[0]!, { CustomerRef: CustomerRef as Json, PrivateNote: 'new' }),
    );
    await w.quiet();
    const rows = await w.db.query(
      'select attachable_id as id, state from attachment_links where sync_id = $1 order by 1',
      [w.syncId],
    );
    expect(rows).toEqual([
      { id: 'carried', state: 'ready' },
      { id: 'on its way', state: 'sending' },
    ]);
  });

  it('is held by a deposit that a person made in the target: that one is named, and it goes on when that one is gone', async () => {
    const buyer = await w.save('Customer', { DisplayName: 'Northwind' });
    const made = await payment(buyer.Id, 10);
    w.startWriter();
    await w.take(await w.sourceEvents());
    await w.quiet();
    const copy = await w.targetRecord('Payment', made.Id);
    const bank = await w.write(w.target, 'Account', {
      ...{ Name: 'Their bank', AccountType: 'Bank', AccountSubType: 'Checking' },
    });
    const foreign = await w.write(w.target, 'Deposit', {
      DepositToAccountRef: { value: String(bank.Id) },
      Line: [line(copy)],
    });
    const { CustomerRef } = made;
    await w.carry('Payment', await edit('Payment', made, { CustomerRef: CustomerRef as Json, PrivateNote: 'new' }));
    await w.until((links) => links.some((one) => one.failureCode === 'FROZEN.BY_HAND'));
    const restart = async () => {
      await Promise.all(w.writers.splice(0).map((writers) => writers.stop()));
      w.startWriter();
    };
    await restart();
    await w.until((links) =>
      links.some((one) => one.failureReason?.startsWith(`it is in Deposit ${String(foreign.Id)} of the target`)),
    );
    expect(await w.link('Payment', made.Id)).toMatchObject({ state: 'held' });
    await w.write(w.target, 'Deposit', key(foreign), '?operation=delete');
    await restart();
    await w.quiet();
    expect(await w.targetRecord('Payment', made.Id)).toMatchObject({ PrivateNote: 'new' });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('comes to the same end when the writer is killed at moment %i', async (moment) => {
    const { payments, made } = await deposited(2);
    const { changed, again } = await editInSource(made, payments, { TotalAmt: 15 });
    await Promise.all(w.writers.splice(0).map((writers) => writers.stop()));
    let moments = 0;
    w.startWriter({ crashWhen: () => ++moments === moment });
    await w.take([w.event('Payment', changed), w.event('Deposit', again)]);
    const giveUpAt = Date.now() + 8_000;
    const settled = async () => (await w.links()).every((l) => l.state === 'settled');
    while (moments < moment && !(await settled()) && Date.now() < giveUpAt) await new Promise((r) => setTimeout(r, 20));
    w.startWriter();
    await w.quiet();
    expect(await w.targetRecord('Payment', changed.Id)).toMatchObject({ TotalAmt: 15 });
    await expectDeposit(again, 35, 2);
  });
});
