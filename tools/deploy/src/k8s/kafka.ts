// Kafka by Strimzi: topics from the catalogue of libs/contracts, one user per app with the rights its arrows need.
import { topics } from '#contracts';
import { appNames } from '../../../dev/src/apps.js';
import type { AppName } from '../../../dev/src/apps.js';
import { names, parts, readBy } from './architecture.js';
import type { Topic } from './architecture.js';
import type { KubernetesObject } from './object.js';

const apiVersion = 'kafka.strimzi.io/v1';
const clusterLabel = { 'strimzi.io/cluster': names.kafkaCluster };
/** Kafka of the tests; Strimzi takes the versions its release knows. */
export const kafkaVersion = '4.3.1';

function topic({ name, partitions, config }: (typeof topics)[Topic]): KubernetesObject {
  return {
    apiVersion,
    kind: 'KafkaTopic',
    metadata: { name, labels: clusterLabel },
    // Replicas are the cluster's own default: three, one where there is one broker.
    spec: { topicName: name, partitions, config: { ...config } },
  };
}

export interface Right {
  resource: { type: 'topic' | 'group'; name: string; patternType: 'literal' | 'prefix' };
  operations: string[];
}

/** What an app may do, in the words of Kafka's own access lists. */
export function rightsOf(app: AppName): Right[] {
  const part = parts[app];
  const onTopic = (name: Topic, operations: string[]): Right => ({
    resource: { type: 'topic', name: topics[name].name, patternType: 'literal' },
    operations,
  });
  const onGroup = (name: string, patternType: 'literal' | 'prefix', operations: string[]): Right => ({
    resource: { type: 'group', name, patternType },
    operations,
  });
  return [
    // At its start every app compares the catalogue with what is there.
    ...(Object.keys(topics) as Topic[]).map((name) =>
      onTopic(name, [
        'Describe',
        'DescribeConfigs',
        ...(readBy(part).includes(name) ? ['Read'] : []),
        ...(part.writes.includes(name) ? ['Write'] : []),
      ]),
    ),
    ...(part.group === undefined ? [] : [onGroup(part.group, 'literal', ['Describe', 'Read'])]),
    ...(part.rereads ? [onGroup('reader-', 'prefix', ['Describe', 'Read', 'Delete'])] : []),
    ...(part.sees === 'everything' ? [onGroup('sync-', 'prefix', ['Describe'])] : []),
  ];
}

const userOf = (app: AppName): KubernetesObject => ({
  apiVersion,
  kind: 'KafkaUser',
  metadata: { name: app, labels: clusterLabel },
  spec: {
    authentication: { type: 'scram-sha-512' },
    authorization: { type: 'simple', acls: rightsOf(app) },
  },
});

// The namespace refuses a container that could gain rights; what Strimzi makes by itself is only "baseline". Said for every container
// here, so that it does not depend on how the operator was installed.
const restricted = {
  securityContext: {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

const brokers: KubernetesObject = {
  apiVersion,
  kind: 'KafkaNodePool',
  metadata: { name: 'broker', labels: clusterLabel },
  spec: {
    replicas: 3,
    roles: ['controller', 'broker'],
    storage: {
      type: 'jbod',
      volumes: [{ id: 0, type: 'persistent-claim', size: '100Gi', deleteClaim: false, kraftMetadata: 'shared' }],
    },
    resources: { requests: { cpu: '500m', memory: '2Gi' }, limits: { memory: '2Gi' } },
    // The init container asks for the zone of the node.
    template: { kafkaContainer: restricted, initContainer: restricted },
  },
};

const cluster: KubernetesObject = {
  apiVersion,
  kind: 'Kafka',
  metadata: { name: names.kafkaCluster },
  spec: {
    kafka: {
      version: kafkaVersion,
      listeners: [
        {
          ...{ name: 'tls', port: 9093, type: 'internal', tls: true, authentication: { type: 'scram-sha-512' } },
          // Strimzi writes a policy of its own for its listeners, open to everybody unless told; policies add up.
          networkPolicyPeers: [
            {
              podSelector: {
                matchLabels: { 'app.kubernetes.io/part-of': 'qbo-sync', 'app.kubernetes.io/component': 'app' },
              },
            },
          ],
        },
      ],
      authorization: { type: 'simple' },
      rack: { topologyKey: 'topology.kubernetes.io/zone' },
      config: {
        'auto.create.topics.enable': false,
        'default.replication.factor': 3,
        'min.insync.replicas': 2,
        'offsets.topic.replication.factor': 3,
        'transaction.state.log.replication.factor': 3,
        'transaction.state.log.min.isr': 2,
        // Replays and members that were away for a weekend find their place again.
        'offsets.retention.minutes': 20_160,
      },
      // The brokers' own figures (monitoring.yaml). Groups and topics are told by control, under the names of Kafka's exporters: a
      // second source of the same names would double every sum.
      metricsConfig: { type: 'strimziMetricsReporter' },
    },
    entityOperator: {
      topicOperator: {},
      userOperator: {},
      template: { topicOperatorContainer: restricted, userOperatorContainer: restricted },
    },
  },
};

export function kafkaObjects(): { cluster: KubernetesObject[]; topics: KubernetesObject[]; users: KubernetesObject[] } {
  return { cluster: [cluster, brokers], topics: Object.values(topics).map(topic), users: appNames.map(userOf) };
}
