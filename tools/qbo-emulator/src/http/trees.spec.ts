// Trees of names: full names of everything below follow a rename, balances of ancestors follow a move, and a merge takes
// everything with it.
import type { Rec } from '../types.js';
import { TestCompany, salesLine } from './test-company.js';

let qbo: TestCompany;
beforeAll(async () => {
  qbo = await TestCompany.open();
});
afterAll(() => qbo.close());

const job = (name: string, parent: string): Promise<Rec> =>
  qbo.make('Customer', { DisplayName: name, Job: true, ParentRef: { value: parent } });
const update = (type: string, rec: Rec, patch: Rec) =>
  qbo.post(`/${type.toLowerCase()}`, { Id: rec['Id'], SyncToken: rec['SyncToken'], sparse: true, ...patch });

describe('trees', () => {
  it('a rename shows in the full names below, whose tokens stay', async () => {
    const top = await qbo.make('Customer', { DisplayName: 'Top' });
    const middle = await job('Middle', top['Id']);
    const low = await job('Low', middle['Id']);
    expect(low).toMatchObject({ FullyQualifiedName: 'Top:Middle:Low', Level: 2, Job: true });
    await update('Customer', top, { DisplayName: 'Summit' });
    expect(await qbo.read('Customer', low['Id'])).toMatchObject({
      FullyQualifiedName: 'Summit:Middle:Low',
      SyncToken: '0',
    });
  });

  it('a move takes its balance from one ancestor to the other', async () => {
    const from = await qbo.make('Customer', { DisplayName: 'From' });
    const to = await qbo.make('Customer', { DisplayName: 'To' });
    const moved = await job('Moved', from['Id']);
    await qbo.make('Invoice', { CustomerRef: { value: moved['Id'] }, Line: [salesLine('1', 25)] });
    expect(await qbo.read('Customer', from['Id'])).toMatchObject({ Balance: 0, BalanceWithJobs: 25 });
    await update('Customer', moved, { ParentRef: { value: to['Id'] } });
    expect(await qbo.read('Customer', from['Id'])).toMatchObject({ BalanceWithJobs: 0 });
    expect(await qbo.read('Customer', to['Id'])).toMatchObject({ BalanceWithJobs: 25 });
  });

  it('a merge moves transactions, children and balance to the winner and leaves a tombstone', async () => {
    const winner = await qbo.make('Customer', { DisplayName: 'Winner' });
    const loser = await qbo.make('Customer', { DisplayName: 'Loser' });
    const child = await job('Child', loser['Id']);
    const invoice = await qbo.make('Invoice', { CustomerRef: { value: loser['Id'] }, Line: [salesLine('1', 40)] });
    await qbo.make('Invoice', { CustomerRef: { value: child['Id'] }, Line: [salesLine('1', 2)] });
    const { engine, company } = qbo.running.emulator.seat(qbo.realmId)!;
    engine.merge('Customer', loser['Id'], winner['Id']);
    expect(await qbo.read('Invoice', invoice['Id'])).toMatchObject({
      CustomerRef: { value: winner['Id'], name: 'Winner' },
    });
    expect(await qbo.read('Customer', winner['Id'])).toMatchObject({ Balance: 40, BalanceWithJobs: 42 });
    expect([...company.childrenOf('Customer', winner['Id'])]).toEqual([child['Id']]);
    expect(company.gravesOf('Customer').has(loser['Id'])).toBe(true);
  });
});
