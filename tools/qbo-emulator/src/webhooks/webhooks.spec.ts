// Webhooks over real HTTP to receivers that are well, slow, failing and dead; the ladder is climbed on a virtual clock.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { VirtualClock } from '../clock/index.js';
import { type Endpoint, type WebhookDials, Webhooks, signature } from './index.js';

interface Received {
  body: string;
  headers: NodeJS.Dict<string | string[]>;
}
type Mood = 'well' | 'failing' | 'slow' | 'bad-request';

class Receiver {
  readonly received: Received[] = [];
  mood: Mood = 'well';
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.received.push({ body: Buffer.concat(chunks).toString(), headers: request.headers });
      if (this.mood === 'slow') return;
      response.statusCode = { well: 200, failing: 503, 'bad-request': 400 }[this.mood];
      response.end();
    });
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  events(): { id: string; type: string; intuitentityid: string }[] {
    return this.received.flatMap(
      ({ body }) => JSON.parse(body) as { id: string; type: string; intuitentityid: string }[],
    );
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let receiver: Receiver;
beforeEach(async () => {
  receiver = await Receiver.start();
});
afterEach(async () => {
  await receiver.stop();
});

function post(
  dials: Partial<WebhookDials> = {},
  format: Endpoint['format'] = 'cloudevents',
  url = receiver.url,
): { clock: VirtualClock; webhooks: Webhooks } {
  const clock = new VirtualClock(Date.UTC(2026, 0, 15, 10));
  const webhooks = new Webhooks(clock, () => [{ clientId: 'app', url, verifierToken: 'v-token', format }]);
  webhooks.configure({ minDelayMs: 0, maxDelayMs: 0, aggregateMs: 1_000, ...dials });
  return { clock, webhooks };
}
const change = (
  clock: VirtualClock,
  id: string,
  act: 'create' | 'update' | 'void' | 'delete' = 'create',
  type = 'Invoice',
): Parameters<Webhooks['enqueue']>[1] => ({ type, id, act, time: clock.now() });

it('collects what happens within the aggregation time into one signed array of cloud events, companies mixed', async () => {
  const { clock, webhooks } = post();
  webhooks.enqueue('1', change(clock, '155'));
  await clock.advance(500);
  webhooks.enqueue('2', change(clock, '156', 'void'));
  await clock.advance(499);
  expect(receiver.received).toHaveLength(0);
  await clock.advance(1);
  expect(receiver.received).toHaveLength(1);
  const [{ body, headers }] = receiver.received as [Received];
  expect(headers['intuit-signature']).toBe(signature(body, 'v-token'));
  expect(JSON.parse(body)).toMatchObject([
    { specversion: '1.0', type: 'qbo.invoice.created.v1', intuitentityid: '155', intuitaccountid: '1', data: {} },
    { type: 'qbo.invoice.void.v1', intuitentityid: '156', intuitaccountid: '2' },
  ]);
  expect((JSON.parse(body) as { time: string }[])[0]!.time).toMatch(/^2026-01-15T10:00:00\.000\d{6}Z$/);
});

it('writes the old format with one company per notification', async () => {
  const { clock, webhooks } = post({}, 'legacy');
  webhooks.enqueue('1', change(clock, '61', 'create', 'Customer'));
  webhooks.enqueue('2', { ...change(clock, '7', 'create', 'Vendor'), act: 'merge', deletedId: '9' });
  await clock.advance(1_000);
  expect(receiver.received.map(({ body }) => JSON.parse(body) as object)).toEqual([
    {
      eventNotifications: [
        {
          realmId: '1',
          dataChangeEvent: {
            entities: [{ name: 'Customer', id: '61', operation: 'Create', lastUpdated: '2026-01-15T10:00:00.000Z' }],
          },
        },
      ],
    },
    {
      eventNotifications: [
        {
          realmId: '2',
          dataChangeEvent: {
            entities: [
              { name: 'Vendor', id: '7', operation: 'Merge', lastUpdated: '2026-01-15T10:00:00.000Z', deletedId: '9' },
            ],
          },
        },
      ],
    },
  ]);
});

it('stays silent about types and verbs that have no webhook', async () => {
  const { clock, webhooks } = post();
  webhooks.enqueue('1', change(clock, '1', 'create', 'TaxCode'));
  webhooks.enqueue('1', change(clock, '1', 'create', 'Attachable'));
  webhooks.enqueue('1', change(clock, '1', 'delete', 'Term'));
  await clock.advance(10_000);
  expect(receiver.events().map(({ type }) => type)).toEqual(['qbo.term.updated.v1']);
});

it.each<Mood>(['failing', 'bad-request'])(
  'a %s receiver is tried again up the ladder with the same bytes; what comes later waits behind',
  async (mood) => {
    const { clock, webhooks } = post();
    receiver.mood = mood;
    webhooks.enqueue('1', change(clock, '1'));
    await clock.advance(1_000);
    webhooks.enqueue('1', change(clock, '2'));
    const start = clock.now();
    const hour = 3_600_000;
    await clock.advance(25 * hour);
    const tries = webhooks.deliveries().map(({ at }) => (at - start) / 1_000);
    expect(tries.slice(0, 10)).toEqual([0, 10, 30, 60, 360, 1_560, 8_760, 23_160, 44_760, 66_360]);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(webhooks.stats()).toMatchObject({ delivered: 0, waiting: 2 });
    receiver.mood = 'well';
    await clock.advance(6 * hour);
    expect(
      receiver
        .events()
        .slice(-2)
        .map(({ intuitentityid }) => intuitentityid),
    ).toEqual(['1', '2']);
    expect(webhooks.stats()).toMatchObject({ delivered: 2, waiting: 0 });
  },
);

it('a slow receiver counts as failed although it got the message; it gets the same event id again', async () => {
  const { clock, webhooks } = post({ answerWithinMs: 50 });
  receiver.mood = 'slow';
  webhooks.enqueue('1', change(clock, '1'));
  await clock.advance(1_000);
  expect(webhooks.deliveries()).toMatchObject([{ outcome: 'timeout', delivered: false }]);
  receiver.mood = 'well';
  await clock.advance(10_000);
  expect(receiver.events().map(({ id }) => id)).toEqual([receiver.events()[0]!.id, receiver.events()[0]!.id]);
});

it('a dead receiver is tried until it lives', async () => {
  const dead = await Receiver.start();
  const { url } = dead;
  await dead.stop();
  const { clock, webhooks } = post({}, 'cloudevents', url);
  webhooks.enqueue('1', change(clock, '1'));
  await clock.advance(31_000);
  expect(webhooks.deliveries().map(({ outcome }) => outcome)).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED']);
  expect(webhooks.stats().blocked).toMatchObject([{ attempts: 3 }]);
});

it('on the old ladder a message is dropped after three tries and the endpoint switched off', async () => {
  const { clock, webhooks } = post({ ladder: 'old' });
  receiver.mood = 'failing';
  webhooks.enqueue('1', change(clock, '1'));
  await clock.advance(10 * 3_600_000);
  receiver.mood = 'well';
  webhooks.enqueue('1', change(clock, '2'));
  await clock.advance(3_600_000);
  expect(receiver.received).toHaveLength(4);
});

it('loses, doubles, delays and shuffles by its dials, the same way for the same seed', async () => {
  const run = async (dials: Partial<WebhookDials>): Promise<string[]> => {
    const before = receiver.events().length;
    const { clock, webhooks } = post({ ...dials, aggregateMs: 100 });
    for (let id = 0; id < 200; id++) webhooks.enqueue('1', change(clock, String(id)));
    await clock.advance(100_000);
    return receiver
      .events()
      .slice(before)
      .map(({ intuitentityid }) => intuitentityid);
  };
  const inOrder = Array.from({ length: 200 }, (_, id) => String(id));
  expect(await run({})).toEqual(inOrder);
  expect(await run({ maxDelayMs: 50_000 })).toEqual(inOrder);
  const lossy = await run({ dropRate: 0.3, seed: 5 });
  expect(Math.abs(lossy.length - 140)).toBeLessThan(30);
  expect(await run({ dropRate: 0.3, seed: 5 })).toEqual(lossy);
  expect((await run({ duplicateRate: 1 })).length).toBe(400);
  const shuffled = await run({ shuffle: true, maxDelayMs: 5_000 });
  expect(shuffled).not.toEqual(inOrder);
  expect([...shuffled].sort((a, b) => Number(a) - Number(b))).toEqual(inOrder);
  expect(await run({ enabled: false })).toEqual([]);
});
