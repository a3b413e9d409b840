// The client against a real HTTP server that answers well, badly, half or not at all.
import { gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { systemClock } from '#common/clock';
import { Breakers } from './circuit/breakers.js';
import { QboClient } from './client.js';
import { qboEnvironment } from './environment.js';
import { Transport } from './http/transport.js';
import { json, localServer, type Answer, type LocalServer } from './local-server.spec-support.js';
import type { CallFacts, GovernorGate, TokenAnswer } from './ports.js';

const realm = '4620816365000000001';
const invoice = { Invoice: { Id: '145', SyncToken: '0' }, time: 't' };

describe('the QBO client', () => {
  let server: LocalServer;
  let answer: Answer;
  let client: QboClient;
  let tokens: TokenAnswer[];
  let refused: string[];
  let completed: string[];
  let facts: CallFacts[];

  const make = (url: string, breakers = new Breakers()) => {
    const gate: GovernorGate = {
      acquire: async () => ({ complete: async (outcome) => void completed.push(outcome) }),
    };
    return new QboClient({
      environment: qboEnvironment(url),
      tokens: {
        accessToken: async () => (tokens.length > 1 ? tokens.shift()! : tokens[0]!),
        refuse: (_realm, token) => void refused.push(token),
      },
      gate,
      clock: systemClock,
      app: 'test',
      breakers,
      transport: new Transport({ answerTimeoutMs: 300 }),
      observe: (one) => facts.push(one),
    });
  };

  beforeEach(async () => {
    [refused, completed, facts] = [[], [], []];
    tokens = [{ kind: 'token', value: 'good' }];
    answer = (_request, response) => json(response, 200, invoice);
    server = await localServer((...args) => answer(...args));
    client = make(server.url);
  });
  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  const create = () =>
    client.write(realm, { entityType: 'Invoice', operation: 'create', body: '{"DocNumber":"1"}', requestId: 'r1' });

  it('sends exactly the bytes it was given, to the address, with token and request id', async () => {
    expect(await create()).toMatchObject({ kind: 'ok', value: { Id: '145' }, tid: expect.stringMatching(/^1-/) });
    const [sent] = server.received;
    expect(sent!.url.pathname).toBe(`/v3/company/${realm}/invoice`);
    expect(Object.fromEntries(sent!.url.searchParams)).toEqual({ requestid: 'r1', minorversion: '75' });
    expect(sent!.headers).toMatchObject({
      authorization: 'Bearer good',
      accept: 'application/json',
      'content-type': 'application/json',
    });
    expect(sent!.body.toString()).toBe('{"DocNumber":"1"}');
    expect(facts).toMatchObject([{ call: 'write', outcome: 'ok' }]);
  });

  it.each([
    ['delete', undefined, { operation: 'delete' }],
    ['void', 'operation-void', { operation: 'void' }],
    ['void', 'include-void', { operation: 'update', include: 'void' }],
  ] as const)('asks for a %s in the form its type wants (%s)', async (operation, voidForm, expected) => {
    await client.write(realm, {
      entityType: 'Invoice',
      operation,
      body: '{}',
      requestId: 'r',
      ...(voidForm ? { voidForm } : {}),
    });
    expect(Object.fromEntries(server.received[0]!.url.searchParams)).toMatchObject(expected);
  });

  it.each<[string, Answer]>([
    ['the connection is cut before an answer', (_q, _r, socket) => socket.destroy()],
    ['no answer comes in time', () => undefined],
    [
      'the answer is cut in the middle',
      (_q, response, socket) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"Invoice":{"Id"');
        setTimeout(() => socket.destroy(), 10);
      },
    ],
    [
      'a gateway answers with a page',
      (_q, response) => void response.writeHead(503).end('<html>Service Unavailable</html>'),
    ],
  ])('says "uncertain" when %s: it may have happened', async (_name, behaviour) => {
    answer = behaviour;
    expect(await create()).toMatchObject({ kind: 'uncertain' });
    expect(completed).toEqual(['ok']);
  });

  it('says "unsent" when nobody listens: it cannot have happened', async () => {
    await server.stop();
    expect(await create()).toMatchObject({ kind: 'unsent', reason: expect.stringContaining('ECONNREFUSED') });
  });

  it('renews the token once on a 401 and sends the same request again', async () => {
    tokens = [
      { kind: 'token', value: 'old' },
      { kind: 'token', value: 'new' },
    ];
    answer = (request, response) =>
      request.headers.authorization === 'Bearer old'
        ? json(response, 401, {
            fault: {
              error: [{ message: 'message=AuthenticationFailed; errorCode=003200', code: '3200' }],
              type: 'AUTHENTICATION',
            },
          })
        : json(response, 200, invoice);
    expect(await create()).toMatchObject({ kind: 'ok' });
    expect(refused).toEqual(['old']);
    expect(server.received.map((r) => r.body.toString())).toEqual(['{"DocNumber":"1"}', '{"DocNumber":"1"}']);
  });

  it('gives up after one renewal', async () => {
    answer = (_request, response) => json(response, 401, {});
    expect(await create()).toMatchObject({ kind: 'unauthorized', reconnect: false });
    expect(server.received).toHaveLength(2);
  });

  it('sends nothing for a company that must be reconnected', async () => {
    tokens = [{ kind: 'reconnect', reason: 'revoked' }];
    expect(await create()).toMatchObject({ kind: 'unauthorized', reconnect: true, reason: 'revoked' });
    expect(server.received).toEqual([]);
  });

  it('tells the governor of a 429 and not of a refusal', async () => {
    answer = (_request, response) => json(response, 429, {});
    expect((await create()).kind).toBe('throttled');
    answer = (_request, response) =>
      json(response, 400, { Fault: { Error: [{ code: '6240', Message: 'Duplicate' }] } });
    expect((await create()).kind).toBe('refused');
    expect(completed).toEqual(['throttled', 'ok']);
  });

  it('reads a query, also an empty one, and sends a long statement as a body', async () => {
    answer = (_request, response) =>
      json(response, 200, { QueryResponse: { Customer: [{ Id: '1' }], startPosition: 1, maxResults: 1 } });
    expect(await client.query(realm, "select * from Customer where DisplayName = 'O\\'Neil & Söhne'")).toMatchObject({
      kind: 'ok',
      value: { rows: [{ Id: '1' }] },
    });
    expect(server.received[0]!.url.searchParams.get('query')).toBe(
      "select * from Customer where DisplayName = 'O\\'Neil & Söhne'",
    );
    answer = (_request, response) => json(response, 200, { QueryResponse: {}, time: 't' });
    expect(await client.query(realm, 'select * from Customer')).toMatchObject({ kind: 'ok', value: { rows: [] } });
    const long = `select * from Customer where Id in (${"'1',".repeat(2_000)}'1')`;
    await client.query(realm, long);
    expect(server.received[2]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/text' } });
    expect(server.received[2]!.body.toString()).toBe(long);
  });

  it('gathers a CDC answer by type and counts what it holds', async () => {
    answer = (_request, response) =>
      json(response, 200, {
        CDCResponse: [
          {
            QueryResponse: [
              { Customer: [{ Id: '1' }, { Id: '2', status: 'Deleted' }], startPosition: 1 },
              {},
              { Invoice: [{ Id: '3' }] },
            ],
          },
        ],
        time: 't',
      });
    expect(await client.cdc(realm, ['Customer', 'Invoice'], '2026-01-01T00:00:00Z')).toMatchObject({
      kind: 'ok',
      value: { count: 3, objects: { Customer: [{ Id: '1' }, { status: 'Deleted' }], Invoice: [{ Id: '3' }] } },
    });
    expect(Object.fromEntries(server.received[0]!.url.searchParams)).toMatchObject({ entities: 'Customer,Invoice' });
  });

  it('reads a batch item by item; one it does not mention stays unknown', async () => {
    answer = (_request, response) =>
      json(response, 200, {
        BatchItemResponse: [
          { Invoice: { Id: '1' }, bId: 'i0' },
          { bId: 'i1', Fault: { Error: [{ code: '6140', Message: 'Duplicate' }], type: 'ValidationFault' } },
        ],
      });
    const got = await client.batch(realm, { requestId: 'b', body: '{}' });
    expect(got.kind === 'ok' && Object.fromEntries(got.value.items)).toEqual({
      i0: { kind: 'ok', value: { Id: '1' } },
      i1: { kind: 'refused', faults: [expect.objectContaining({ code: '6140' })] },
    });
  });

  it('unpacks a gzip answer', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify(invoice)));
    };
    expect(await create()).toMatchObject({ kind: 'ok', value: { Id: '145' } });
  });

  it('uploads a file as a stream, and the same upload is the same bytes', async () => {
    answer = (_request, response) => json(response, 200, { AttachableResponse: [{ Attachable: { Id: '5' } }] });
    const upload = () =>
      client.upload(realm, {
        requestId: 'u1',
        metadata: '{"FileName":"a.txt"}',
        content: Readable.from([Buffer.from('hello '), Buffer.from('world')]) as AsyncIterable<Buffer>,
        fileName: 'a".txt',
        contentType: 'text/plain',
        size: 11,
      });
    expect(await upload()).toMatchObject({ kind: 'ok', value: { Id: '5' } });
    await upload();
    const [first, second] = server.received;
    expect(first!.headers['content-length']).toBe(String(first!.body.length));
    expect(first!.body.toString()).toContain(
      'filename="a%22.txt"\r\nContent-Type: text/plain\r\n\r\nhello world\r\n--',
    );
    expect(second!.body.equals(first!.body)).toBe(true);
  });

  it('opens a file by its short-lived address, without showing the token to the storage service', async () => {
    answer = (request, response) => {
      if (request.url.pathname.startsWith('/files/')) return void response.end('the bytes');
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end(`${server.url}/files/abc`);
    };
    const got = await client.download(realm, '5000000000000129631');
    if (got.kind !== 'ok') throw new Error(JSON.stringify(got));
    expect((await got.value.content.toArray()).join('')).toBe('the bytes');
    expect(server.received[1]!.headers.authorization).toBeUndefined();
  });

  it('opens the circuit of a company that does not answer, closes it again, and leaves its neighbours alone', async () => {
    await client.close();
    client = make(server.url, new Breakers(undefined, { realm: { volumeThreshold: 3, resetMs: 50 } }));
    answer = (request, response, socket) =>
      request.url.pathname.includes(realm) ? void socket.destroy() : json(response, 200, invoice);
    for (let call = 0; call < 4; call++) await create();
    const before = server.received.length;
    expect(await create()).toEqual({ kind: 'unsent', reason: 'circuit of this company is open' });
    expect(server.received).toHaveLength(before);
    expect(client.breakers.state(realm)).toBe('open');
    expect((await client.read('4620816365000000002', 'Invoice', '145')).kind).toBe('ok');
    answer = (_request, response) => json(response, 200, invoice);
    await systemClock.sleep(80);
    expect((await create()).kind).toBe('ok');
    expect(client.breakers.state(realm)).toBe('closed');
  });

  it('never opens a circuit over refusals', async () => {
    await client.close();
    client = make(server.url, new Breakers(undefined, { realm: { volumeThreshold: 3 } }));
    answer = (_request, response) => json(response, 400, { Fault: { Error: [{ code: '6000', Message: 'no' }] } });
    for (let call = 0; call < 10; call++) expect((await create()).kind).toBe('refused');
    expect(client.breakers.state(realm)).toBe('closed');
  });
});
