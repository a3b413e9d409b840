// What live, fair and memory share: a writer as a process, companies in an emulator, and rows of its work list written as a
// consumer in another process would write them: what reaches the writer reaches it by PostgreSQL's word alone.
import { randomBytes, randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#common/clock';
import { TokenCustody, TokenSeal, IntuitTokens, qboEnvironment } from '#qbo';
import { Database, Grants, Links, type DesiredLink } from '#storage';
import { startEmulator, type Addresses, type RunningEmulator } from '#testing';
import { freePort } from '../../dev/src/ports.js';

export interface Tenant {
  syncId: string;
  source: string;
  target: string;
  customer: string;
  item: string;
  /** a person's own way into the target's books */
  post: (type: string, body: unknown) => Promise<string>;
  income: string;
}

export interface Stock {
  vendor: string;
}

const readyWithinMs = 180_000;
/** A second or two on a quiet machine: a statement may take a minute, on a busy one too. */
const backlogAtOnce = 20_000;

export class Writing {
  private readonly organization = randomUUID();
  private readonly links: Links;
  private readonly apps = new Map<string, { pid: number; stop(): Promise<void> }>();
  private written = 0;

  private constructor(
    readonly emulator: RunningEmulator,
    readonly db: Database,
    private readonly app: { clientId: string; clientSecret: string },
    /** with which the companies are furnished: calls of the app that is measured are known to its governor, all of them */
    private readonly person: { clientId: string },
    private readonly tokenKey: string,
    private readonly environment: Record<string, string>,
  ) {
    this.links = new Links(db);
  }

  static async start(
    addresses: Addresses,
    apps: readonly string[] = ['qbo-writer'],
    own: Record<string, string> = {},
  ): Promise<Writing> {
    const corner = `bench_${randomBytes(4).toString('hex')}`;
    const emulator = await startEmulator();
    const app = await emulator.createApp();
    const person = await emulator.createApp({ name: 'person' });
    const tokenKey = randomBytes(32).toString('base64');
    const db = await Database.connect({
      databaseUrl: addresses.SYNC_DATABASE_URL,
      databaseSchema: corner,
      databasePool: 6,
      applicationName: 'bench',
    });
    await db.migrate();
    const environment = {
      ...addresses,
      SYNC_TOPIC_PREFIX: `${corner}.`,
      SYNC_DATABASE_SCHEMA: corner,
      SYNC_DATABASE_POOL: '10',
      SYNC_QBO_ENVIRONMENT: emulator.url,
      SYNC_QBO_CLIENT_ID: app.clientId,
      SYNC_QBO_CLIENT_SECRET: app.clientSecret,
      SYNC_TOKEN_KEY: tokenKey,
      ...own,
    };
    const writing = new Writing(emulator, db, app, person, tokenKey, environment);
    await db.query('insert into organizations (id, name) values ($1, $2)', [writing.organization, 'Bench']);
    for (const name of apps) await writing.startApp(name);
    return writing;
  }

  async startApp(name: string): Promise<void> {
    this.apps.set(name, await startApp(name, this.environment));
  }

  get topicPrefix(): string {
    return this.environment.SYNC_TOPIC_PREFIX!;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.apps.values()].map((app) => app.stop()));
    await this.emulator.kill();
    await this.db.query(`drop schema ${this.db.schema} cascade`);
    await this.db.close();
  }

  async tenant(): Promise<Tenant> {
    const environment = qboEnvironment(this.emulator.url);
    const custody = new TokenCustody({
      grants: new Grants(this.db),
      endpoint: new IntuitTokens({ environment, ...this.app }),
      seal: new TokenSeal(Buffer.from(this.tokenKey, 'base64')),
      clock: systemClock,
    });
    const [source, target] = [`9${randomDigits()}`, (await this.emulator.createCompany({ name: 'Target' })).realmId];
    await this.db.query(
      `insert into companies (realm_id, organization_id, name) select unnest($1::text[]), $2, 'Company'`,
      [[source, target], this.organization],
    );
    const { refreshTokenExpiresIn, ...tokens } = await this.emulator.grant(this.app.clientId, target);
    await new Grants(this.db).store(
      this.db,
      target,
      custody.sealPair(this.organization, target, { ...tokens, refreshExpiresIn: refreshTokenExpiresIn }),
    );
    const { accessToken } = await this.emulator.grant(this.person.clientId, target);
    const post = async (type: string, body: unknown) => {
      const answer = await this.emulator.api(target, accessToken, 'POST', type.toLowerCase(), body);
      return String(answer.body[type].Id);
    };
    const query = encodeURIComponent(`select * from Account where AccountType = 'Income'`);
    const accounts = await this.emulator.api(target, accessToken, 'GET', `query?query=${query}`);
    const income = String(accounts.body.QueryResponse.Account[0].Id);
    const customer = await post('Customer', { DisplayName: 'Customer' });
    const item = await post('Item', { Name: 'Item', Type: 'Service', IncomeAccountRef: { value: income } });
    const syncId = randomUUID();
    await this.db.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)`,
      [syncId, this.organization, source, target],
    );
    return { syncId, source, target, customer, item, post, income };
  }

  /** An invoice comes to be wanted now. */
  async edit(tenant: Tenant): Promise<string> {
    const sourceId = `e${(this.written += 1)}`;
    await this.want(tenant, { entityType: 'Invoice', sourceId, rank: 7, payload: invoice(tenant), references: [] });
    return sourceId;
  }

  /** A supplier and goods that are counted, there already: what is bought of them waits for its turn (core: stock-order.ts). */
  async stock(tenant: Tenant): Promise<Stock> {
    const accounts = await this.accounts(tenant);
    const vendor = await tenant.post('Vendor', { DisplayName: 'Supplier' });
    const goods = await tenant.post('Item', {
      Name: 'Goods',
      Type: 'Inventory',
      TrackQtyOnHand: true,
      QtyOnHand: 0,
      InvStartDate: '2026-01-01',
      IncomeAccountRef: { value: tenant.income },
      ...accounts,
    });
    // Paused: nobody is to write what is there already.
    await this.pause(tenant, true);
    await this.want(tenant, {
      entityType: 'Item',
      sourceId: 'goods',
      rank: 3,
      payload: { Type: 'Inventory' },
      references: [],
    });
    await this.db.query(
      `update links set state = 'settled', applied_version = desired_version, applied_hash = desired_hash, target_id = $2,
         target_sync_token = '0' where sync_id = $1 and source_id = 'goods'`,
      [tenant.syncId, goods],
    );
    await this.pause(tenant, false);
    return { vendor };
  }

  /** Goods are bought now. */
  async buy(tenant: Tenant, { vendor }: Stock): Promise<string> {
    const sourceId = `${(this.written += 1)}`;
    const payload = {
      VendorRef: { value: vendor },
      TxnDate: '2026-01-10',
      Line: [
        { Amount: 5, DetailType: 'ItemBasedExpenseLineDetail', ItemBasedExpenseLineDetail: { Qty: 1, UnitPrice: 5 } },
      ],
    };
    const path = ['Line', '0', 'ItemBasedExpenseLineDetail', 'ItemRef'];
    const references = [{ path, entityType: 'Item', sourceId: 'goods' }];
    await this.want(tenant, { entityType: 'Bill', sourceId, rank: 7, payload, references });
    return sourceId;
  }

  private async accounts(tenant: Tenant): Promise<Record<string, { value: string }>> {
    const asset = await tenant.post('Account', {
      Name: 'Goods on hand',
      AccountType: 'Other Current Asset',
      AccountSubType: 'Inventory',
    });
    const cost = await tenant.post('Account', {
      Name: 'Cost of goods',
      AccountType: 'Cost of Goods Sold',
      AccountSubType: 'SuppliesMaterialsCogs',
    });
    return { AssetAccountRef: { value: asset }, ExpenseAccountRef: { value: cost } };
  }

  private async want(
    tenant: Tenant,
    what: Pick<DesiredLink, 'entityType' | 'sourceId' | 'rank' | 'payload' | 'references'>,
  ): Promise<void> {
    await this.links.intake(
      [
        {
          ...what,
          syncId: tenant.syncId,
          organizationId: this.organization,
          sourceRealmId: tenant.source,
          targetRealmId: tenant.target,
          lane: 'live',
          version: 'v1',
          hash: what.sourceId,
          op: 'upsert',
          mappingVersion: 0,
          changeId: what.sourceId,
          traceparent: `00-${traceIdOf(what.sourceId)}-00000000000000e1-01`,
        },
      ],
      new Date(),
    );
  }

  /** So many invoices are wanted that a backfill brought. */
  async backlog(tenant: Tenant, rows: number): Promise<void> {
    for (let at = 0; at < rows; at += backlogAtOnce) {
      await this.db.query(
        `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane,
           rank, desired_version, desired_hash, desired_op, desired_payload, mapping_version, change_id)
         select $1, 'Invoice', 'b' || n, $2, $3, $4, 'ready', 'bulk', 7, 'v1', 'h' || n, 'upsert', $5, 0, 'b'
         from generate_series($6::int, $7::int) n`,
        [
          tenant.syncId,
          this.organization,
          tenant.source,
          tenant.target,
          JSON.stringify(invoice(tenant)),
          at + 1,
          Math.min(rows, at + backlogAtOnce),
        ],
      );
    }
    await this.db.query('analyze links');
  }

  /** What is paused learns what is wanted, and sends nothing. */
  async pause(tenant: Tenant, paused: boolean): Promise<void> {
    await this.db.query('update syncs set state = $2 where id = $1', [tenant.syncId, paused ? 'paused' : 'active']);
  }

  /** From wanted to settled, in ms, of live invoices that came to be wanted since then; waits until all are settled. */
  async settleTimes(
    since: Date,
    {
      except = [],
      type = 'Invoice',
      withinMs = 60_000,
    }: { except?: readonly string[]; type?: string; withinMs?: number } = {},
  ): Promise<number[]> {
    const giveUpAt = Date.now() + withinMs;
    for (;;) {
      const rows = await this.db.query<{ state: string; ms: number }>(
        `select state, extract(epoch from settled_at - desired_at)::float * 1000 as ms from links
         where lane = 'live' and desired_at >= $1 and target_realm_id <> all($2::text[]) and entity_type = $3`,
        [since, except, type],
      );
      const open = rows.filter((row) => row.state !== 'settled');
      if (open.length === 0) return rows.map((row) => row.ms);
      if (Date.now() > giveUpAt) throw new Error(`${open.length} of ${rows.length} edits were not settled in time`);
      await sleep(100);
    }
  }

  /** Live invoices that came to be wanted since then, the slowest first. */
  async slowest(since: Date): Promise<{ sourceId: string; wantedMs: number; ms: number }[]> {
    return this.db.query(
      `select source_id as "sourceId", extract(epoch from desired_at)::float * 1000 as "wantedMs",
         extract(epoch from settled_at - desired_at)::float * 1000 as ms
       from links where lane = 'live' and desired_at >= $1 and entity_type = 'Invoice' and state = 'settled'
       order by ms desc`,
      [since],
    );
  }

  /** MB resident in the writer's process. */
  async rssMb(): Promise<number> {
    const status = await readFile(`/proc/${this.apps.get('qbo-writer')!.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
  }
}

