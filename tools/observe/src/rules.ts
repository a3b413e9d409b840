// Rules and their unit tests as promtool reads them.
import { stringify } from 'yaml';
import { groups } from './alerts/index.js';
import type { Alert, Case } from './alerts/index.js';

const written = '# Written by "npm run observe:generate" (tools/observe/src/alerts): change it there.\n';
const yaml = (value: unknown): string => `${written}${stringify(value, { lineWidth: 0, singleQuote: true })}`;

export const runbookOf = (alert: Alert): string => `docs/runbooks/${alert.name}.md`;

/** file name -> text */
export function ruleFiles(): Map<string, string> {
  return new Map(
    groups.map(({ name, recording, alerts }) => [
      `observe/rules/${name}.yml`,
      yaml({
        groups: [
          {
            name,
            // One group, in this order: an alert sees the ratio of its own moment.
            rules: [
              ...recording,
              ...alerts.map((alert) => ({
                alert: alert.name,
                expr: alert.expr,
                ...(alert.for && { for: alert.for }),
                // One team owns all of it; the label is what an Alertmanager routes by.
                labels: { severity: alert.severity, owner: 'qbo-sync', board: alert.board },
                annotations: { summary: alert.summary, runbook_url: runbookOf(alert) },
              })),
            ],
          },
        ],
      }),
    ]),
  );
}

/** One file per group and step: each alert once firing, once silent. */
export function testFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const { name, alerts } of groups) {
    const cases = alerts.flatMap((alert) => [
      judged(alert, 'fires', alert.fires, 1),
      judged(alert, 'stays silent', alert.silent, 0),
    ]);
    for (const step of new Set(cases.map((one) => one.interval))) {
      files.set(
        `observe/tests/${name}${step === minute ? '' : `-by-${step}`}.yml`,
        yaml({
          rule_files: [`../rules/${name}.yml`],
          evaluation_interval: step,
          tests: cases.filter((one) => one.interval === step),
        }),
      );
    }
  }
  return files;
}

const minute = '1m';

const judged = ({ name }: Alert, what: string, { series, at, step = minute }: Case, firing: 0 | 1) => ({
  name: `${name} ${what}`,
  interval: step,
  input_series: Object.entries(series).map(([key, values]) => ({ series: key, values })),
  promql_expr_test: [
    {
      expr: `clamp_max(count(ALERTS{alertname="${name}",alertstate="firing"}), 1) or vector(0)`,
      eval_time: at,
      exp_samples: [{ labels: '{}', value: firing }],
    },
  ],
});
