// What a checker can learn afterwards: who did what to which record under which request id, and who renewed which token.
import { createHash } from 'node:crypto';
import type { Rec } from '../types.js';
import { TestCompany } from './test-company.js';

let company: TestCompany;
const journal = async (): Promise<Rec[]> =>
  (await company.steer('GET', `/companies/${company.realmId}/requests`)).body['requests'];
const customer = (DisplayName: string): Rec => ({ DisplayName });

beforeEach(async () => {
  company = await TestCompany.open();
});
afterEach(() => company.close());

it('a write names the record, the act and the request id; the same request id again did nothing', async () => {
  const { Customer } = (await company.post('/customer?requestid=r-1', customer('Ada'))).body;
  await company.post('/customer?requestid=r-1', customer('Ada'));
  const [first, again] = await journal();
  expect(first).toMatchObject({
    ...{ app: company.clientId, requestid: 'r-1', status: 200 },
    effects: [{ type: 'Customer', id: Customer.Id, act: 'create', token: '0', requestid: 'r-1' }],
  });
  expect(again!['effects']).toBeUndefined();
  const { makers } = (await company.steer('GET', `/companies/${company.realmId}/dump`)).body;
  expect(makers[`Customer/${Customer.Id}`]).toMatchObject({ app: company.clientId, requestid: 'r-1' });
});

it('each item of a batch has its own name', async () => {
  const items = ['Ada', 'Bea'].map((name, i) => ({ bId: `i${i}`, operation: 'create', Customer: customer(name) }));
  await company.post('/batch?requestid=b-1', { BatchItemRequest: items });
  const [row] = await journal();
  expect(row!['effects'].map((effect: Rec) => effect['requestid'])).toEqual(['b-1|i0', 'b-1|i1']);
});

it('an answer that was lost stands in the journal with what it did', async () => {
  await company.steer('POST', '/faults', { match: { entity: 'Customer' }, fault: 'reset-after-commit', times: 1 });
  await expect(company.post('/customer?requestid=r-2', customer('Ada'))).rejects.toThrow();
  const [row] = await journal();
  expect(row).toMatchObject({ requestid: 'r-2', fault: 'reset-after-commit', lost: true });
  expect(row!['effects']).toHaveLength(1);
});

describe('token calls', () => {
  const refresh = async (value: string): Promise<Response> =>
    fetch(`${company.running.url}/oauth2/v1/tokens/bearer`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${company.clientId}:${company.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: value }),
    });
  const view = async (): Promise<Rec> => (await company.steer('GET', '/oauth')).body;

  it('are told per company, with the newest value as a hash only', async () => {
    await company.steer('PUT', '/oauth', { rotateAfterMs: 0 });
    const given = (await (await refresh(company.refreshToken)).json()) as { refresh_token: string };
    const { grants, calls } = await view();
    expect(calls).toMatchObject([
      { realmId: company.realmId, grantType: 'refresh_token', status: 200, rotated: true, lost: false },
    ]);
    expect(grants[0].refreshSha256).toBe(createHash('sha256').update(given.refresh_token).digest('hex'));
    expect(JSON.stringify({ grants, calls })).not.toContain(given.refresh_token);
  });

  it('say that an answer was lost', async () => {
    await company.steer('PUT', '/oauth', { loseRefreshAnswers: 1 });
    await expect(refresh(company.refreshToken)).rejects.toThrow();
    expect((await view())['calls']).toMatchObject([{ status: 200, lost: true }]);
  });
});
