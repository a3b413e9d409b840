// Spans leave the process as OTLP over HTTP, to a receiver that really listens.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadConfig } from '../config/index.js';
import { configureLogging, createLog } from '../logging/index.js';
import { startTracing, traced, tracingSettings } from './index.js';

interface Received {
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: {
    resourceSpans: {
      resource: { attributes: { key: string; value: { stringValue?: string } }[] };
      scopeSpans: { spans: { traceId: string; spanId: string; parentSpanId?: string; name: string }[] }[];
    }[];
  };
}

let server: Server;
let url: string;
const received: Received[] = [];
let answer = 200;

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as Received['body'];
      received.push({ path: request.url, headers: request.headers, body });
      response.writeHead(answer, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  received.length = 0;
  answer = 200;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const settings = (o: Record<string, string> = {}) =>
  loadConfig(tracingSettings, { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: url, ...o });
const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

it('a span arrives with its service, its trace and the headers that were set', async () => {
  const stop = await startTracing('qbo-writer', settings({ OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20secret' }));
  traced('outer', { parent }, () => traced('inner', {}, () => undefined));
  await stop();
  expect(received).toHaveLength(1);
  const [{ path, headers, body }] = received as [Received];
  expect([path, headers['x-key'], headers['content-type']]).toEqual(['/v1/traces', 'a secret', 'application/json']);
  const [{ resource, scopeSpans }] = body.resourceSpans as [Received['body']['resourceSpans'][0]];
  expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'qbo-writer' } });
  const spans = scopeSpans.flatMap((scope) => scope.spans);
  const [inner, outer] = ['inner', 'outer'].map((name) => spans.find((span) => span.name === name)!);
  expect(outer).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', parentSpanId: 'b7ad6b7169203331' });
  expect(inner).toMatchObject({ traceId: outer!.traceId, parentSpanId: outer!.spanId });
});

it('a log line names the trace and the span it was written in, and none outside of one', async () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  configureLogging({ service: 'spec', level: 'info', destination });
  const log = createLog('part');
  const stop = await startTracing('qbo-writer', settings());
  traced('outer', { parent }, () => log.info('inside'));
  log.info('outside');
  await stop();
  const [span] = received[0]!.body.resourceSpans.flatMap((each) => each.scopeSpans.flatMap(({ spans }) => spans));
  expect(lines).toEqual([
    expect.objectContaining({ msg: 'inside', traceId: '0af7651916cd43dd8448eb211c80319c', spanId: span!.spanId }),
    expect.not.objectContaining({ traceId: expect.anything() as unknown }),
  ]);
});

it('sends nothing unless it is asked to', async () => {
  const stop = await startTracing('qbo-writer', settings({ OTEL_TRACES_EXPORTER: 'none' }));
  traced('outer', { parent }, () => undefined);
  await stop();
  expect(received).toEqual([]);
});

it('sends no span of a change that the door chose not to trace', async () => {
  const stop = await startTracing('qbo-writer', settings());
  traced('outer', { parent: parent.replace(/01$/, '00') }, () => undefined);
  await stop();
  expect(received).toEqual([]);
});

it('a collector that refuses does not touch the work; the stop ends and says so', async () => {
  answer = 400;
  const stop = await startTracing('qbo-writer', settings());
  expect(traced('outer', { parent }, () => 'done')).toBe('done');
  await expect(stop()).rejects.toThrow('Bad Request');
  expect(received).toHaveLength(1);
});
