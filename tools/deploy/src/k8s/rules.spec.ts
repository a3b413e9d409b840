// Every rule is kept by every overlay as it would be applied, and every rule notices a manifest that breaks it: one change to
// production's objects, one complaint of that rule. Needs nothing but the committed renderings.
import type { KubernetesObject } from './object.js';
import { overlays, rendered } from './rendering.js';
import { rules, violations } from './rules.js';

const production = rendered('prod').objects;

/** production with a change: a copy, and a way to one object of it */
function changed(change: (find: (kind: string, name: string) => KubernetesObject, all: KubernetesObject[]) => void) {
  const all = structuredClone(production);
  change((kind, name) => {
    const found = all.find((object) => object.kind === kind && object.metadata.name === name);
    if (!found) throw new Error(`production has no ${kind}/${name}`);
    return found;
  }, all);
  return all;
}
type Find = (kind: string, name: string) => KubernetesObject;
const writer = (find: Find) => find('Deployment', 'qbo-writer').spec;
const pod = (find: Find) => writer(find).template.spec;
const container = (find: Find) => pod(find).containers[0];
const without = (all: KubernetesObject[], kind: string, name: string): void =>
  void all.splice(
    all.findIndex((object) => object.kind === kind && object.metadata.name === name),
    1,
  );
const policy = (find: Find, name: string) => find('NetworkPolicy', name).spec;

it.each(overlays)('%s keeps every rule', (overlay) => {
  expect(violations(rendered(overlay).objects)).toEqual([]);
});