function invoice({ customer, item }: Tenant) {
  return {
    CustomerRef: { value: customer },
    TxnDate: '2026-01-10',
    Line: [
      {
        Amount: 12.5,
        DetailType: 'SalesItemLineDetail',
        SalesItemLineDetail: { ItemRef: { value: item }, Qty: 1, UnitPrice: 12.5 },
      },
    ],
  };
}

/** Only a process that is told to traces anything. */
export const traceIdOf = (sourceId: string): string => Buffer.from(sourceId).toString('hex').padStart(32, '0');

const randomDigits = (): string =>
  BigInt(`0x${randomBytes(7).toString('hex')}`)
    .toString()
    .padStart(15, '0')
    .slice(0, 15);

/** One of our apps as a process; resolves when it is ready. */
export async function startApp(
  app: string,
  env: Record<string, string>,
): Promise<{ pid: number; url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [join('dist', 'apps', app, 'src', 'main.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...env,
      SYNC_LOG_LEVEL: 'warn',
      SYNC_HTTP_HOST: '127.0.0.1',
      SYNC_HTTP_PORT: String(port),
      NODE_OPTIONS: '--disable-warning=TimeoutNegativeWarning',
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-3_000)));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.once('exit', () => child.kill('SIGKILL'));
  for (const giveUpAt = Date.now() + readyWithinMs; ; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`${app} ended at its start:\n${said}`);
    if (Date.now() > giveUpAt) throw new Error(`${app} was not ready in time:\n${said}`);
    const ready = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (ready?.ok) break;
  }
  return {
    pid: child.pid!,
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}
