// Where the time of single edits goes: hears the spans of a process as a collector would (OTLP over HTTP) and puts those of one
// change in a row. Only changes that carry a traceparent are traced, so a backfill beside them costs no spans.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Span {
  name: string;
  traceId: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: { key: string; value: { intValue?: number | string; doubleValue?: number } }[];
}
interface Received {
  resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
}

/** Each from the end of the one before it. */
export const stageNames = ['chosen', 'planned', 'claimed', 'granted', 'answered', 'settled'] as const;
export type Stages = Record<(typeof stageNames)[number], number>;

export class StageRecorder {
  private readonly spans = new Map<string, Span[]>();

  private constructor(
    private readonly server: Server,
    /** for the process whose spans are heard */
    readonly environment: Record<string, string>,
  ) {}

  static async start(): Promise<StageRecorder> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        recorder.hear(JSON.parse(Buffer.concat(parts).toString()) as Received);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const recorder = new StageRecorder(server, {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
      OTEL_BSP_SCHEDULE_DELAY: '500',
    });
    return recorder;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** In ms; undefined when a span of it is missing: it was sent twice, or not heard of. */
  of(traceId: string, wantedMs: number): Stages | undefined {
    const spans = this.spans.get(traceId) ?? [];
    const found = (start: string): Span | undefined => spans.find(({ name }) => name.startsWith(start));
    const [plan, create, call, settle] = ['plan ', 'create ', 'qbo ', 'settle '].map(found);
    if (!plan || !create || !call || !settle) return undefined;
    const wait = call.attributes?.find(({ key }) => key === 'sync.quota_wait_ms')?.value;
    const marks = [
      wantedMs,
      startOf(plan),
      endOf(plan),
      startOf(create),
      startOf(call) + Number(wait?.intValue ?? wait?.doubleValue ?? 0),
      endOf(call),
      endOf(settle),
    ];
    return Object.fromEntries(stageNames.map((name, at) => [name, Math.round(marks[at + 1]! - marks[at]!)])) as Stages;
  }

  private hear({ resourceSpans }: Received): void {
    for (const { scopeSpans } of resourceSpans)
      for (const { spans } of scopeSpans)
        for (const span of spans) this.spans.set(span.traceId, [...(this.spans.get(span.traceId) ?? []), span]);
  }
}

const startOf = (span: Span): number => Number(BigInt(span.startTimeUnixNano) / 1000n) / 1_000;
const endOf = (span: Span): number => Number(BigInt(span.endTimeUnixNano) / 1000n) / 1_000;
