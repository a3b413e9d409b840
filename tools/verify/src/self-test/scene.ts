// A small installation for mistakes to be planted into: two organizations, each with a source and its mirror, a person's records in
// the first, everything at rest and judged well. The six apps are stopped before most plants, or they would mend them.
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import type { EmulatorClient, Raw } from '#testing';
import { appNames } from '../../../dev/src/apps.js';
import { Accounting } from '../../../installation/src/accounting.js';
import { Control } from '../../../installation/src/control.js';
import { Installation } from '../../../installation/src/installation.js';
import type { Places } from '../verify.js';

export class Scene {
  private constructor(
    readonly installation: Installation,
    private readonly pool: pg.Pool,
    readonly clientId: string,
    /** a person's program in the mirror */
    readonly there: Accounting,
    /** the system's own right to act in the mirror */
    readonly own: Accounting,
    readonly source: string,
    readonly target: string,
    readonly syncId: string,
    /** an organization beside the first */
    readonly neighbour: { organizationId: string; source: string; target: string; syncId: string },
  ) {}

  static async open(say: (text: string) => void): Promise<Scene> {
    const installation = await Installation.start(say);
    try {
      const { emulator } = installation;
      const app = await emulator.createApp({ name: 'qbo-sync' });
      const person = await emulator.createApp({ name: 'person' });
      const [, ...realms] = await Promise.all([
        installation.startApps(app),
        ...['Source', 'Mirror', 'Neighbour', 'Its mirror'].map(async (name) => {
          const preferences = { SalesFormsPrefs: { CustomTxnNumbers: true } };
          return (await emulator.createCompany({ name, preferences })).realmId;
        }),
      ]);
      const [source, target, beside, besideTarget] = realms as [string, string, string, string];
      const books = async (realmId: string): Promise<Accounting> =>
        new Accounting(emulator, realmId, (await emulator.grant(person.clientId, realmId)).accessToken);
      await work(await books(source));
      await (await books(beside)).write('Customer', { DisplayName: 'Neighbour' });

      const control = new Control(installation.url('control'), installation.url('audit'), installation.adminKey);
      const ours = new Map<string, string>();
      const connect = async (from: string, to: string): Promise<{ organizationId: string; syncId: string }> => {
        const { id: organizationId } = await control.createOrganization(`Self-test ${from}`);
        for (const realmId of [from, to]) {
          const grant = await emulator.grant(app.clientId, realmId);
          ours.set(realmId, grant.accessToken);
          await control.connectCompany(organizationId, realmId, grant);
        }
        const { id: syncId } = await control.createSync(from, to);
        await control.startJob(syncId, 'backfill');
        return { organizationId, syncId };
      };
      const [first, second] = [await connect(source, target), await connect(beside, besideTarget)];
      const pool = new pg.Pool({
        connectionString: installation.places().databaseUrl,
        max: 2,
        options: `-c search_path=${installation.places().databaseSchema}`,
      });
      return new Scene(
        ...([installation, pool, app.clientId, await books(target)] as const),
        new Accounting(emulator, target, ours.get(target)!),
        ...([source, target, first.syncId] as const),
        { ...second, source: beside, target: besideTarget },
      );
    } catch (error) {
      await installation.stop().catch(() => undefined);
      throw error;
    }
  }

  get emulator(): EmulatorClient {
    return this.installation.emulator;
  }

  get places(): Places {
    return this.installation.places();
  }

  /** From here on nobody mends what is planted. */
  async stopApps(): Promise<void> {
    await Promise.all(appNames.map((app) => this.installation.retire(app)));
  }

  async sql(statement: string, values: unknown[] = []): Promise<Raw[]> {
    return (await this.pool.query(statement, values)).rows as Raw[];
  }

  /** The n-th record of a type that was carried, as the links name it. */
  async carried(type: string, n: number): Promise<{ sourceId: string; targetId: string }> {
    const [row] = await this.sql(
      `select source_id as "sourceId", target_id as "targetId" from links
       where sync_id = $1 and entity_type = $2 and state = 'settled' and target_id is not null
       order by length(source_id), source_id offset $3 limit 1`,
      [this.syncId, type, n],
    );
    if (!row) throw new Error(`fewer than ${n + 1} records of type ${type} were carried`);
    return row as { sourceId: string; targetId: string };
  }

  /** The copy as the mirror has it. */
  async copy(type: string, id: string): Promise<Raw> {
    const { records } = (await this.emulator.dump(this.target)) as { records: Record<string, Raw[]> };
    return records[type]!.find((record) => String(record.Id) === id);
  }

  /** The newest record of a topic that fits, told once more, changed. */
  async tellAgain(topic: string, fits: (value: Raw) => boolean, change: (value: Raw) => Raw): Promise<void> {
    const { brokers, topicPrefix } = this.places;
    const kafka = new Kafka({ clientId: 'self-test', brokers, logLevel: logLevel.NOTHING });
    const name = topicPrefix + topic;
    const found = await this.newest(kafka, name, fits);
    const value = change(structuredClone(found.value));
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({
      topic: name,
      messages: [
        { key: found.key, partition: found.partition, value: JSON.stringify(value), headers: { ce_id: randomUUID() } },
      ],
    });
    await producer.disconnect();
  }

  private async newest(kafka: Kafka, topic: string, fits: (value: Raw) => boolean) {
    const admin = kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    const open = new Set(ends.filter(({ high, low }) => BigInt(high) > BigInt(low)).map(({ partition }) => partition));
    await admin.disconnect();
    const consumer = kafka.consumer({ groupId: `self-test-${randomUUID()}`, maxWaitTimeInMs: 100 });
    let found: { key: Buffer | null; partition: number; value: Raw } | undefined;
    let done: () => void = () => undefined;
    const read = new Promise<void>((resolve) => (done = resolve));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        for (const { key, value } of batch.messages) {
          if (!value) continue;
          const told = JSON.parse(value.subarray(value[0] === 0 ? 5 : 0).toString('utf8')) as Raw;
          if (fits(told)) found = { key, partition: batch.partition, value: told };
        }
        const end = ends.find(({ partition }) => partition === batch.partition)!;
        if (BigInt(batch.lastOffset()) + 1n >= BigInt(end.high)) open.delete(batch.partition);
        if (open.size === 0) done();
        return Promise.resolve();
      },
    });
    await read;
    await consumer.disconnect();
    if (!found) throw new Error(`no record of ${topic} fits`);
    return found;
  }

  async close(): Promise<void> {
    await this.pool.end();
    // The quota was exceeded on purpose: what the stop says of that is no news.
    this.emulator.provokesThrottling('the self-test of the checker exceeds a quota');
    await this.installation.stop();
  }
}

/** Enough of each kind that every plant has a record of its own. */
async function work(books: Accounting): Promise<void> {
  const customers = await books.writeAll(
    'Customer',
    Array.from({ length: 6 }, (_, n) => ({ DisplayName: `Customer ${n}` })),
  );
  const line = (Amount: number): Raw => ({
    ...{ Amount, DetailType: 'SalesItemLineDetail' },
    SalesItemLineDetail: { ItemRef: { value: '1' }, Qty: 1, UnitPrice: Amount },
  });
  await books.writeAll(
    'Invoice',
    customers.map(({ Id }, n) => ({ CustomerRef: { value: Id }, DocNumber: `I-${n}`, Line: [line(100 + n)] })),
  );
}
