// Is it a Kubernetes object at all: types and required fields by typed models from npm (kubernetes-models and its packages for
// KEDA, Prometheus and External Secrets), unknown fields of Kubernetes' own kinds by the attribute maps of the official client,
// Strimzi's and CloudNativePG's kinds by the shapes below: no package carries those, so they hold exactly the fields that we use.
// Compared with the operators' own definitions (crds.ts): Strimzi 1.2.0, CloudNativePG 1.30, KEDA 2.20, External Secrets 2.9,
// Prometheus operator 0.93.
import { Ajv } from 'ajv';
import type { KubernetesObject } from './object.js';
import { nameOf } from './object.js';

interface Model {
  new (data: object): { validate(): void };
}
interface Attribute {
  baseName: string;
  type: string;
}
interface AttributeMap {
  getAttributeTypeMap(): Attribute[];
}

const core = (path: string): Promise<Record<string, unknown>> => import(`kubernetes-models/${path}`);
const modelSources: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  v1: () => core('v1'),
  'apps/v1': () => core('apps/v1'),
  'batch/v1': () => core('batch/v1'),
  'policy/v1': () => core('policy/v1'),
  'networking.k8s.io/v1': () => core('networking.k8s.io/v1'),
  'scheduling.k8s.io/v1': () => core('scheduling.k8s.io/v1'),
  'keda.sh/v1alpha1': () => import('@kubernetes-models/keda/keda.sh/v1alpha1'),
  'monitoring.coreos.com/v1': () => import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'),
  'external-secrets.io/v1': () => import('@kubernetes-models/external-secrets/external-secrets.io/v1'),
};

const text = { type: 'string' };
const whole = { type: 'integer', minimum: 0 };
const yes = { type: 'boolean' };
const map = { type: 'object' };
const list = (items: object) => ({ type: 'array', items, minItems: 1 });
const shape = (properties: Record<string, object>, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const resources = shape({ requests: map, limits: map });
const secured = shape({ securityContext: map });

const shapes: Readonly<Record<string, object>> = {
  'kafka.strimzi.io/v1 Kafka': shape({
    kafka: shape(
      {
        version: text,
        listeners: list(
          shape({
            name: { type: 'string', pattern: '^[a-z0-9]{1,11}$' },
            port: { type: 'integer', minimum: 9092 },
            type: { enum: ['internal', 'cluster-ip', 'loadbalancer', 'nodeport', 'ingress', 'route'] },
            tls: yes,
            authentication: shape({ type: { enum: ['tls', 'scram-sha-512', 'custom'] } }),
            networkPolicyPeers: list(shape({ podSelector: map, namespaceSelector: map, ipBlock: map }, [])),
          }),
        ),
        authorization: shape({ type: { enum: ['simple', 'custom'] } }),
        rack: shape({ topologyKey: text }),
        config: map,
        metricsConfig: shape({ type: { enum: ['strimziMetricsReporter', 'jmxPrometheusExporter'] } }),
      },
      ['version', 'listeners', 'authorization', 'config', 'metricsConfig'],
    ),
    entityOperator: shape({
      topicOperator: map,
      userOperator: map,
      template: shape({ topicOperatorContainer: secured, userOperatorContainer: secured }),
    }),
  }),
  'kafka.strimzi.io/v1 KafkaNodePool': shape({
    replicas: whole,
    roles: list({ enum: ['controller', 'broker'] }),
    storage: shape({
      type: { const: 'jbod' },
      volumes: list(
        shape({
          id: whole,
          type: { enum: ['persistent-claim', 'ephemeral'] },
          size: text,
          deleteClaim: yes,
          kraftMetadata: { const: 'shared' },
        }),
      ),
    }),
    resources,
    template: shape({ kafkaContainer: secured, initContainer: secured }),
  }),
  'kafka.strimzi.io/v1 KafkaTopic': shape({
    topicName: text,
    partitions: { type: 'integer', minimum: 1 },
    config: map,
  }),
  'kafka.strimzi.io/v1 KafkaUser': shape({
    authentication: shape({ type: { enum: ['scram-sha-512', 'tls', 'tls-external'] } }),
    authorization: shape({
      type: { const: 'simple' },
      acls: list(
        shape({
          resource: shape({
            type: { enum: ['topic', 'group', 'cluster', 'transactionalId'] },
            name: text,
            patternType: { enum: ['literal', 'prefix'] },
          }),
          operations: list({
            enum: [
              ...['Read', 'Write', 'Create', 'Delete', 'Alter', 'Describe', 'All'],
              ...['ClusterAction', 'AlterConfigs', 'DescribeConfigs', 'IdempotentWrite'],
            ],
          }),
        }),
      ),
    }),
  }),
  'postgresql.cnpg.io/v1 Cluster': shape({
    instances: { type: 'integer', minimum: 1 },
    bootstrap: shape({ initdb: shape({ database: text, owner: text, postInitSQL: list(text) }) }),
    managed: shape({
      roles: list(
        shape({
          name: text,
          ensure: { enum: ['present', 'absent'] },
          login: yes,
          passwordSecret: shape({ name: text }),
        }),
      ),
    }),
    postgresql: shape({ parameters: { type: 'object', additionalProperties: text } }),
    storage: shape({ size: text }),
    resources,
  }),
};

const ajv = new Ajv({ allErrors: true });
const judges = new Map(Object.entries(shapes).map(([kind, schema]) => [kind, ajv.compile(schema)]));

/** What is wrong with the object's form, one line each. */
export async function complaintsAbout(object: KubernetesObject): Promise<string[]> {
  const kind = `${object.apiVersion} ${object.kind}`;
  const judge = judges.get(kind);
  if (judge) {
    judge(object['spec']);
    return (judge.errors ?? []).map(({ instancePath, message }) => `${nameOf(object)}: spec${instancePath} ${message}`);
  }
  const source = modelSources[object.apiVersion];
  if (!source) return [`${nameOf(object)}: nobody here knows ${object.apiVersion}`];
  const model = (await source())[object.kind] as Model | undefined;
  if (!model) return [`${nameOf(object)}: ${object.apiVersion} has no ${object.kind}`];
  try {
    new model(object).validate();
  } catch (error) {
    return [`${nameOf(object)}: ${(error as Error).message}`];
  }
  return unknownFields(object);
}

async function unknownFields(object: KubernetesObject): Promise<string[]> {
  const maps = (await import('@kubernetes/client-node')) as unknown as Record<string, AttributeMap | undefined>;
  const found: string[] = [];
  const walk = (value: unknown, type: string, path: string): void => {
    const items = /^Array<(.+)>$/.exec(type)?.[1];
    if (items && Array.isArray(value)) return value.forEach((each, i) => walk(each, items, `${path}[${i}]`));
    const attributes = maps[type]?.getAttributeTypeMap?.();
    if (!attributes || typeof value !== 'object' || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      const attribute = attributes.find(({ baseName }) => baseName === key);
      if (attribute) walk(part, attribute.type, `${path}.${key}`);
      else found.push(`${nameOf(object)}: ${path}.${key} is no field of ${type}`);
    }
  };
  walk(object, `V1${object.kind}`, '');
  return found;
}