type Change = (find: Find, all: KubernetesObject[]) => void;
const mutants: [rule: string, what: string, change: Change][] = [
  ['not-root', 'a pod that may be root', (f) => delete pod(f).securityContext.runAsNonRoot],
  ['not-root', 'a pod without seccomp', (f) => (pod(f).securityContext.seccompProfile.type = 'Unconfined')],
  ['read-only-root', 'a writable root', (f) => (container(f).securityContext.readOnlyRootFilesystem = false)],
  ['no-privileges', 'a kept capability', (f) => (container(f).securityContext.capabilities = { add: ['NET_ADMIN'] })],
  ['no-privileges', 'escalation', (f) => delete container(f).securityContext.allowPrivilegeEscalation],
  ['no-host', "the host's files", (f) => pod(f).volumes.push({ name: 'h', hostPath: { path: '/' } })],
  ['bounded-scratch', 'endless scratch', (f) => (pod(f).volumes[0].emptyDir = {})],
  ['memory-bounded', 'no memory limit', (f) => delete container(f).resources.limits.memory],
  ['memory-bounded', 'a processor limit on a consumer', (f) => (container(f).resources.limits.cpu = '1')],
  ['probes', 'no start probe', (f) => delete container(f).startupProbe],
  ['probes', 'liveness that asks for Kafka', (f) => (container(f).livenessProbe.httpGet.path = '/health/ready')],
  ['probes', 'a probe of no port', (f) => (container(f).readinessProbe.httpGet.port = 'management')],
  ['grace', 'a kill before QuickBooks answers', (f) => (pod(f).terminationGracePeriodSeconds = 120)],
  ['disruption-budget', 'no budget', (_f, all) => without(all, 'PodDisruptionBudget', 'qbo-writer')],
  [
    'disruption-budget',
    'a budget that lets all go',
    (f) => (f('PodDisruptionBudget', 'mapper').spec.maxUnavailable = '100%'),
  ],
  ['spread', 'no spread', (f) => delete pod(f).topologySpreadConstraints],
  [
    'spread',
    'spread by the labels of another',
    (f) => (pod(f).topologySpreadConstraints[0].labelSelector.matchLabels = { a: 'b' }),
  ],
  ['selectors', 'a service that finds nobody', (f) => (f('Service', 'control').spec.selector = { app: 'control' })],
  ['selectors', 'a deployment that does not own its pods', (f) => (writer(f).selector.matchLabels = { app: 'writer' })],
  ['images', 'latest', (f) => (container(f).image = 'qbo-sync/qbo-writer:latest')],
  ['images', 'no version', (f) => (container(f).image = 'qbo-sync/qbo-writer')],
  ['images', "somebody else's image by tag", (f) => (container(f).image = 'example/writer:1.2.3')],
  ['no-token', 'a token', (f) => (pod(f).automountServiceAccountToken = true)],
  ['no-token', 'the common account', (f) => (pod(f).serviceAccountName = 'default')],
  [
    'no-rbac',
    'rights at the API server',
    (_f, all) =>
      all.push({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'r', namespace: 'qbo-sync' },
      }),
  ],
  [
    'no-secret-in-git',
    'a secret as an object',
    (_f, all) => all.push({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'qbo-sync' } }),
  ],
  ['no-secret-in-git', 'a secret as a value', (f) => container(f).env.push({ name: 'SYNC_TOKEN_KEY', value: 'abc' })],
  ['references', 'a secret nobody makes', (_f, all) => without(all, 'ExternalSecret', 'sync-token-key')],
  ['references', 'a user of Kafka that is gone', (_f, all) => without(all, 'KafkaUser', 'qbo-writer')],
  [
    'configuration-keys',
    'a configuration that lost a key',
    (_f, all) =>
      delete all.find((o) => o.kind === 'ConfigMap' && o.metadata.name.startsWith('sync-settings'))!['data'][
        'SYNC_KAFKA_BROKERS'
      ],
  ],
  ['default-deny', 'no default', (_f, all) => without(all, 'NetworkPolicy', 'default-deny')],
  ['default-deny', 'a default for one direction', (f) => (policy(f, 'default-deny').policyTypes = ['Ingress'])],
  [
    'policy-per-workload',
    'a workload nobody wrote a policy for',
    (_f, all) => without(all, 'NetworkPolicy', 'registry'),
  ],
  [
    'traces-arrow',
    'a process that sends traces nowhere',
    (f) => container(f).env.push({ name: 'OTEL_TRACES_EXPORTER', value: 'otlp' }),
  ],
  [
    'traces-arrow',
    'a way out for traces that nobody sends',
    (f) =>
      policy(f, 'mapper').egress.push({ to: [{ namespaceSelector: {} }], ports: [{ protocol: 'TCP', port: 4318 }] }),
  ],
  ['no-open-door', 'ingress from everywhere', (f) => (policy(f, 'ingest').ingress = [{}])],
  [
    'no-open-door',
    'every port of the world',
    (f) => (policy(f, 'ingest').egress = [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }]),
  ],
  [
    'quickbooks-arrow',
    'a mapper that reaches the world',
    (f) => policy(f, 'mapper').egress.push(policy(f, 'qbo-writer').egress.at(-1)),
  ],
  ['quickbooks-arrow', 'a writer that does not', (f) => policy(f, 'qbo-writer').egress.pop()],
  [
    'quickbooks-arrow',
    'the way to the world through private networks',
    (f) => delete policy(f, 'qbo-writer').egress.at(-1).to[0].ipBlock.except,
  ],
  [
    'outside-arrow',
    'a writer that the gateway reaches',
    (f) => (policy(f, 'qbo-writer').ingress = policy(f, 'ingest').ingress),
  ],
  ['outside-arrow', 'a door that is shut', (f) => policy(f, 'ingest').ingress[0].from.pop()],
  ['scaled-by-age', 'scaling by lag', (f) => (f('ScaledObject', 'qbo-writer').spec.triggers[0].type = 'kafka')],
  ['scaled-by-age', 'scaling to nothing', (f) => (f('ScaledObject', 'qbo-writer').spec.minReplicaCount = 0)],
  ['scaled-by-age', 'two owners of one number', (f) => (writer(f).replicas = 2)],
  [
    'scaled-by-age',
    "another installation's figures",
    (f) => (f('ScaledObject', 'qbo-writer').spec.triggers[0].metadata.query = 'max(sync_write_runnable_age_seconds)'),
  ],
  [
    'topics-as-in-code',
    'a topic with other partitions',
    (f) => (f('KafkaTopic', 'sync.writes.v1').spec.partitions = 6),
  ],
  [
    'topics-as-in-code',
    'a topic that is thrown away sooner',
    (f) => (f('KafkaTopic', 'qbo.changes.v1').spec.config['cleanup.policy'] = 'delete'),
  ],
  ['kafka-rights', 'a star', (f) => (f('KafkaUser', 'mapper').spec.authorization.acls[0].resource.name = '*')],
  [
    'kafka-rights',
    'one right more',
    (f) => f('KafkaUser', 'mapper').spec.authorization.acls[0].operations.push('Write'),
  ],
  [
    'kafka-rights',
    'the right to make topics',
    (f) => f('KafkaUser', 'ingest').spec.authorization.acls[0].operations.push('Create'),
  ],
  ['kafka-durable', 'one acknowledgement', (f) => (f('Kafka', 'sync').spec.kafka.config['min.insync.replicas'] = 1)],
  ['kafka-durable', 'a listener in the clear', (f) => (f('Kafka', 'sync').spec.kafka.listeners[0].tls = false)],
  [
    'operators-pods',
    'a broker that may gain rights',
    (f) => delete f('KafkaNodePool', 'broker').spec.template.kafkaContainer,
  ],
  [
    'operators-pods',
    'an operator that may be root',
    (f) => (f('Kafka', 'sync').spec.entityOperator.template.userOperatorContainer.securityContext.runAsNonRoot = false),
  ],
  ['kafka-door', 'a listener open to all', (f) => delete f('Kafka', 'sync').spec.kafka.listeners[0].networkPolicyPeers],
  [
    'kafka-door',
    'a listener open to another namespace',
    (f) => f('Kafka', 'sync').spec.kafka.listeners[0].networkPolicyPeers.push({ namespaceSelector: {} }),
  ],
  ['migration-first', 'no migration', (_f, all) => without(all, 'Job', 'migrate')],
  [
    'migration-first',
    'a migration that knows too much',
    (f) => f('Job', 'migrate').spec.template.spec.containers[0].env.push({ name: 'SYNC_TOKEN_KEY' }),
  ],
  [
    'migration-first',
    'a migration that reads the configuration applied after it',
    (f) =>
      f('Job', 'migrate').spec.template.spec.containers[0].env.push({
        name: 'SYNC_LOG_LEVEL',
        valueFrom: { configMapKeyRef: { name: 'sync-settings-abc', key: 'SYNC_LOG_LEVEL' } },
      }),
  ],
  [
    'migration-first',
    'a migration before everything else',
    (f) => (f('Job', 'migrate').metadata.annotations!['argocd.argoproj.io/hook'] = 'PreSync'),
  ],
  [
    'migration-first',
    'an app that does not wait for the migration',
    (f) => delete f('Deployment', 'mapper').metadata.annotations,
  ],
  [
    'restricted-namespace',
    'a lax namespace',
    (f) => (f('Namespace', 'qbo-sync').metadata.labels!['pod-security.kubernetes.io/enforce'] = 'baseline'),
  ],
  ['restricted-namespace', 'an object somewhere else', (f) => (f('Service', 'control').metadata.namespace = 'default')],
  [
    'scraped',
    'a monitor that looks for other labels',
    (f) => (f('ServiceMonitor', 'qbo-sync').spec.selector.matchLabels = { a: 'b' }),
  ],
  ['scraped', 'a policy that keeps Prometheus out', (f) => policy(f, 'mapper').ingress.shift()],
];

it.each(mutants)('%s notices %s', (rule, _what, change) => {
  const broken = violations(changed(change as never)).map((violation) => violation.rule);
  expect(broken).toContain(rule);
});

it('every rule has a manifest that breaks it, and ids are used once', () => {
  expect(rules.map(({ id }) => id).sort()).toEqual([...new Set(mutants.map(([rule]) => rule))].sort());
});
