// Every kind of fault as a client over a socket meets it, and whether the write behind it was done or not.
import { type RunningEmulator, startEmulator } from '../http/server.js';
import type { Rec } from '../types.js';
import type { FaultKind } from './index.js';

let server: RunningEmulator;
let realmId: string;
let token: string;
let serial = 0;

async function steer<T = Rec>(method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${server.url}/_emulator/${path}`, {
    method,
    body: body && JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return (await answer.json()) as T;
}

interface Met {
  status: number;
  body: string;
  ms: number;
}
/** The answer, or undefined when the connection ended without a whole one. */
async function call(method: string, path: string, body?: object): Promise<Met | undefined> {
  const start = performance.now();
  try {
    const answer = await fetch(`${server.url}/v3/company/${realmId}/${path}`, {
      method,
      body: body && JSON.stringify(body),
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': 'application/json' },
    });
    return { status: answer.status, body: await answer.text(), ms: performance.now() - start };
  } catch {
    return undefined;
  }
}

const newTerm = (): { Name: string; DueDays: number } => ({ Name: `Within ${++serial}`, DueDays: 5 });
async function exists(name: string): Promise<boolean> {
  const met = await call(
    'GET',
    `query?query=${encodeURIComponent(`select count(*) from Term where Name = '${name}'`)}`,
  );
  return (JSON.parse(met!.body) as { QueryResponse: { totalCount: number } }).QueryResponse.totalCount === 1;
}
const order = (fault: FaultKind, more: object = {}, match: object = { operation: 'create' }): Promise<unknown> =>
  steer('POST', 'faults', { match: { realmId, ...match }, fault, times: 1, ...more });

beforeAll(async () => {
  server = await startEmulator({ clock: 'real' });
  ({ realmId } = await steer<{ realmId: string }>('POST', 'companies', { name: 'Fern & Stone' }));
  const { clientId } = await steer<{ clientId: string }>('POST', 'apps', { name: 'app', redirectUris: [] });
  ({ accessToken: token } = await steer<{ accessToken: string }>('POST', 'grants', { clientId, realmId }));
  await steer('PUT', 'limits', { all: false });
});
afterAll(() => server.close());

it.each<[FaultKind, object, { status?: number; text?: string; done: boolean }]>([
  ['http', { status: 502, body: 'bad gateway' }, { status: 502, text: 'bad gateway', done: false }],
  ['http', { status: 500, afterCommit: true }, { status: 500, text: '10000', done: true }],
  ['throttle', {}, { status: 429, text: '<Error code="3001">', done: false }],
  ['html-503', {}, { status: 503, text: '<html>', done: false }],
  ['unauthorized', {}, { status: 401, text: '"code":"3200"', done: false }],
  ['forbidden', {}, { status: 403, text: '"code":"3100"', done: false }],
  ['timeout-before-commit', { ms: 30 }, { done: false }],
  ['timeout-after-commit', { ms: 30 }, { done: true }],
  ['reset-before-commit', {}, { done: false }],
  ['reset-after-commit', {}, { done: true }],
  ['truncate-body', {}, { done: true }],
  ['slow', { ms: 60 }, { status: 200, done: true }],
])('%s %j on a create: %j, and it happens once', async (fault, more, { status, text, done }) => {
  await order(fault, more);
  const term = newTerm();
  const met = await call('POST', 'term', term);
  expect(met?.status).toBe(status);
  if (text) expect(met!.body).toContain(text);
  if (fault === 'slow') expect(met!.ms).toBeGreaterThanOrEqual(55);
  expect(await exists(term.Name)).toBe(done);
  expect((await call('POST', 'term', newTerm()))!.status).toBe(200);
});

it('stale refuses an update whose token was the present one, and changes nothing', async () => {
  const made = JSON.parse((await call('POST', 'term', newTerm()))!.body) as { Term: Rec };
  const { Id, SyncToken } = made.Term;
  await order('stale', {}, { operation: 'update' });
  const change = { Id, SyncToken, sparse: true, DueDays: 9 };
  expect((await call('POST', 'term', change))!.body).toContain('"code":"5010"');
  expect((await call('POST', 'term', change))!.status).toBe(200);
});

it('a create whose answer was reset is replayed by its request id: same body, no second record', async () => {
  await order('reset-after-commit');
  const term = newTerm();
  expect(await call('POST', 'term?requestid=lost-1', term)).toBeUndefined();
  const again = await call('POST', 'term?requestid=lost-1', term);
  expect(again!.status).toBe(200);
  expect(await exists(term.Name)).toBe(true);
});

it('partial-batch carries out the first items and answers the others with a system fault', async () => {
  await order('partial-batch', { items: 1 }, { operation: 'batch' });
  const [first, second] = [newTerm(), newTerm()];
  const items = [first, second].map((Term, n) => ({ bId: String(n), operation: 'create', Term }));
  const met = await call('POST', 'batch', { BatchItemRequest: items });
  const answers = (JSON.parse(met!.body) as { BatchItemResponse: Rec[] }).BatchItemResponse;
  expect(met!.status).toBe(200);
  expect(answers.filter((one) => one.Fault)).toHaveLength(1);
  expect([await exists(first.Name), await exists(second.Name)]).toEqual([true, false]);
});

it('drop-link answers 200 and forgets what the payment was for', async () => {
  const customer = JSON.parse((await call('POST', 'customer', { DisplayName: 'Ada' }))!.body) as { Customer: Rec };
  const CustomerRef = { value: customer.Customer.Id as string };
  const line = { Amount: 10, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: '1' } } };
  const { Invoice } = JSON.parse((await call('POST', 'invoice', { CustomerRef, Line: [line] }))!.body) as {
    Invoice: Rec;
  };
  await order('drop-link', {}, { entity: 'Payment' });
  const paid = await call('POST', 'payment', {
    CustomerRef,
    TotalAmt: 10,
    Line: [{ Amount: 10, LinkedTxn: [{ TxnId: Invoice.Id, TxnType: 'Invoice' }] }],
  });
  expect(paid!.status).toBe(200);
  const { Invoice: after } = JSON.parse((await call('GET', `invoice/${Invoice.Id}`))!.body) as { Invoice: Rec };
  expect(after.Balance).toBe(10);
});

it('rules are listed with what they did, and can be taken away', async () => {
  const { id } = await steer<{ id: string }>('POST', 'faults', { match: { operation: 'read' }, fault: 'html-503' });
  expect((await call('GET', 'term/1'))!.status).toBe(503);
  await steer('DELETE', `faults/${id}`);
  expect((await call('GET', 'term/1'))!.status).toBe(200);
});

it('a lost refresh answer is a reset on the token endpoint: the work was done', async () => {
  const app = await steer<{ clientId: string; clientSecret: string }>('POST', 'apps', {
    name: 'other',
    redirectUris: [],
  });
  const grant = await steer<{ refreshToken: string }>('POST', 'grants', { clientId: app.clientId, realmId });
  await steer('POST', 'faults', { match: { operation: 'token' }, fault: 'reset-after-commit', times: 1 });
  const refresh = async (): Promise<number> => {
    const answer = await fetch(`${server.url}/oauth2/v1/tokens/bearer`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: grant.refreshToken }),
    });
    await answer.json();
    return answer.status;
  };
  await expect(refresh()).rejects.toThrow();
  expect(await refresh()).toBe(200);
});
