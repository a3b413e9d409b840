// docs/metrics.md from the registry that the apps' own *.metrics.ts fill, with the boards and alerts that use each metric.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { alerts, objectives, recordingRules } from './alerts/index.js';
import { queries } from './boards/boards.js';
import { runbookOf } from './rules.js';

export interface Metric {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  app: string;
}

/** Names that a label may have. Closed sets all: no company, organization, sync, record or request is among them. */
export const allowedLabels: ReadonlySet<string> = new Set([
  ...['service', 'group', 'consumergroup', 'topic', 'partition', 'outcome', 'stage', 'since', 'lane', 'class', 'kind'],
  ...['state', 'status', 'scope', 'call', 'operation', 'plan', 'origin', 'verdict', 'direction', 'what', 'family'],
  ...['purpose', 'rank'],
]);

/** Paths of every *.metrics.<ending> below a folder, which is the sources or what was built from them. */
export function metricFiles(root: string, ending: 'ts' | 'js'): string[] {
  return ['libs', 'apps']
    .flatMap((part) => readdirSync(join(root, part), { recursive: true }).map((path) => `${part}/${String(path)}`))
    .filter((path) => path.endsWith(`.metrics.${ending}`) && !path.includes('node_modules'))
    .sort();
}

/** What prom-client keeps of a metric; its types do not say it. */
interface Registered {
  name: string;
  help: string;
  labelNames: string[];
  buckets?: number[];
  constructor: { name: string };
}

/** @param load imports one file, after which its metrics are in the registry */
export async function collectMetrics(
  registry: { getMetricsAsArray(): unknown[] },
  files: readonly string[],
  load: (file: string) => Promise<unknown>,
): Promise<Metric[]> {
  const found: Metric[] = [];
  for (const file of files) {
    const before = new Set(registry.getMetricsAsArray());
    await load(file);
    for (const metric of registry.getMetricsAsArray() as Registered[]) {
      if (before.has(metric)) continue;
      const type = metric.constructor.name.toLowerCase() as Metric['type'];
      const [part, name] = file.split('/') as [string, string];
      const labels = metric.labelNames.filter((label) => label !== 'le');
      found.push({
        name: metric.name,
        type,
        help: metric.help,
        labels,
        app: part === 'apps' ? name : (homes[name] ?? name),
      });
    }
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

const homes: Record<string, string> = {
  kafka: 'every app',
  storage: 'every app',
  qbo: 'every app that calls QuickBooks',
};

/** Of prom-client's own, those that a board or an alert uses; and what other programs bring. */
const others: Metric[] = [
  {
    name: 'nodejs_eventloop_lag_p99_seconds',
    type: 'gauge',
    help: 'Event-loop lag, 99th percentile since the last scrape.',
    labels: [],
    app: 'every app',
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of the process.',
    labels: [],
    app: 'every app',
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of the process.',
    labels: [],
    app: 'every app',
  },
  { name: 'up', type: 'gauge', help: '1 when Prometheus could scrape the process.', labels: [], app: 'Prometheus' },
  {
    name: 'kubelet_volume_stats_available_bytes',
    type: 'gauge',
    help: 'Free bytes of a volume.',
    labels: ['persistentvolumeclaim'],
    app: 'kubelet',
  },
  {
    name: 'kubelet_volume_stats_capacity_bytes',
    type: 'gauge',
    help: 'Size of a volume.',
    labels: ['persistentvolumeclaim'],
    app: 'kubelet',
  },
];

/** All that may be asked for: ours, and the listed others. */
export const documented = (metrics: readonly Metric[]): Metric[] => [...metrics, ...others];

const unit = ({ name }: Metric): string =>
  /_seconds(_total)?$/.test(name)
    ? 's'
    : /_bytes(_total)?$/.test(name)
      ? 'bytes'
      : /_ratio$/.test(name)
        ? 'ratio'
        : /_offset$/.test(name)
          ? 'offset'
          : 'count';

export const mentions = (text: string, name: string): boolean =>
  new RegExp(`(?<![a-zA-Z0-9_:])${name}(_bucket|_sum|_count)?(?![a-zA-Z0-9_:])`).test(text);

export function usedBy(name: string): { boards: string[]; alerts: string[] } {
  const direct = (text: string) =>
    mentions(text, name) || recordingRules.some((rule) => text.includes(rule.record) && mentions(rule.expr, name));
  return {
    boards: [
      ...new Set(
        queries()
          .filter(({ text, language }) => language === 'promql' && mentions(text, name))
          .map(({ board }) => board),
      ),
    ],
    alerts: alerts.filter(({ expr }) => direct(expr)).map((alert) => alert.name),
  };
}

export function metricsPage(metrics: readonly Metric[]): string {
  const rows = documented(metrics).map((metric) => {
    const used = usedBy(metric.name);
    const links = used.alerts.map(
      (name) => `[${name}](${runbookOf(alerts.find((alert) => alert.name === name)!).replace('docs/', '')})`,
    );
    return `| \`${metric.name}\` | ${metric.type} | ${metric.labels.join(', ') || '–'} | ${unit(metric)} | ${metric.help} | ${metric.app} | ${used.boards.join(', ') || '–'} | ${links.join(', ') || '–'} |`;
  });
  return `<!-- Written by "npm run observe:generate" from the apps' *.metrics.ts: change it there. -->

# Metrics

Every app serves \`GET /metrics\` without a key. Each sample also carries \`service\` (the app), and from the scrape \`app\`, \`instance\`, \`job\`.
No label ever holds a company, organization, sync, record or request: those are in PostgreSQL (board Company) and in the logs.
Gauges of control describe the whole installation; with several processes of control take the maximum, never the sum.

## Objectives

| objective | bad | of all |
| --- | --- | --- |
${Object.values(objectives)
  .map(
    ({ says, bad, all }) =>
      `| ${says} | \`${bad('5m').replaceAll('|', '\\|')}\` | \`${all('5m').replaceAll('|', '\\|')}\` |`,
  )
  .join('\n')}
| No amount differs without a known reason: no budget, one pages | \`max(sync_reconciliation_records{class="unexplained"})\` | |

## All metrics

| name | type | labels | unit | meaning | served by | boards | alerts |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
