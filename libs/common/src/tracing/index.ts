// Traces of a change, from the webhook to the settled write (OpenTelemetry, W3C context). Off unless a process is told
// where to send them: then each call here costs one comparison, nothing of the SDK is loaded, and the `traceparent` that
// travels with the change is passed on as it came. On, every span hands its own context to what it publishes.
//
// Work for one change is a span in that change's trace. Work for many at once (a batch) is a trace of its own that links
// to the members' traces, and each member's trace has a span that links back: a parent can be only one, and giving the
// batch to one of thirty changes would hide it from the others.
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, Link, Span, SpanContext, Tracer } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { TracingSettings } from './settings.js';

export { tracingSettings } from './settings.js';
export type { TracingSettings } from './settings.js';

export interface SpanOptions {
  /** `root`: a trace of its own. A traceparent: a child of it. Default: whatever span is active, else a trace of its own. */
  parent?: 'root' | (string & {}) | undefined;
  /** traceparents of other traces that this belongs to */
  links?: readonly (string | undefined)[];
  kind?: 'server' | 'client' | 'producer' | 'consumer';
  attributes?: Attributes;
  /** for a span told after the fact */
  startedAtMs?: number;
}

export interface TraceSpan {
  /** to hand on; undefined while tracing is off */
  readonly traceparent: string | undefined;
  set(attributes: Attributes): void;
  /** an error marks the span as failed */
  end(error?: unknown): void;
}

const off: TraceSpan = { traceparent: undefined, set: () => undefined, end: () => undefined };
const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

let tracer: Tracer | undefined;

/** Whether spans are made: for callers that would otherwise compute attributes for nothing. */
export const isTracing = (): boolean => tracer !== undefined;

/**
 * Answers how to stop, which sends what is still here and rejects when the collector does not take it. Nothing happens unless the settings name an exporter.
 * @param exporter instead of OTLP; for tests
 */
export async function startTracing(
  service: string,
  settings: TracingSettings,
  exporter?: SpanExporter,
): Promise<() => Promise<void>> {
  if (settings.tracesExporter === 'none' && exporter === undefined) return () => Promise.resolve();
  const { makeProvider } = await import('./sdk.js');
  const provider = makeProvider(service, settings, exporter);
  tracer = provider.getTracer('qbo-sync');
  return async () => {
    tracer = undefined;
    try {
      await provider.shutdown();
    } finally {
      trace.disable();
      context.disable();
    }
  };
}

/** A span that ends by itself when the work does; it is the active one meanwhile. */
export function traced<T>(name: string, o: SpanOptions, work: (span: TraceSpan) => T): T {
  if (!tracer) return work(off);
  const { span, within } = open(name, o);
  let result: T;
  try {
    result = context.with(within, () => work(span));
  } catch (error) {
    span.end(error);
    throw error;
  }
  if (result instanceof Promise || typeof (result as { then?: unknown } | undefined)?.then === 'function') {
    return (result as unknown as Promise<unknown>).then(
      (value) => {
        span.end();
        return value;
      },
      (error: unknown) => {
        span.end(error);
        throw error;
      },
    ) as T;
  }
  span.end();
  return result;
}

/** A span that the caller ends; never the active one. */
export function openSpan(name: string, o: SpanOptions = {}): TraceSpan {
  return tracer ? open(name, o).span : off;
}

/**
 * Work for several changes at once: `members` are their traceparents, and a span of each is handed over in that order. One
 * member alone has the work in its own trace.
 */
export function tracedTogether<T>(
  name: string,
  members: readonly { name: string; traceparent: string | undefined }[],
  o: Pick<SpanOptions, 'kind' | 'attributes'>,
  work: (spans: TraceSpan[], whole: TraceSpan) => Promise<T>,
): Promise<T> {
  if (!tracer || members.length === 0) {
    return work(
      members.map(() => off),
      off,
    );
  }
  const [first] = members;
  if (members.length === 1)
    return traced(first!.name, { ...o, parent: first!.traceparent ?? 'root' }, (span) => work([span], span));
  const links = members.map(({ traceparent }) => traceparent);
  return traced(name, { ...o, parent: 'root', links }, async (whole) => {
    const spans = members.map((member) =>
      openSpan(member.name, { parent: member.traceparent ?? 'root', links: [whole.traceparent] }),
    );
    let failure: unknown;
    try {
      return await work(spans, whole);
    } catch (error) {
      failure = error ?? new Error('failed');
      throw error;
    } finally {
      for (const span of spans) span.end(failure);
    }
  });
}

/** What a log line says of its trace: by the traceparent it names, else by the span it is written in. */
export function traceFields(line: object): { traceId?: string; spanId?: string } {
  const { traceparent } = line as { traceparent?: unknown };
  const named = typeof traceparent === 'string' ? contextOf(traceparent) : undefined;
  const found = named ?? (tracer ? trace.getSpanContext(context.active()) : undefined);
  return found ? { traceId: found.traceId, spanId: found.spanId } : {};
}

function open(name: string, o: SpanOptions): { span: TraceSpan; within: Context } {
  const parent = o.parent === undefined ? context.active() : o.parent === 'root' ? ROOT_CONTEXT : contextWith(o.parent);
  const span = tracer!.startSpan(
    name,
    {
      kind: o.kind === undefined ? SpanKind.INTERNAL : kinds[o.kind],
      ...(o.attributes ? { attributes: o.attributes } : {}),
      ...(o.links ? { links: o.links.flatMap(linkTo) } : {}),
      ...(o.startedAtMs === undefined ? {} : { startTime: o.startedAtMs }),
    },
    parent,
  );
  return { span: new OpenSpan(span), within: trace.setSpan(parent, span) };
}

class OpenSpan implements TraceSpan {
  private ended = false;
  constructor(private readonly span: Span) {}

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  set(attributes: Attributes): void {
    this.span.setAttributes(attributes);
  }

  end(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    // The name only: a message may quote a record, and traces leave the house.
    if (error !== undefined) this.span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name });
    this.span.end();
  }
}

const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

function contextOf(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = form.exec(traceparent) ?? [];
  if (traceId === undefined) return undefined;
  return { traceId, spanId: spanId!, traceFlags: parseInt(flags!, 16), isRemote: true };
}

/** A malformed traceparent counts as none: a new trace, never a refused record. */
function contextWith(traceparent: string): Context {
  const parent = contextOf(traceparent);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

function linkTo(traceparent: string | undefined): Link[] {
  const linked = traceparent === undefined ? undefined : contextOf(traceparent);
  return linked ? [{ context: linked }] : [];
}
