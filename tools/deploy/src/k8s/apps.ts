// The six apps and the migration: account, deployment, address, disruption budget, network rights.
import { stopSettings } from '#common/config';
import type { AppName } from '../../../dev/src/apps.js';
import { containerPort, migrationProgram } from '../images/catalogue.js';
import { appFolder, nodePath, user } from '../images/recipe.js';
import { settingsOf } from '../settings.js';
import { names, parts } from './architecture.js';
import type { KubernetesObject } from './object.js';

export const caFolder = '/etc/kafka-ca';
// The stop itself may take SYNC_STOP_TIMEOUT (150 s, longer than QuickBooks' own 120 s); before it comes the pause of preStop,
// and after it the kernel needs a moment.
const preStopSeconds = 10;
const graceSeconds = stopSettings.stopTimeoutMs.fallback! / 1000 + preStopSeconds + 20;

const labels = (name: string, component = 'app'): Record<string, string> => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/part-of': 'qbo-sync',
});
const selector = (name: string): Record<string, string> => ({ 'app.kubernetes.io/name': name });

/** variable -> secret and key. Which settings are secret, the apps say themselves. */
const secretKeys: Readonly<Record<string, { name: string; key: string; optional?: boolean }>> = {
  SYNC_QBO_CLIENT_ID: { name: 'sync-quickbooks', key: 'client-id' },
  SYNC_QBO_CLIENT_SECRET: { name: 'sync-quickbooks', key: 'client-secret' },
  SYNC_QBO_WEBHOOK_VERIFIER_TOKEN: { name: 'sync-quickbooks', key: 'webhook-verifier-token' },
  SYNC_TOKEN_KEY: { name: 'sync-token-key', key: 'key' },
  // There only while the key is being replaced.
  SYNC_TOKEN_KEY_PREVIOUS: { name: 'sync-token-key', key: 'previous', optional: true },
  SYNC_ADMIN_KEY: { name: 'sync-admin-key', key: 'key' },
};
const secretVariable = (name: string, from: { name: string; key: string; optional?: boolean }) => ({
  name,
  valueFrom: { secretKeyRef: from },
});
const configVariable = (name: string, config = 'sync-settings') => ({
  name,
  valueFrom: { configMapKeyRef: { name: config, key: name } },
});

function variable(app: AppName, name: string) {
  // Strimzi keeps a user's password in a secret of the user's name.
  if (name === 'SYNC_KAFKA_PASSWORD') return secretVariable(name, { name: app, key: 'password' });
  if (name === 'SYNC_KAFKA_USER') return { name, value: app };
  if (name === 'SYNC_KAFKA_CA_FILE') return { name, value: `${caFolder}/ca.crt` };
  if (name === 'SYNC_KAFKA_TLS') return { name, value: 'true' };
  if (name === 'SYNC_DATABASE_URL') return secretVariable(name, { name: names.postgresSecret, key: 'uri' });
  const secret = secretKeys[name];
  return secret ? secretVariable(name, secret) : configVariable(name);
}

const alwaysTold = [
  ...['SYNC_KAFKA_TLS', 'SYNC_KAFKA_CA_FILE', 'SYNC_KAFKA_USER', 'SYNC_KAFKA_PASSWORD', 'SYNC_LOG_LEVEL'],
  'SYNC_TOKEN_KEY_PREVIOUS',
];

/** Everything that must be set, and what this cluster decides; other settings keep their defaults. */
function environment(app: AppName) {
  return settingsOf(app)
    .filter(({ env, required }) => required || alwaysTold.includes(env))
    .map(({ env }) => variable(app, env))
    .concat([
      { name: 'NODE_OPTIONS', value: `--max-old-space-size=${Math.floor(parts[app].memoryMi * 0.7)}` },
    ] as never);
}

const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
};
const podSecurity = {
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  seccompProfile: { type: 'RuntimeDefault' },
};

const probe = (path: string, o: Record<string, number>) => ({
  httpGet: { path, port: 'http' },
  timeoutSeconds: 3,
  ...o,
});

