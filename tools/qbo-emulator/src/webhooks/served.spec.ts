// Webhooks and quotas through the whole server: what an API write, a person's edit and a throttled client bring about.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RunningEmulator, startEmulator } from '../http/server.js';
import type { Rec } from '../types.js';
import { signature } from './index.js';

let server: RunningEmulator;
const received: { body: string; signature: string | undefined }[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ body: Buffer.concat(chunks).toString(), signature: request.headers['intuit-signature'] as string });
    response.end();
  });
});

async function steer<T = Rec>(method: string, path: string, body?: object): Promise<T> {
  const init = { method, body: body && JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return (await (await fetch(`${server.url}/_emulator/${path}`, init)).json()) as T;
}

interface World {
  realmId: string;
  app: { clientId: string; verifierToken: string };
  post(path: string, body: object): Promise<Response>;
}
async function world(webhookFormat: string): Promise<World> {
  const { realmId } = await steer<{ realmId: string }>('POST', 'companies', { name: 'Fern & Stone' });
  const webhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const app = await steer<World['app']>('POST', 'apps', { name: 'app', redirectUris: [], webhookUrl, webhookFormat });
  const { accessToken } = await steer<{ accessToken: string }>('POST', 'grants', { clientId: app.clientId, realmId });
  const headers = {
    authorization: `Bearer ${accessToken}`,
    accept: 'application/json',
    'content-type': 'application/json',
  };
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${server.url}/v3/company/${realmId}/${path}`, { method: 'POST', body: JSON.stringify(body), headers });
  received.length = 0;
  return { realmId, app, post };
}
const advance = (advanceMs: number): Promise<unknown> => steer('PUT', 'clock', { advanceMs });

beforeAll(async () => {
  server = await startEmulator({ clock: 'virtual' });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  await steer('PUT', 'webhooks', { minDelayMs: 0, maxDelayMs: 0, aggregateMs: 1_000 });
});
afterAll(async () => {
  await server.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

it("the app's own write comes back as a signed event when its time has come", async () => {
  const { realmId, app, post } = await world('cloudevents');
  const { Customer } = (await (await post('customer', { DisplayName: 'Ada' })).json()) as { Customer: Rec };
  await advance(999);
  expect(received).toEqual([]);
  await advance(1);
  const [only] = received;
  expect(JSON.parse(only!.body)).toMatchObject([
    { type: 'qbo.customer.created.v1', intuitentityid: Customer.Id, intuitaccountid: realmId },
  ]);
  expect(only!.signature).toBe(signature(only!.body, app.verifierToken));
});

it("a person's edits are announced too, in the old form where the app wants it; after a disconnect nothing is", async () => {
  const { realmId, app } = await world('legacy');
  const { done } = await steer<{ done: Rec[] }>('POST', `companies/${realmId}/edits`, {
    count: 20,
    seed: 4,
    mix: { create: 1 },
  });
  await advance(1_000);
  const told = received.flatMap(({ body }) =>
    (JSON.parse(body) as { eventNotifications: { dataChangeEvent: { entities: Rec[] } }[] }).eventNotifications.flatMap(
      (one) => one.dataChangeEvent.entities,
    ),
  );
  for (const { type, id } of done.filter(({ type: kind }) =>
    ['Invoice', 'Customer', 'Bill'].includes(kind as string),
  )) {
    expect(told).toContainEqual(expect.objectContaining({ name: type, id, operation: 'Create' }));
  }
  await steer('DELETE', 'grants', { clientId: app.clientId, realmId });
  received.length = 0;
  await steer('POST', `companies/${realmId}/edits`, { count: 5, seed: 5 });
  await advance(10_000);
  expect(received).toEqual([]);
});

it('the eleventh request of a second is refused in XML, and let in when the window has slid', async () => {
  const { realmId, post } = await world('cloudevents');
  for (let n = 0; n < 10; n++) expect((await post('term', { Name: `Within ${n}`, DueDays: n })).status).toBe(200);
  const refused = await post('term', { Name: 'Within 10', DueDays: 10 });
  expect([refused.status, refused.headers.get('content-type'), refused.headers.get('retry-after')]).toEqual([
    429,
    'application/xml',
    null,
  ]);
  expect(await refused.text()).toContain('ThrottleExceeded; errorCode=003001');
  await advance(1_000);
  expect((await post('term', { Name: 'Within 10', DueDays: 10 })).status).toBe(200);
  expect(await steer('GET', `companies/${realmId}/stats`)).toMatchObject({
    throttled: 1,
    peakPerSecond: 10,
    writes: 11,
  });
});
