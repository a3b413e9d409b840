// Metrics: one registry per process, factories that give the existing metric back when asked twice (two instances of a
// class in one test process), and GET /metrics. Metric names and closed label sets live in <app>.metrics.ts; a realm or
// entity id is never a label.
import { Controller, Get, Header } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export const registry = new Registry();

interface MetricOptions<L extends string> {
  name: string;
  help: string;
  labelNames?: readonly L[];
}

// From a cached row (2 ms) to QBO's own time-out (120 s).
const defaultBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export function counter<L extends string = never>(o: MetricOptions<L>): Counter<L> {
  const known = registry.getSingleMetric(o.name) as Counter<L> | undefined;
  return known ?? new Counter<L>({ ...options(o), registers: [registry] });
}

export function gauge<L extends string = never>(
  o: MetricOptions<L> & { collect?: () => void | Promise<void> },
): Gauge<L> {
  const known = registry.getSingleMetric(o.name) as Gauge<L> | undefined;
  return known ?? new Gauge<L>({ ...options(o), ...(o.collect && { collect: o.collect }), registers: [registry] });
}

export function histogram<L extends string = never>(
  o: MetricOptions<L> & { buckets?: readonly number[] },
): Histogram<L> {
  const known = registry.getSingleMetric(o.name) as Histogram<L> | undefined;
  return (
    known ?? new Histogram<L>({ ...options(o), buckets: [...(o.buckets ?? defaultBuckets)], registers: [registry] })
  );
}

const options = <L extends string>(o: MetricOptions<L>) => ({
  name: o.name,
  help: o.help,
  labelNames: [...(o.labelNames ?? [])],
});

/**
 * Gauges whose values are asked for when somebody reads them: one question for all of them, shared by scrapes that come
 * together. A question that fails leaves no value: nothing is better than an old figure, and "absent" can be alerted on.
 * It is asked again after `keepMs` at the earliest, and takes at most a twentieth of the time however slow it becomes.
 */
export function ask(gauges: readonly Gauge<never>[], question: () => Promise<void>, keepMs = 5_000): void {
  let asked: Promise<void> = Promise.resolve();
  let goodUntilMs = -Infinity;
  const collect = (): Promise<void> => {
    const nowMs = performance.now();
    if (nowMs < goodUntilMs) return asked;
    goodUntilMs = Infinity;
    asked = question()
      .catch(() => gauges.forEach(forget))
      .finally(() => (goodUntilMs = performance.now() + Math.max(keepMs, 20 * (performance.now() - nowMs))));
    return asked;
  };
  for (const gauge of gauges) Object.assign(gauge, { collect });
}

/** Nothing is known: no series, or NaN where a gauge without labels must have one. Never 0, which would look healthy. */
export function forget(gauge: Gauge<never> & { labelNames?: readonly string[] }): void {
  if ((gauge.labelNames ?? []).length === 0) gauge.set(NaN);
  else gauge.reset();
}

let processMetricsStarted = false;

/** Memory, CPU, garbage collection and event-loop lag of this process. */
export function startProcessMetrics(service: string): void {
  if (processMetricsStarted) return;
  processMetricsStarted = true;
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  // Gauges named *_total: promtool refuses them, and the same facts stand in the metrics without the suffix.
  for (const odd of ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']) {
    registry.removeSingleMetric(odd);
  }
}

@Controller('metrics')
export class MetricsController {
  @Get()
  @Header('content-type', registry.contentType)
  scrape(): Promise<string> {
    return registry.metrics();
  }
}
