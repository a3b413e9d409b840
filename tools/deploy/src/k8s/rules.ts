// What every manifest of ours must keep, as data: an id, a sentence, and a check that answers the objects that break it.
// rules.spec.ts gives each of them a manifest that breaks it.
import { topics } from '#contracts';
import { appNames } from '../../../dev/src/apps.js';
import { qboCallTimeoutSeconds } from './figures.js';
import { names, parts, readBy } from './architecture.js';
import { nameOf } from './object.js';
import type { KubernetesObject } from './object.js';

export interface Rule {
  readonly id: string;
  readonly sentence: string;
  /** what is wrong, one line each */
  readonly check: (objects: readonly KubernetesObject[]) => string[];
}

type Container = KubernetesObject['spec'];
type PodSpec = KubernetesObject['spec'];

const ofKind = (objects: readonly KubernetesObject[], ...kinds: string[]): KubernetesObject[] =>
  objects.filter(({ kind }) => kinds.includes(kind));
const workloads = (objects: readonly KubernetesObject[]): KubernetesObject[] => ofKind(objects, 'Deployment', 'Job');
const podOf = (workload: KubernetesObject): PodSpec => workload.spec.template.spec;
const containersOf = (workload: KubernetesObject): Container[] => [
  ...(podOf(workload).initContainers ?? []),
  ...podOf(workload).containers,
];
const podLabels = (workload: KubernetesObject): Record<string, string> => workload.spec.template.metadata.labels;
const covers = (selector: { matchLabels?: Record<string, string> }, labels: Record<string, string>): boolean =>
  Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
const isApp = (object: KubernetesObject): boolean => (appNames as readonly string[]).includes(object.metadata.name);

const sorted = (config: object): string => JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));

/** a rule about each workload: the complaint, or undefined */
const each =
  (complaint: (workload: KubernetesObject, all: readonly KubernetesObject[]) => string | undefined | false) =>
  (objects: readonly KubernetesObject[]): string[] =>
    workloads(objects).flatMap((workload) => {
      const said = complaint(workload, objects);
      return said ? [`${nameOf(workload)} ${said}`] : [];
    });

const eachContainer = (complaint: (container: Container) => string | undefined | false) =>
  each((workload) => containersOf(workload).map(complaint).find(Boolean));

const deploymentsOnly =
  (complaint: (deployment: KubernetesObject, all: readonly KubernetesObject[]) => string | undefined | false) =>
  (objects: readonly KubernetesObject[]): string[] =>
    each(complaint)([
      ...ofKind(objects, 'Deployment'),
      ...objects.filter((o) => !['Deployment', 'Job'].includes(o.kind)),
    ]);

/** secrets that somebody makes: External Secrets, Strimzi (users, authority), CloudNativePG */
function secretsMade(objects: readonly KubernetesObject[]): Set<string> {
  return new Set([
    ...ofKind(objects, 'ExternalSecret').map((object) => object.spec.target?.name ?? object.metadata.name),
    ...ofKind(objects, 'KafkaUser').map(({ metadata }) => metadata.name),
    ...ofKind(objects, 'Kafka').map(({ metadata }) => `${metadata.name}-cluster-ca-cert`),
    ...ofKind(objects, 'Cluster').map(({ metadata }) => `${metadata.name}-app`),
  ]);
}

function references(workload: KubernetesObject, what: 'secret' | 'configMap'): string[] {
  const fromEnvironment = containersOf(workload).flatMap((container) =>
    (container.env ?? []).map((variable: Container) =>
      what === 'secret' ? variable.valueFrom?.secretKeyRef?.name : variable.valueFrom?.configMapKeyRef?.name,
    ),
  );
  const fromVolumes = (podOf(workload).volumes ?? []).map((volume: Container) =>
    what === 'secret' ? volume.secret?.secretName : volume.configMap?.name,
  );
  return [...fromEnvironment, ...fromVolumes].filter((name) => name !== undefined) as string[];
}

