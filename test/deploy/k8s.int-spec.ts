// The manifests by the check itself, as a program and without kustomize or network; and the schemas notice what is wrong.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = process.cwd();
const node = (...args: string[]): Promise<{ stdout: string }> =>
  // No PATH: neither kustomize nor kubectl is found, so the committed renderings are what is judged.
  run(process.execPath, args, { env: {}, maxBuffer: 16 * 1024 * 1024 });

it('k8s:check: every object is a valid one and keeps every rule', async () => {
  const { stdout } = await node('dist/tools/deploy/src/k8s/check-main.js');
  expect(stdout).toMatch(/^k8s: 2\d\d objects, \d\d rules, 0 violations$/m);
}, 180_000);

it('a wrong type, a missing field and a misspelt one are noticed, in our kinds and in those of operators', async () => {
  const program = `
import { complaintsAbout } from '${root}/dist/tools/deploy/src/k8s/schemas.js';
import { rendered } from '${root}/dist/tools/deploy/src/k8s/rendering.js';
const { objects } = rendered('dev');
const change = (kind, name, how) => { const it = structuredClone(objects.find((o) => o.kind === kind && o.metadata.name === name)); how(it); return it; };
const wrong = [
  change('Deployment', 'mapper', (o) => (o.spec.replicas = 'two')),
  change('Deployment', 'mapper', (o) => delete o.spec.selector),
  change('Deployment', 'mapper', (o) => (o.spec.template.spec.containers[0].readynessProbe = {})),
  change('NetworkPolicy', 'mapper', (o) => (o.spec.egres = [])),
  change('ScaledObject', 'qbo-writer', (o) => (o.spec.triggers[0].metadata = 'age')),
  change('ExternalSecret', 'sync-admin-key', (o) => (o.spec.data = {})),
  change('KafkaTopic', 'qbo.changes.v1', (o) => (o.spec.partition = 12)),
  change('KafkaUser', 'mapper', (o) => (o.spec.authorization.acls[0].operations = ['read'])),
  change('Cluster', 'sync-postgres', (o) => (o.spec.instances = 0)),
  { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'x' } },
];
process.stdout.write(JSON.stringify(await Promise.all(wrong.map(complaintsAbout))));
`;
  const { stdout } = await node('--input-type=module', '-e', program);
  const said = JSON.parse(stdout) as string[][];
  expect(said.map((lines) => lines.join())).toEqual([
    expect.stringMatching(/replicas must be integer/),
    expect.stringMatching(/selector/),
    expect.stringMatching(/readynessProbe is no field of V1Container/),
    expect.stringMatching(/egres is no field of V1NetworkPolicySpec/),
    expect.stringMatching(/metadata must be object/),
    expect.stringMatching(/data must be array/),
    expect.stringMatching(/additional properties/),
    expect.stringMatching(/allowed values/),
    expect.stringMatching(/instances must be >= 1/),
    expect.stringMatching(/nobody here knows example.org/),
  ]);
}, 180_000);
