// The apps' metrics from what was built. Loaded by path: a tool does not depend on an app's code.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { registry } from '#common/metrics';
import { collectMetrics, metricFiles } from './metrics-page.js';
import type { Metric } from './metrics-page.js';

export function builtMetrics(): Promise<Metric[]> {
  const dist = join(process.cwd(), 'dist');
  return collectMetrics(registry, metricFiles(dist, 'js'), (file) => import(pathToFileURL(join(dist, file)).href));
}
