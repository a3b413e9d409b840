// Every file that is written from here, as text.
import { boardFiles } from './boards/boards.js';
import { verdictTests } from './boards/verdicts.js';
import { metricsPage } from './metrics-page.js';
import type { Metric } from './metrics-page.js';
import { ruleFiles, testFiles } from './rules.js';
import { runbookFiles } from './runbooks.js';

export const generated = (metrics: readonly Metric[]): Map<string, string> =>
  new Map([
    ...ruleFiles(),
    ...testFiles(),
    ...verdictTests(),
    ...runbookFiles(),
    ...boardFiles(),
    ['docs/metrics.md', metricsPage(metrics)],
  ]);
