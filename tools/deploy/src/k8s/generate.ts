// Every generated file under k8s/base/generated, as text. `npm run k8s:generate` writes them; a test compares.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { appNames } from '../../../dev/src/apps.js';
import { appObjects, migrationObjects } from './apps.js';
import { kafkaObjects } from './kafka.js';
import type { KubernetesObject } from './object.js';

export const generatedFolder = 'k8s/base/generated';

const text = (objects: readonly KubernetesObject[]): string =>
  `# Written by "npm run k8s:generate" (tools/deploy/src/k8s): change it there.\n${objects
    .map((object) => stringify(object, { lineWidth: 120, singleQuote: true, aliasDuplicateObjects: false }))
    .join('---\n')}`;

/** What observe/ holds: rule files become one PrometheusRule, boards one ConfigMap each. */
function rules(root: string): KubernetesObject {
  const folder = join(root, 'observe/rules');
  // Unit tests of rules lie beside them and are no rules.
  const files = readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name) && !/[._-]tests?\.ya?ml$/.test(name))
    .sort();
  const groups = files.flatMap((name) => {
    const content = parse(readFileSync(join(folder, name), 'utf8')) as { groups?: object[] };
    return content.groups ?? [];
  });
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'qbo-sync', labels: { 'app.kubernetes.io/part-of': 'qbo-sync' } },
    spec: { groups },
  };
}

function boards(root: string): KubernetesObject[] {
  const folder = join(root, 'observe/boards');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      // The label that Grafana's sidecar looks for.
      metadata: { name: `board-${name.replace(/\.json$/, '')}`, labels: { grafana_dashboard: '1' } },
      data: { [name]: readFileSync(join(folder, name), 'utf8') },
    }));
}

/** file name -> text */
export function generated(root = process.cwd()): Map<string, string> {
  const kafka = kafkaObjects();
  const files = new Map<string, string>(appNames.map((app) => [`${app}.yaml`, text(appObjects(app))]));
  files.set('migrate.yaml', text(migrationObjects()));
  files.set('kafka-cluster.yaml', text(kafka.cluster));
  files.set('kafka-topics.yaml', text(kafka.topics));
  files.set('kafka-users.yaml', text(kafka.users));
  files.set('prometheus-rules.yaml', text([rules(root)]));
  const shown = boards(root);
  if (shown.length > 0) files.set('boards.yaml', text(shown));
  files.set(
    'kustomization.yaml',
    `# Written by "npm run k8s:generate" (tools/deploy/src/k8s): change it there.\n${stringify({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [...files.keys()],
    })}`,
  );
  return files;
}
