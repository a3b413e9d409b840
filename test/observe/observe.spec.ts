// What watches the system is whole: nothing written from code has drifted, every alert has a runbook and two tests, every
// query names metrics that exist, and no label could hold a company or a record. Prometheus itself is asked by
// `npm run observe:check`.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { registry } from '#common/metrics';
import { alerts, recordingRules } from '../../tools/observe/src/alerts/index.js';
import { procedures } from '../../tools/observe/src/procedures.js';
import { queries } from '../../tools/observe/src/boards/boards.js';
import { generated } from '../../tools/observe/src/generate.js';
import {
  allowedLabels,
  collectMetrics,
  documented,
  metricFiles,
  usedBy,
} from '../../tools/observe/src/metrics-page.js';
import type { Metric } from '../../tools/observe/src/metrics-page.js';

const root = process.cwd();
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
let metrics: Metric[];

beforeAll(async () => {
  metrics = await collectMetrics(registry, metricFiles(root, 'ts'), (file) => import(join(root, file)));
}, 60_000);

it('rules, their tests, boards, runbooks and the metrics page are current (npm run observe:generate)', () => {
  const drifted = [...generated(metrics)].filter(([name, text]) => !existsSync(name) || read(name) !== text);
  expect(drifted.map(([name]) => name)).toEqual([]);
});

it('every metric is declared in a *.metrics.ts, with labels of the allowed names only', () => {
  expect(metrics.length).toBeGreaterThan(50);
  const strange = metrics.flatMap(({ name, labels }) =>
    labels.filter((label) => !allowedLabels.has(label)).map((label) => `${name}{${label}}`),
  );
  expect(strange).toEqual([]);
  for (const forbidden of ['realm', 'realmId', 'tenant', 'organization', 'sync', 'entity', 'entityId', 'id'])
    expect(allowedLabels).not.toContain(forbidden);
});

it('every metric is on a board or in an alert', () => {
  const unused = metrics.filter(({ name }) => {
    const { boards, alerts: by } = usedBy(name);
    return boards.length + by.length === 0;
  });
  expect(unused.map(({ name }) => name)).toEqual([]);
});

it('every query and rule names only metrics that exist', () => {
  const known = new Set(documented(metrics).map(({ name }) => name));
  const recorded = new Set(recordingRules.map(({ record }) => record));
  const texts = [
    ...queries()
      .filter(({ language }) => language === 'promql')
      .map(({ text }) => text),
    ...alerts.map(({ expr }) => expr),
    ...recordingRules.map(({ expr }) => expr),
    ...alerts.flatMap(({ diagnosis }) => diagnosis.flatMap((step) => ('promql' in step ? [step.promql] : []))),
  ];
  const unknown = new Set<string>();
  for (const text of texts) {
    for (const [name] of text.matchAll(/\b(?:sync|kafka|nodejs|process|kubelet)[_:][a-zA-Z0-9_:]+/g)) {
      const base = name.replace(/_(bucket|sum|count)$/, '');
      if (!known.has(name) && !known.has(base) && !recorded.has(name)) unknown.add(name);
    }
  }
  expect([...unknown]).toEqual([]);
});

describe.each(alerts.map((alert) => [alert.name, alert] as const))('%s', (name, alert) => {
  const rules = ['objectives', 'flow', 'platform'].flatMap((file) =>
    (parse(read(`observe/rules/${file}.yml`)) as { groups: { rules: Record<string, unknown>[] }[] }).groups.flatMap(
      (group) => group.rules,
    ),
  );
  const tests = readdirSync(join(root, 'observe/tests')).flatMap((file) =>
    (parse(read(`observe/tests/${file}`)) as { tests: { name: string }[] }).tests.map((test) => test.name),
  );

  it('has a rule with severity, owner and runbook, and a runbook with its four parts', () => {
    const rule = rules.find((each) => each.alert === name) as {
      labels: { severity: string; owner: string; board: string };
      annotations: { runbook_url: string };
    };
    expect(rule.labels).toEqual({ severity: alert.severity, owner: 'qbo-sync', board: alert.board });
    const runbook = read(rule.annotations.runbook_url);
    for (const part of ['## Meaning', '## Impact', '## Diagnosis', '## Mitigation']) expect(runbook).toContain(part);
    expect(alert.diagnosis.length).toBeGreaterThan(0);
  });

  it('has a test that fires and one that stays silent', () => {
    expect(tests).toEqual(expect.arrayContaining([`${name} fires`, `${name} stays silent`]));
    expect(alert.fires).not.toEqual(alert.silent);
  });
});

it('commands of the runbooks exist: npm scripts and routes of the API', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const api = read('docs/api.md');
  const missing: string[] = [];
  for (const { name, diagnosis, mitigation } of [...alerts, ...procedures]) {
    const said = [...diagnosis.map((step) => ('run' in step ? step.run : '')), ...mitigation].join('\n');
    for (const [, script] of said.matchAll(/npm run ([a-z:0-9-]+)/g))
      if (!scripts[script!]) missing.push(`${name}: ${script}`);
    for (const step of diagnosis) {
      if (!('api' in step)) continue;
      // Names of parameters are each page's own.
      const shape = (path: string) => path.replaceAll(/\{[^}]*\}/g, '{}');
      const path = shape(step.api.split(' ')[1]!);
      if (!shape(api).includes(path)) missing.push(`${name}: ${step.api}`);
    }
  }
  expect(missing).toEqual([]);
});
