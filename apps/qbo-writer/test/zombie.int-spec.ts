// Two writer processes over one database: the owner is stopped (SIGSTOP) with calls on their way, the other takes over within
// the lease, the first wakes up (SIGCONT) and finds its fence gone. And kill -9 of the owner.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '#common/clock';
import { freshTopicPrefix, infrastructure } from '#testing';
import { Installation } from './installation.js';

const leaseMs = 3_000;

describe('a writer process', () => {
  let w: Installation;
  const running: { child: ChildProcess; said: () => string }[] = [];

  beforeAll(async () => {
    w = await Installation.start();
    await w.begin();
  });

  afterAll(async () => {
    for (const { child } of running) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
    }
    await w.stop();
  });

  const topicPrefix = freshTopicPrefix();
  const startProcess = () => {
    const { brokers, registryUrl } = infrastructure();
    const child = spawn(process.execPath, [join('dist', 'apps', 'qbo-writer', 'src', 'main.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        SYNC_KAFKA_BROKERS: brokers.join(','),
        SYNC_REGISTRY_URL: registryUrl,
        SYNC_DATABASE_URL: w.database.databaseUrl,
        SYNC_DATABASE_SCHEMA: w.database.databaseSchema,
        SYNC_TOPIC_PREFIX: topicPrefix,
        SYNC_QBO_ENVIRONMENT: w.emulator.url,
        SYNC_QBO_CLIENT_ID: w.app.clientId,
        SYNC_QBO_CLIENT_SECRET: w.app.clientSecret,
        SYNC_TOKEN_KEY: Buffer.alloc(32, 1).toString('base64'),
        SYNC_WRITER_LEASE: `${leaseMs}ms`,
        SYNC_HTTP_HOST: '127.0.0.1',
        SYNC_HTTP_PORT: '0',
        SYNC_LOG_LEVEL: 'info',
      },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    running.push({ child, said: () => said });
    return running.at(-1)!;
  };
  const lease = async () => {
    const [row] = await w.db.query<{ owner: string; fence: string; held: boolean }>(
      `select owner, fence, expires_at > clock_timestamp() as held from realm_leases where realm_id = $1 and purpose = 'writer'`,
      [w.target.realmId],
    );
    return { pid: Number(row?.owner.split(':')[1]), fence: Number(row?.fence), held: row?.held ?? false };
  };
  const until = async <T>(ask: () => Promise<T>, done: (value: T) => boolean, withinMs = 60_000): Promise<T> => {
    for (const giveUpAt = Date.now() + withinMs; ; await systemClock.sleep(20)) {
      const value = await ask();
      if (done(value)) return value;
      if (Date.now() > giveUpAt)
        throw new Error(
          `not reached: ${JSON.stringify(value)}\n${running.map((r) => r.said().slice(-1_500)).join('\n---\n')}`,
        );
    }
  };
  /** Amounts from `from` on: no two alike, or the emulator takes them for doubles. */
  const wanted = async (from: number, count: number, item: unknown, buyer: unknown) => {
    const invoices = [];
    for (let n = 0; n < count; n++) invoices.push(await w.saveInvoice(String(buyer), String(item), from + n));
    await w.carry('Invoice', ...invoices);
  };

  it('that was stopped past its lease writes nothing more, one that was killed is replaced, and nothing is doubled', async () => {
    const buyer = await w.save('Customer', { DisplayName: 'Northwind' });
    const item = await w.save('Item', {
      Name: 'Work',
      Type: 'Service',
      IncomeAccountRef: { value: await w.sourceAccount('Income') },
    });
    await w.take(await w.sourceEvents());
    startProcess();
    startProcess();
    await w.quiet(90_000);

    // From here on calls are long enough on their way to be stopped there.
    await w.emulator.limits({ latency: { meanMs: 300, jitterMs: 0 } });
    await wanted(1, 16, item.Id, buyer.Id);
    const first = await until(lease, ({ held }) => held);
    const zombie = running.find(({ child }) => child.pid === first.pid)!;
    await until(
      () => w.links(),
      (links) => links.some((link) => link.state === 'sending'),
    );
    zombie.child.kill('SIGSTOP');
    const second = await until(lease, ({ fence, held }) => held && fence > first.fence);
    expect(second.pid).not.toBe(first.pid);
    await w.quiet();
    zombie.child.kill('SIGCONT');
    await until(
      () => Promise.resolve(zombie.said()),
      (said) => /its lease ran out|another process writes|could not be renewed/.test(said),
    );
    const after = await lease();
    expect(after.fence).toBeGreaterThanOrEqual(second.fence);

    await wanted(101, 10, item.Id, buyer.Id);
    const third = await until(lease, ({ held }) => held);
    const stoppedMs = Date.now();
    process.kill(third.pid, 'SIGKILL');
    const fourth = await until(lease, ({ fence, held }) => held && fence > third.fence);
    expect(fourth.pid).not.toBe(third.pid);
    // The lease and a look of the other process, on a machine that is busy otherwise, too.
    expect(Date.now() - stoppedMs).toBeLessThan(leaseMs + 30_000);
    await w.quiet();

    const copies = await w.query(w.target, 'select * from Invoice maxresults 1000');
    expect(copies).toHaveLength(26);
    const stats = await w.targetStats();
    expect(stats.duplicateSuspects).toEqual([]);
  }, 240_000);
});