function podSpec(app: AppName) {
  const { memoryMi, calledFromOutside } = parts[app];
  return {
    serviceAccountName: app,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    securityContext: podSecurity,
    ...(app === 'ingest' && { priorityClassName: 'qbo-sync-door' }),
    topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      // A cluster with one zone left must still run everything.
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selector(app) },
    })),
    containers: [
      {
        name: app,
        image: `qbo-sync/${app}`,
        imagePullPolicy: 'IfNotPresent',
        ports: [{ name: 'http', containerPort }],
        env: environment(app),
        securityContext: containerSecurity,
        // No CPU limit: a throttled consumer misses heartbeats, and the group rebalances.
        resources: {
          requests: { cpu: '100m', memory: `${memoryMi / 2}Mi`, 'ephemeral-storage': '64Mi' },
          limits: { memory: `${memoryMi}Mi`, 'ephemeral-storage': '128Mi' },
        },
        // Live from the first second, also while it waits for Kafka: an outage there must not become a restart storm here.
        startupProbe: probe('/health/live', { periodSeconds: 2, failureThreshold: 60 }),
        livenessProbe: probe('/health/live', { periodSeconds: 10, failureThreshold: 3 }),
        readinessProbe: probe('/health/ready', { periodSeconds: 5, failureThreshold: 2 }),
        // Callers need a moment to learn that this address is gone. There is no shell and no sleep in the image.
        ...(calledFromOutside && {
          lifecycle: {
            preStop: { exec: { command: [nodePath, '-e', `setTimeout(() => {}, ${preStopSeconds / 2}000)`] } },
          },
        }),
        volumeMounts: [
          { name: 'tmp', mountPath: '/tmp' },
          { name: 'kafka-ca', mountPath: caFolder, readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
      {
        name: 'kafka-ca',
        secret: { secretName: `${names.kafkaCluster}-cluster-ca-cert`, items: [{ key: 'ca.crt', path: 'ca.crt' }] },
      },
    ],
  };
}

function deployment(app: AppName): KubernetesObject {
  const { replicas, calledFromOutside } = parts[app];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    // Argo CD: after the first wave, in which the migration runs.
    metadata: { name: app, labels: labels(app), annotations: { 'argocd.argoproj.io/sync-wave': '1' } },
    spec: {
      // KEDA owns the writer's number.
      ...(app !== 'qbo-writer' && { replicas }),
      revisionHistoryLimit: 5,
      minReadySeconds: calledFromOutside ? 5 : 30,
      // A door opens the new one first; a consumer gives up one place at a time, because every join stops its whole group.
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: calledFromOutside ? { maxSurge: 1, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: 1 },
      },
      selector: { matchLabels: selector(app) },
      template: { metadata: { labels: labels(app) }, spec: podSpec(app) },
    },
  };
}

const pods = (matchLabels: Record<string, string>) => ({ podSelector: { matchLabels } });
const to = (peer: object, port: number) => ({ to: [peer], ports: [{ protocol: 'TCP', port }] });

export const outside = {
  // The world without private networks: QuickBooks is never in here, other tenants of the cluster are.
  ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'] },
};
export const postgresPods = pods({ 'cnpg.io/cluster': names.postgresCluster });
export const registryPods = pods(selector('registry'));

function networkPolicy(app: AppName): KubernetesObject {
  const { callsQuickBooks, calledFromOutside } = parts[app];
  const from = [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': names.monitoringNamespace } },
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
    },
    ...(calledFromOutside ? [{ namespaceSelector: { matchLabels: { [names.gatewayLabel]: 'true' } } }] : []),
  ];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: app, labels: labels(app) },
    spec: {
      podSelector: { matchLabels: selector(app) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from, ports: [{ protocol: 'TCP', port: containerPort }] }],
      egress: [
        to(pods({ 'strimzi.io/cluster': names.kafkaCluster, 'strimzi.io/broker-role': 'true' }), 9093),
        to(postgresPods, 5432),
        to(registryPods, 8080),
        ...(callsQuickBooks ? [to(outside, 443)] : []),
      ],
    },
  };
}

const account = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, labels: labels(name) },
  automountServiceAccountToken: false,
});

export function appObjects(app: AppName): KubernetesObject[] {
  return [
    account(app),
    deployment(app),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: app, labels: labels(app) },
      spec: { selector: selector(app), ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: app, labels: labels(app) },
      spec: { maxUnavailable: 1, selector: { matchLabels: selector(app) } },
    },
    networkPolicy(app),
  ];
}

/** Runs before a rollout: `kubectl apply -l app.kubernetes.io/component=migration`, wait, then the rest. */
export function migrationObjects(): KubernetesObject[] {
  const name = 'migrate';
  const { containers, volumes, ...pod } = podSpec('control');
  const [container] = containers;
  const meta = { name, labels: labels(name, 'migration') };
  return [
    { ...account(name), metadata: meta },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      // With Argo CD after the database and its secret (so not PreSync: at the first time neither is there), before the apps; with
      // plain kubectl the order comes from docs/deployment.md.
      metadata: {
        ...meta,
        annotations: {
          'argocd.argoproj.io/hook': 'Sync',
          'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
        },
      },
      spec: {
        backoffLimit: 3,
        activeDeadlineSeconds: 1800,
        ttlSecondsAfterFinished: 86_400,
        template: {
          metadata: { labels: labels(name, 'migration') },
          spec: {
            ...pod,
            serviceAccountName: name,
            terminationGracePeriodSeconds: 30,
            restartPolicy: 'Never',
            topologySpreadConstraints: undefined,
            containers: [
              {
                name,
                image: container!.image,
                imagePullPolicy: 'IfNotPresent',
                command: [nodePath, `${appFolder}/${migrationProgram}`],
                // No setting of the configuration: its name changes with its content, and the job is applied before it.
                env: [variable('control', 'SYNC_DATABASE_URL')],
                securityContext: containerSecurity,
                resources: container!.resources,
                volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              },
            ],
            volumes: volumes.filter((volume) => volume.name === 'tmp'),
          },
        },
      },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: meta,
      spec: {
        podSelector: { matchLabels: selector(name) },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [],
        egress: [to(postgresPods, 5432)],
      },
    },
  ];
}
