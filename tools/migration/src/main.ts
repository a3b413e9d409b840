// `npm run migration -- --seed S [--transactions N] [--kills K]`: a one-off migration on the whole system, and back. A source with
// lists and documents of every kind is carried into a company that has books of its own, names like those of the source among
// them. Validated before and after; then taken back while the writer is killed K times in the middle. In the end the target
// must be what it was: every record that was there says what it said, nothing of ours is alive, its trial balance is the old one.
// Last line: `migration: records=N validated=equal rolled_back=N left_alive=0 changed=0`; exit 0 only when it says so.
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect, parseArgs } from 'node:util';
import { entityTypes, rollbackRank } from '#core';
import type { Raw } from '#testing';
import { Chance } from '../../demo/src/chance.js';
import { Rest } from '../../equal/src/rest.js';
import { Accounting } from '../../installation/src/accounting.js';
import type { LinkRow } from '../../installation/src/control.js';
import { Installation } from '../../installation/src/installation.js';
import { booksBefore, changedSince, type BooksNow } from './books.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    transactions: { type: 'string', default: '120' },
    kills: { type: 'string', default: '2' },
  },
});
const [seed, transactions, kills] = [Number(values.seed), Number(values.transactions), Number(values.kills)];
const startedMs = performance.now();
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const phase = (text: string): void =>
  line(`» ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const signed = { author: 'the migration team' };
/** A rollback that moves nothing for so long has stopped. */
const stuckAfterMs = 120_000;
const preferences = { SalesFormsPrefs: { CustomTxnNumbers: true } };

interface Closing {
  records: number;
  validated: string;
  rolledBack: number;
  leftAlive: number;
  changed: number;
}

async function prove(installation: Installation): Promise<Closing> {
  const { emulator, control } = installation;
  const app = await installation.ourApp();
  await installation.startApps(app);
  const chance = new Chance(seed);
  const rest = new Rest(control, installation.broken, phase);
  const made = { preferences, preset: 'generated' };
  const { realmId: source } = await emulator.createCompany({ ...made, name: 'Source', seed, transactions });
  const { realmId: target } = await emulator.createCompany({ preferences, name: 'Target' });
  const person = await emulator.createApp({ name: 'a person of the target' });
  const accounting = await Accounting.open(emulator, person.clientId, target);
  await ownBooks(accounting, chance);
  await twins(accounting, (await emulator.dump(source)).records);
  const books = async (): Promise<BooksNow> => ({
    records: (await emulator.dump(target)).records as Record<string, Raw[]>,
    trialBalance: (await emulator.trialBalance(target)).rows as Raw[],
  });
  const before = booksBefore(await books());
  const organization = await control.createOrganization(`Migration ${seed}`);
  for (const realmId of [source, target])
    await control.connectCompany(organization.id, realmId, await emulator.grant(app.clientId, realmId));
  const { id: syncId } = await control.createSync(source, target);
  const baseline = await control.validate(syncId, { ...signed, reason: 'what the target has of its own' });
  phase(`validation 1 is the ${baseline.verdict}: ${before.records.size} records were there before`);

  await control.startJob(syncId, 'backfill');
  const unrest = await rest.of(syncId, 'migration');
  if (unrest) throw new Error(unrest);
  const validation = await control.validate(syncId, { ...signed, reason: 'before the cut-over' });
  const records = (validation.types as Raw[]).reduce((sum, { settled }) => sum + Number(settled), 0);
  phase(`validation 2: ${validation.verdict}, ${records} records`);
  for (const { subject, detail } of (validation.differences as Raw[]).slice(0, 20)) line(`  ${subject}: ${detail}`);

  const forecast = await control.rollbackOf(syncId);
  phase(`forecast: ${told(forecast.total)}`);
  await control.rollBack(syncId, { ...signed, reason: 'the proof takes it back' });
  const [ended] = await Promise.all([
    rolledBack(installation, syncId, (links) => asPerson(accounting, before, links)),
    (async () => {
      for (let n = 0; n < kills; n++) {
        await sleep(1_500 + chance.next() * 4_000);
        await installation.kill('qbo-writer');
        phase('writer killed');
        await sleep(chance.next() * 2_000);
        await installation.startApp('qbo-writer');
      }
    })(),
  ]);
  phase(
    `${ended.state}: ${told(ended.total)}${Object.keys(ended.heldFor).length > 0 ? `, held for ${JSON.stringify(ended.heldFor)}` : ''}`,
  );
  const { alive, changed } = changedSince(before, await books());
  for (const text of alive.slice(0, 20)) line(`  alive: ${text}`);
  for (const text of changed.slice(0, 20)) line(`  changed: ${text}`);
  const { deleted, inactive, left } = ended.total;
  const back = deleted + inactive + left + Number(ended.total['put-back']) + Number(ended.total.stays);
  return {
    ...{ records, validated: validation.verdict, rolledBack: back },
    leftAlive: alive.length + Number(ended.total.held) + Number(ended.total.open),
    changed: changed.length,
  };
}

/** What the target did before anybody thought of a migration. */
async function ownBooks(accounting: Accounting, chance: Chance): Promise<void> {
  const [income] = await accounting.query(`select * from Account where AccountType = 'Income'`);
  const [expense] = await accounting.query(`select * from Account where AccountType = 'Expense'`);
  const customer = await accounting.write('Customer', { DisplayName: 'An old customer of the target' });
  const vendor = await accounting.write('Vendor', { DisplayName: 'An old vendor of the target' });
  const item = await accounting.write('Item', {
    ...{ Name: 'What the target sells', Type: 'Service' },
    IncomeAccountRef: { value: income!.Id as string },
  });
  for (let n = 0; n < 5; n++) {
    const amount = chance.between(100, 99_999) / 100;
    const invoice = await accounting.write('Invoice', {
      ...{ CustomerRef: { value: customer.Id as string }, DocNumber: `OWN-${n}` },
      Line: [
        {
          ...{ Amount: amount, DetailType: 'SalesItemLineDetail' },
          SalesItemLineDetail: { ItemRef: { value: item.Id as string }, Qty: 1, UnitPrice: amount },
        },
      ],
    });
    if (n % 2 === 0)
      await accounting.write('Payment', {
        ...{ CustomerRef: { value: customer.Id as string }, TotalAmt: amount },
        Line: [{ Amount: amount, LinkedTxn: [{ TxnId: invoice.Id as string, TxnType: 'Invoice' }] }],
      });
    await accounting.write('Bill', {
      VendorRef: { value: vendor.Id as string },
      Line: [
        {
          ...{ Amount: amount / 2, DetailType: 'AccountBasedExpenseLineDetail' },
          AccountBasedExpenseLineDetail: { AccountRef: { value: expense!.Id as string } },
        },
      ],
    });
  }
}

/**
 * What a rollback must leave to a person: the stock that items began with, which is taken out as the reason says, and an account
 * that QuickBooks does not let go. They are tried again.
 */
async function asPerson(
  accounting: Accounting,
  before: { records: Map<string, string>; theirs: Set<string> },
  links: readonly LinkRow[],
): Promise<readonly LinkRow[]> {
  const [equity] = await accounting.query(`select * from Account where AccountSubType = 'OpeningBalanceEquity'`);
  const stocked = links.filter(({ failureCode }) => failureCode === 'ROLLBACK.STOCK');
  for (const { targetId } of stocked) {
    const [item] = await accounting.query(`select * from Item where Id = '${targetId!}'`);
    const adjustment = await accounting.write('InventoryAdjustment', {
      ...{ AdjustAccountRef: { value: equity!.Id as string }, TxnDate: item!.InvStartDate as string },
      Line: [
        {
          DetailType: 'ItemAdjustmentLineDetail',
          ItemAdjustmentLineDetail: { ItemRef: { value: targetId }, QtyDiff: -Number(item!.QtyOnHand) },
        },
      ],
    });
    before.theirs.add(`InventoryAdjustment/${adjustment.Id}`);
  }
  // What the system itself uses, the account of a tax agency: it cannot go, and nothing is on it.
  const used = links.filter(({ failureReason }) => failureReason?.includes('used by the system'));
  for (const { entityType, targetId } of used) before.theirs.add(`${entityType}/${targetId}`);
  return [...stocked, ...used];
}

/** Names of the target that are those of the source: they are adopted, and lined up with the source. */
async function twins(accounting: Accounting, records: Record<string, Raw[]>): Promise<void> {
  for (const type of ['Customer', 'Vendor']) {
    const names = (records[type] ?? []).filter(
      (one) => one.Active !== false && !one.ParentRef && !one.CurrencyRef?.foreign,
    );
    for (const { DisplayName } of names.slice(0, 4)) {
      const found = await accounting.query(
        `select * from ${type} where DisplayName = '${String(DisplayName).replaceAll("'", "\\'")}'`,
      );
      // Some are there already: both companies come from one street of names.
      if (found.length === 0) await accounting.write(type, { DisplayName, CompanyName: 'as it was before' });
    }
  }
}

async function rolledBack(
  installation: Installation,
  syncId: string,
  decide: (links: readonly LinkRow[]) => Promise<readonly LinkRow[]>,
): Promise<Raw> {
  let [seen, seenAt] = ['', performance.now()];
  const { control } = installation;
  for (;;) {
    const now = await Promise.race([installation.control.rollbackOf(syncId), installation.broken]);
    if (now.state === 'rolled_back') return now;
    const progress = JSON.stringify(now.total);
    if (progress !== seen) [seen, seenAt] = [progress, performance.now()];
    const isHeld = Number(now.total.open) === 0 && Number(now.total.held) > 0;
    if (isHeld && Number(now.heldFor['ROLLBACK.STOCK'] ?? now.heldFor['QBO.6000'] ?? 0) > 0) {
      const decided = await decide(await control.links(syncId, '&state=held'));
      for (const { entityType, sourceId } of decided)
        await control.redrive(syncId, entityType, sourceId, { ...signed, reason: 'decided by a person' });
      phase(
        `a person decided about ${decided.map(({ entityType, failureCode }) => `${entityType} ${failureCode}`).join(', ')}`,
      );
      continue;
    }
    // Nothing here needs a person: what is held is a finding.
    if (performance.now() - seenAt > (isHeld ? 15_000 : stuckAfterMs)) {
      const open = (await installation.control.links(syncId)).filter(({ state }) => state !== 'settled');
      for (const one of open.slice(0, 20))
        line(`  ${one.entityType} ${one.sourceId} is ${one.state}: ${one.failureCode} ${one.failureReason}`);
      return now;
    }
    await sleep(500);
  }
}

const told = (total: Record<string, number>): string =>
  Object.entries(total)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');

let installation: Installation | undefined;
let code = 1;
try {
  phase(
    `the whole system starts; ${Object.values(entityTypes).filter((one) => rollbackRank(one) < 0).length} types are deleted, others made inactive`,
  );
  installation = await Installation.start(() => undefined);
  const { records, validated, rolledBack: back, leftAlive, changed } = await prove(installation);
  line(
    `migration: records=${records} validated=${validated} rolled_back=${back} left_alive=${leftAlive} changed=${changed}`,
  );
  code = validated === 'equal' && records > 0 && leftAlive + changed === 0 ? 0 : 1;
} catch (error) {
  line(`migration: failed: ${inspect(error)}`);
}
if (code !== 0) phase(`logs: ${(await installation?.keepLogs('migration-logs').catch(() => undefined)) ?? 'none'}`);
await Promise.race([installation?.stop().catch(() => undefined), sleep(20_000)]);
process.exit(code);