const policiesFor = (workload: KubernetesObject, objects: readonly KubernetesObject[]): KubernetesObject[] =>
  ofKind(objects, 'NetworkPolicy').filter((policy) => {
    const selector = policy.spec.podSelector;
    return Object.keys(selector.matchLabels ?? {}).length > 0 && covers(selector, podLabels(workload));
  });
/** may these pods reach QuickBooks: any address outside of private networks, on 443 */
const reachesTheWorld = (policy: KubernetesObject): boolean =>
  (policy.spec.egress ?? []).some((way: Container) =>
    (way.to ?? []).some((peer: Container) => peer.ipBlock?.cidr === '0.0.0.0/0'),
  );

export const rules: readonly Rule[] = [
  {
    id: 'not-root',
    sentence: 'A pod runs as a user with a number, not as root, under the default seccomp profile.',
    check: each((workload) => {
      const { runAsNonRoot, runAsUser, seccompProfile } = podOf(workload).securityContext ?? {};
      if (runAsNonRoot !== true || !(runAsUser > 0)) return 'may run as root';
      return seccompProfile?.type !== 'RuntimeDefault' && 'has no seccomp profile';
    }),
  },
  {
    id: 'read-only-root',
    sentence: 'A container cannot write to its own file system.',
    check: eachContainer((c) => c.securityContext?.readOnlyRootFilesystem !== true && 'can write to its root'),
  },
  {
    id: 'no-privileges',
    sentence: 'A container has no capability and can gain none.',
    check: eachContainer((c) => {
      const { allowPrivilegeEscalation, capabilities, privileged } = c.securityContext ?? {};
      const dropped = capabilities?.drop?.includes('ALL') && !capabilities.add?.length;
      return (allowPrivilegeEscalation !== false || !dropped || privileged) && 'can gain rights';
    }),
  },
  {
    id: 'no-host',
    sentence: "A pod uses neither the host's network, processes nor files.",
    check: each((workload) => {
      const pod = podOf(workload);
      const hostPath = (pod.volumes ?? []).some((volume: Container) => volume.hostPath);
      return (pod.hostNetwork || pod.hostPID || pod.hostIPC || hostPath) && 'uses the host';
    }),
  },
  {
    id: 'bounded-scratch',
    sentence: 'Scratch space has a limit.',
    check: each(
      (workload) =>
        (podOf(workload).volumes ?? []).some((v: Container) => v.emptyDir && !v.emptyDir.sizeLimit) &&
        'has endless scratch space',
    ),
  },
  {
    id: 'memory-bounded',
    sentence: 'Memory is asked for and limited; the processor is asked for and not limited.',
    check: eachContainer(({ resources = {} }) => {
      if (!resources.requests?.memory || !resources.requests.cpu || !resources.limits?.memory)
        return 'names no memory or processor';
      // A throttled consumer misses heartbeats and makes its group rebalance.
      return resources.limits.cpu && 'has a processor limit';
    }),
  },
  {
    id: 'probes',
    sentence: 'A deployment says when it has started, lives and is ready; an app by the three addresses meant for it.',
    check: deploymentsOnly((workload) => {
      const [container] = containersOf(workload);
      const { startupProbe, livenessProbe, readinessProbe } = container;
      if (!startupProbe || !livenessProbe || !readinessProbe) return 'lacks a probe';
      const named = (container.ports ?? []).map(({ name }: Container) => name as string);
      if ([startupProbe, livenessProbe, readinessProbe].some(({ httpGet }) => !named.includes(httpGet?.port)))
        return 'asks a port that it does not name';
      if (!isApp(workload)) return false;
      // Readiness asks Kafka and PostgreSQL; as liveness it would make their outage a restart storm here.
      const asked = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe.httpGet?.path);
      return asked.join() !== '/health/live,/health/live,/health/ready' && `asks ${asked.join()}`;
    }),
  },
  {
    id: 'grace',
    sentence:
      "An app may take longer to stop than QuickBooks may take to answer, and than the app's own stop time-out.",
    check: deploymentsOnly(
      (workload) =>
        isApp(workload) &&
        !(podOf(workload).terminationGracePeriodSeconds > qboCallTimeoutSeconds + 30) &&
        `is killed after ${podOf(workload).terminationGracePeriodSeconds} s`,
    ),
  },
  {
    id: 'disruption-budget',
    sentence: 'What runs more than once has a disruption budget that lets one go and not all.',
    check: deploymentsOnly((workload, all) => {
      const replicas = workload.spec.replicas ?? 2;
      if (replicas < 2) return false;
      const budget = ofKind(all, 'PodDisruptionBudget').find((b) => covers(b.spec.selector, podLabels(workload)));
      if (!budget) return 'has no disruption budget';
      return (
        budget.spec.maxUnavailable !== 1 && !(budget.spec.minAvailable < replicas) && 'has a budget that helps nobody'
      );
    }),
  },
  {
    id: 'spread',
    sentence: 'Copies are spread over zones and hosts, by the labels that their pods have.',
    check: deploymentsOnly((workload) => {
      const spread: Container[] = podOf(workload).topologySpreadConstraints ?? [];
      if (!spread.some(({ topologyKey }) => topologyKey === 'kubernetes.io/hostname'))
        return 'is not spread over hosts';
      return spread.some(({ labelSelector }) => !covers(labelSelector, podLabels(workload))) && 'spreads other pods';
    }),
  },
  {
    id: 'selectors',
    sentence: 'Selectors of deployments, services and budgets find pods.',
    check: (objects) => {
      const pods = workloads(objects).map(podLabels);
      return [
        ...ofKind(objects, 'Deployment').filter((d) => !covers(d.spec.selector, podLabels(d))),
        ...ofKind(objects, 'Service').filter(
          (s) => !pods.some((labels) => covers({ matchLabels: s.spec.selector }, labels)),
        ),
        ...ofKind(objects, 'PodDisruptionBudget').filter(
          (b) => !pods.some((labels) => covers(b.spec.selector, labels)),
        ),
      ].map((object) => `${nameOf(object)} selects nothing`);
    },
  },
  {
    id: 'images',
    sentence: 'Images of others come by digest, ours by version or digest; "latest" never.',
    check: eachContainer(({ image }) => {
      const own = /(^|\/)qbo-sync\//.test(image);
      if (/:latest$/.test(image)) return `runs ${image}`;
      if (/@sha256:[0-9a-f]{64}$/.test(image)) return false;
      return !(own && /:\d+\.\d+\.\d+(-[\w.]+)?$/.test(image)) && `runs ${image}`;
    }),
  },
  {
    id: 'no-token',
    sentence: 'Every pod has an account of its own that holds no token of the API server.',
    check: each((workload, all) => {
      const pod = podOf(workload);
      const account = ofKind(all, 'ServiceAccount').find(({ metadata }) => metadata.name === pod.serviceAccountName);
      if (pod.serviceAccountName !== workload.metadata.name || !account) return 'has no account of its own';
      return (
        (pod.automountServiceAccountToken !== false || account['automountServiceAccountToken'] !== false) &&
        'gets a token'
      );
    }),
  },
  {
    id: 'no-rbac',
    sentence: 'Nothing of ours has rights at the API server.',
    check: (objects) =>
      ofKind(objects, 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding').map(
        (o) => `${nameOf(o)} grants rights`,
      ),
  },
  {
    id: 'no-secret-in-git',
    sentence: 'No secret is written down: neither as an object nor as the value of a variable.',
    check: (objects) => [
      ...ofKind(objects, 'Secret').map((object) => `${nameOf(object)} is in the manifests`),
      ...each((workload) =>
        containersOf(workload)
          .flatMap((c) => c.env ?? [])
          .filter((v: Container) => /(SECRET|PASSWORD|TOKEN|_KEY|DATABASE_URL)$/.test(v.name) && v.value !== undefined)
          .map((v: Container) => `writes ${v.name} down`)
          .at(0),
      )(objects),
    ],
  },
  {
    id: 'references',
    sentence: 'Every secret and configuration that a pod needs is made by something here.',
    check: each((workload, all) => {
      const made = secretsMade(all);
      const maps = new Set(ofKind(all, 'ConfigMap').map(({ metadata }) => metadata.name));
      const lost = [
        ...references(workload, 'secret').filter((name) => !made.has(name)),
        ...references(workload, 'configMap').filter((name) => !maps.has(name)),
      ];
      return lost.length > 0 && `needs ${lost[0]}, which nobody makes`;
    }),
  },
  {
    id: 'configuration-keys',
    sentence: 'Every key that is read from a configuration exists in it.',
    check: each((workload, all) => {
      const lost = containersOf(workload)
        .flatMap((c) => c.env ?? [])
        .map((v: Container) => v.valueFrom?.configMapKeyRef)
        .filter((from: Container) => from !== undefined)
        .find((from: Container) => {
          const map = ofKind(all, 'ConfigMap').find(({ metadata }) => metadata.name === from.name);
          return map && !(from.key in map['data']);
        });
      return lost && `reads ${lost.key}, which ${lost.name} does not have`;
    }),
  },
  {
    id: 'default-deny',
    sentence: 'The namespace denies all traffic both ways unless a policy allows it.',
    check: (objects) => {
      const closed = ofKind(objects, 'NetworkPolicy').some(
        ({ spec }) =>
          Object.keys(spec.podSelector).length === 0 &&
          spec.policyTypes.length === 2 &&
          spec.ingress === undefined &&
          spec.egress === undefined,
      );
      return closed ? [] : ['no policy denies everything'];
    },
  },
  {
    id: 'policy-per-workload',
    sentence: 'Every pod has a policy of its own for both directions.',
    check: each((workload, all) => {
      const types = new Set(policiesFor(workload, all).flatMap((policy) => policy.spec.policyTypes));
      return !(types.has('Ingress') && types.has('Egress')) && 'has no policy of its own';
    }),
  },
  {
    id: 'no-open-door',
    sentence: 'No policy of ours lets in from everywhere, and none opens every port to somewhere.',
    check: (objects) =>
      ofKind(objects, 'NetworkPolicy').flatMap((policy) => {
        const open =
          (policy.spec.ingress ?? []).some((way: Container) => !way.from?.length) ||
          (policy.spec.egress ?? []).some((way: Container) => !way.ports?.length && !way.to?.length) ||
          (policy.spec.egress ?? []).some(
            (way: Container) => !way.ports?.length && way.to.some((p: Container) => p.ipBlock),
          );
        return open ? [`${nameOf(policy)} is open`] : [];
      }),
  },
  {
    id: 'quickbooks-arrow',
    sentence: 'Exactly the apps that call QuickBooks reach the world, on 443, and no private network by that way.',
    check: (objects) => [
      ...each((workload, all) => {
        const wanted =
          (parts as Record<string, { callsQuickBooks: boolean } | undefined>)[workload.metadata.name]
            ?.callsQuickBooks ?? false;
        const can = policiesFor(workload, all).some(reachesTheWorld);
        return can !== wanted && (can ? 'reaches the world' : 'cannot reach QuickBooks');
      })(objects),
      ...ofKind(objects, 'NetworkPolicy')
        .filter(reachesTheWorld)
        .filter((policy) =>
          policy.spec.egress.some(
            (way: Container) =>
              way.to?.some(
                (p: Container) => p.ipBlock?.cidr === '0.0.0.0/0' && !p.ipBlock.except?.includes('10.0.0.0/8'),
              ) ||
              (way.to?.some((p: Container) => p.ipBlock?.cidr === '0.0.0.0/0') &&
                way.ports?.some((port: Container) => port.port !== 443)),
          ),
        )
        .map((policy) => `${nameOf(policy)} opens more than QuickBooks`),
    ],
  },
  {
    id: 'traces-arrow',
    sentence: 'An app reaches the collector of traces exactly when it is told to send them there, by that port.',
    check: deploymentsOnly((workload, all) => {
      if (!isApp(workload)) return false;
      const told = (name: string): string | undefined =>
        podOf(workload).containers[0].env?.find((variable: Container) => variable.name === name)?.value;
      const sends = told('OTEL_TRACES_EXPORTER') === 'otlp';
      const port = Number(new URL(told('OTEL_EXPORTER_OTLP_ENDPOINT') ?? 'http://none:4318').port);
      const can = policiesFor(workload, all).some((policy) =>
        (policy.spec.egress ?? []).some((way: Container) => way.ports?.some((each: Container) => each.port === port)),
      );
      return can !== sends && (can ? 'reaches a collector and sends no traces' : 'cannot reach its collector');
    }),
  },
  {
    id: 'outside-arrow',
    sentence: 'The gateway reaches exactly the apps that are called from outside.',
    check: each((workload, all) => {
      if (!isApp(workload)) return false;
      const wanted = parts[workload.metadata.name as keyof typeof parts].calledFromOutside;
      const can = policiesFor(workload, all).some((policy) =>
        (policy.spec.ingress ?? []).some((way: Container) =>
          way.from?.some((p: Container) => p.namespaceSelector?.matchLabels?.[names.gatewayLabel] === 'true'),
        ),
      );
      return can !== wanted && (can ? 'is reached by the gateway' : 'is not reached by the gateway');
    }),
  },
  {
    id: 'scaled-by-age',
    sentence: 'The writer is scaled by the age of work that could be done, never by lag, never to nothing.',
    check: (objects) =>
      ofKind(objects, 'ScaledObject').flatMap((object) => {
        const { triggers, minReplicaCount, maxReplicaCount, scaleTargetRef, fallback } = object.spec;
        const target = ofKind(objects, 'Deployment').find(({ metadata }) => metadata.name === scaleTargetRef.name);
        const wrong = [
          triggers.some(
            (t: Container) => t.type !== 'prometheus' || !/sync_write_runnable_age_seconds/.test(t.metadata.query),
          ) && 'is not scaled by the age of runnable work',
          !(minReplicaCount >= 1) && 'may be scaled to nothing',
          maxReplicaCount > topics.writes.partitions && 'has more processes than partitions',
          fallback?.behavior !== 'currentReplicasIfHigher' && 'shrinks when Prometheus is away',
          target?.spec.replicas !== undefined && 'and its deployment both name a number',
          !target && 'scales nothing',
          // Several installations share one Prometheus: each looks at its own.
          !triggers[0].metadata.query.includes(`namespace="${target?.metadata.namespace ?? ''}"`) &&
            'looks at another namespace',
        ].find(Boolean);
        return wrong ? [`${nameOf(object)} ${wrong}`] : [];
      }),
  },
  {
    id: 'topics-as-in-code',
    sentence: 'Topics are the catalogue: every one, its partitions and its settings.',
    check: (objects) => {
      const made = ofKind(objects, 'KafkaTopic');
      return Object.values(topics).flatMap(({ name, partitions, config }) => {
        const found = made.find((object) => object.spec.topicName === name);
        if (!found) return [`topic ${name} is missing`];
        const same = found.spec.partitions === partitions && sorted(found.spec.config) === sorted(config);
        return same ? [] : [`${nameOf(found)} differs from the catalogue`];
      });
    },
  },
  {
    id: 'kafka-rights',
    sentence:
      'Every app is a Kafka user of its own who may nothing but its arrows: no star, no right to make or change topics.',
    check: (objects) => {
      const users = ofKind(objects, 'KafkaUser');
      return appNames.flatMap((app) => {
        const user = users.find(({ metadata }) => metadata.name === app);
        if (!user) return [`KafkaUser/${app} is missing`];
        const acls: Container[] = user.spec.authorization?.acls ?? [];
        const wide = acls.find(
          ({ resource, operations }) =>
            resource.name === '*' ||
            resource.type === 'cluster' ||
            (resource.type === 'topic' && resource.patternType !== 'literal') ||
            operations.some((o: string) => ['All', 'Create', 'Alter', 'AlterConfigs'].includes(o)),
        );
        const may = (operation: string): string[] =>
          acls
            .filter((a) => a.resource.type === 'topic' && a.operations.includes(operation))
            .map((a) => a.resource.name)
            .sort();
        const wanted = (list: readonly (keyof typeof topics)[]): string[] => list.map((key) => topics[key].name).sort();
        const exact =
          may('Read').join() === wanted(readBy(parts[app])).join() &&
          may('Write').join() === wanted(parts[app].writes).join();
        return wide ? [`${nameOf(user)} may too much`] : exact ? [] : [`${nameOf(user)} differs from the architecture`];
      });
    },
  },
  {
    id: 'kafka-durable',
    sentence:
      'Kafka keeps a record on two brokers before it says so where there are three, over TLS, and makes no topic by itself.',
    check: (objects) => {
      const nodes = ofKind(objects, 'KafkaNodePool').reduce((sum, pool) => sum + pool.spec.replicas, 0);
      return ofKind(objects, 'Kafka').flatMap((object) => {
        const { config, listeners, authorization } = object.spec.kafka;
        const wrong = [
          config['auto.create.topics.enable'] !== false && 'makes topics by itself',
          config['default.replication.factor'] !== Math.min(3, nodes) &&
            `keeps ${config['default.replication.factor']} copies on ${nodes} nodes`,
          config['min.insync.replicas'] !== (nodes >= 3 ? 2 : 1) && 'acknowledges too early or never',
          listeners.some((l: Container) => !l.tls || !l.authentication) &&
            'has a listener without TLS or without users',
          authorization?.type !== 'simple' && 'checks no rights',
        ].find(Boolean);
        return wrong ? [`${nameOf(object)} ${wrong}`] : [];
      });
    },
  },
  {
    id: 'operators-pods',
    sentence: 'Every container that Strimzi makes can gain nothing either: the namespace would refuse its pod.',
    check: (objects) => {
      const made = [
        ...ofKind(objects, 'KafkaNodePool').flatMap((pool) =>
          ['kafkaContainer', 'initContainer'].map((part) => [pool, part, pool.spec.template?.[part]] as const),
        ),
        ...ofKind(objects, 'Kafka').flatMap((kafka) =>
          ['topicOperatorContainer', 'userOperatorContainer'].map(
            (part) => [kafka, part, kafka.spec.entityOperator?.template?.[part]] as const,
          ),
        ),
        ...ofKind(objects, 'Kafka')
          .filter((kafka) => kafka.spec.kafkaExporter)
          .map((kafka) => [kafka, 'kafkaExporter', kafka.spec.kafkaExporter.template?.container] as const),
      ];
      return made.flatMap(([object, part, template]) => {
        const { runAsNonRoot, allowPrivilegeEscalation, capabilities, seccompProfile } =
          template?.securityContext ?? {};
        const kept =
          runAsNonRoot === true &&
          allowPrivilegeEscalation === false &&
          capabilities?.drop?.includes('ALL') &&
          seccompProfile?.type === 'RuntimeDefault';
        return kept ? [] : [`${nameOf(object)} ${part} is not restricted`];
      });
    },
  },
  {
    id: 'kafka-door',
    sentence:
      "Kafka's listeners let in the apps and nobody else: the operator's own policy is open to all unless told.",
    check: (objects) =>
      ofKind(objects, 'Kafka').flatMap((object) =>
        object.spec.kafka.listeners
          .filter(
            ({ networkPolicyPeers: peers = [] }: Container) =>
              peers.length === 0 ||
              peers.some(
                (peer: Container) =>
                  peer.namespaceSelector ||
                  peer.ipBlock ||
                  peer.podSelector?.matchLabels?.['app.kubernetes.io/component'] !== 'app',
              ),
          )
          .map(({ name }: Container) => `${nameOf(object)} listener ${name} is open to others than the apps`),
      ),
  },
  {
    id: 'migration-first',
    sentence: 'A migration job exists, runs once, before the apps, ends, and needs nothing but the database.',
    check: (objects) => {
      const job = ofKind(objects, 'Job').find(({ metadata }) => metadata.name === 'migrate');
      if (!job) return ['no migration job'];
      const names_ = containersOf(job).flatMap((c) => (c.env ?? []).map((v: Container) => v.name));
      const wrong = [
        podOf(job).restartPolicy !== 'Never' && 'restarts in place',
        !job.spec.activeDeadlineSeconds && 'may run for ever',
        !containersOf(job)[0].command?.at(-1)?.endsWith('migrate.js') && 'runs something else',
        names_.some((name: string) => /QBO|TOKEN|KAFKA|ADMIN/.test(name)) && 'is told secrets it does not need',
        // It is applied alone, before the rest: a configuration whose name is new would not be there.
        references(job, 'configMap').length > 0 && 'waits for a configuration that is applied after it',
        job.metadata.annotations?.['argocd.argoproj.io/hook'] !== 'Sync' && 'would run before its own secret exists',
        ofKind(objects, 'Deployment').some(
          (each) => isApp(each) && each.metadata.annotations?.['argocd.argoproj.io/sync-wave'] !== '1',
        ) && 'runs beside an app that does not wait for it',
      ].find(Boolean);
      return wrong ? [`${nameOf(job)} ${wrong}`] : [];
    },
  },
  {
    id: 'restricted-namespace',
    sentence: 'The namespace itself refuses what is not "restricted", and everything is in it.',
    check: (objects) => {
      const namespaces = ofKind(objects, 'Namespace');
      const clusterWide = ['Namespace', 'PriorityClass'];
      const home = namespaces[0]?.metadata.name;
      return [
        ...(namespaces.length === 1 &&
        namespaces[0]!.metadata.labels?.['pod-security.kubernetes.io/enforce'] === 'restricted'
          ? []
          : ['the namespace does not enforce "restricted"']),
        ...objects
          .filter(({ kind, metadata }) => !clusterWide.includes(kind) && metadata.namespace !== home)
          .map((object) => `${nameOf(object)} is not in ${home}`),
      ];
    },
  },
  {
    id: 'scraped',
    sentence: 'Every app is found by a monitor, and its policy lets Prometheus in.',
    check: (objects) => {
      const monitors = ofKind(objects, 'ServiceMonitor');
      return each((workload, all) => {
        if (!isApp(workload)) return false;
        const service = ofKind(all, 'Service').find(({ metadata }) => metadata.name === workload.metadata.name);
        const found = monitors.some(
          (m) =>
            covers(m.spec.selector, service?.metadata.labels ?? {}) &&
            m.spec.endpoints.some((e: Container) => e.port === service?.spec.ports[0].name),
        );
        if (!found) return 'is not scraped';
        const letIn = policiesFor(workload, all).some((policy) =>
          (policy.spec.ingress ?? []).some((way: Container) =>
            way.from?.some(
              (p: Container) =>
                p.namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'] === names.monitoringNamespace,
            ),
          ),
        );
        return !letIn && 'does not let Prometheus in';
      })(objects);
    },
  },
];

export interface Violation {
  rule: string;
  what: string;
}

export function violations(objects: readonly KubernetesObject[]): Violation[] {
  return rules.flatMap(({ id, check }) => check(objects).map((what) => ({ rule: id, what })));
}
