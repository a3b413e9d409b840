// `npm run k8s:rights`: a real broker that checks rights, six users with exactly the access lists of the KafkaUser manifests, the
// six apps started as those users until each is ready (group joined, catalogue compared), then every app's every write, tried
// on every topic: what the architecture has must pass, everything else must be refused. Registry and PostgreSQL as in the tests.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import type { AclEntry } from 'kafkajs';
import { topics } from '#contracts';
import { KafkaClient } from '#kafka';
import { appNames } from '../../../dev/src/apps.js';
import type { AppName } from '../../../dev/src/apps.js';
import { freePort, startInfrastructure } from '../../../dev/src/infrastructure.js';
import type { Child, Infrastructure } from '../../../dev/src/infrastructure.js';
import { clusterId, prepareStreamRuntime } from '../../../dev/src/stream-runtime.js';
import { settings } from '../images/rehearsal.js';
import { parts } from './architecture.js';
import { rightsOf } from './kafka.js';

// kafkajs offers its enumerations to CommonJS only.
const { Kafka, AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes, logLevel } = kafkajs;
const operation = (name: string): number =>
  AclOperationTypes[name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() as 'READ'];
const readyTimeoutMs = 240_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const passwords = new Map(appNames.map((app) => [app, randomBytes(12).toString('hex')]));

interface Broker {
  inside: string;
  asUsers: string;
}

async function startBroker(infrastructure: Infrastructure, folder: string): Promise<Broker> {
  const runtime = await prepareStreamRuntime(say);
  const [inside, asUsers, controller] = [await freePort(), await freePort(), await freePort()];
  const data = join(folder, 'data');
  await mkdir(data);
  const properties = join(folder, 'server.properties');
  await writeFile(
    properties,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=INSIDE://127.0.0.1:${inside},USERS://127.0.0.1:${asUsers},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=INSIDE://127.0.0.1:${inside},USERS://127.0.0.1:${asUsers}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
listener.security.protocol.map=INSIDE:PLAINTEXT,USERS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.users.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
log.dirs=${data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
`,
  );
  const jvm = [
    '-Xmx384m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${runtime.log4jFile}`,
  ];
  const users = appNames.flatMap((app) => ['-S', `SCRAM-SHA-512=[name=${app},password=${passwords.get(app)!}]`]);
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties, ...users];
  await promisify(execFile)(runtime.java, [...jvm, '-cp', runtime.kafkaClassPath, ...format]);
  let started: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (started = resolve));
  const child = await infrastructure.children.spawn({
    name: 'kafka-with-rights',
    command: runtime.java,
    args: [...jvm, '-cp', runtime.kafkaClassPath, 'kafka.Kafka', properties],
    onLine: (line) => line.includes('Kafka Server started') && started(),
  });
  await Promise.race([
    ready,
    child.exited.then((code) => Promise.reject(new Error(`the broker ended (${code}):\n${child.tail()}`))),
  ]);
  return { inside: `127.0.0.1:${inside}`, asUsers: `127.0.0.1:${asUsers}` };
}

/** What Strimzi's operators would do: topics of the catalogue, access lists of the users. */
async function prepare(brokers: string): Promise<number> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: Object.values(topics).map(({ name, partitions, config }) => ({
      topic: name,
      numPartitions: partitions,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    })),
  });
  const acl: AclEntry[] = appNames.flatMap((app) =>
    rightsOf(app).flatMap(({ resource, operations }) =>
      operations.map((name) => ({
        resourceType: resource.type === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
        resourceName: resource.name,
        resourcePatternType:
          resource.patternType === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
        principal: `User:${app}`,
        host: '*',
        operation: operation(name),
        permissionType: AclPermissionTypes.ALLOW,
      })),
    ),
  );
  await admin.createAcls({ acl });
  await admin.disconnect();
  return acl.length;
}

async function untilReady(app: AppName, child: Child, port: number): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  let last = 'no answer';
  while (performance.now() < deadline) {
    if (!child.running) throw new Error(`${app} ended (${await child.exited}):\n${child.tail()}`);
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(3000) });
      last = await answer.text();
      if (answer.ok) return;
    } catch {
      // Not listening yet.
    }
    await sleep(250);
  }
  throw new Error(`${app} was not ready: ${last}\n${child.tail()}`);
}

async function mayWrite(brokers: string, app: AppName, topic: string): Promise<boolean> {
  const sasl = { mechanism: 'scram-sha-512' as const, username: app, password: passwords.get(app)! };
  const producer = new Kafka({ brokers: [brokers], sasl, logLevel: logLevel.NOTHING, retry: { retries: 1 } }).producer({
    idempotent: true,
    retry: { retries: 1 },
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages: [{ key: 'rights', value: '{}' }] });
    return true;
  } catch (error) {
    if (/not authorized/i.test((error as Error).message)) return false;
    throw error;
  } finally {
    await producer.disconnect();
  }
}

/** What only one app does with Kafka, through the library that it uses. */
async function special(brokers: string, registryUrl: string): Promise<void> {
  const as = (app: AppName): Promise<KafkaClient> =>
    KafkaClient.connect({
      brokers: [brokers],
      registryUrl,
      topicPrefix: '',
      clientId: app,
      kafkaUser: app,
      kafkaPassword: passwords.get(app)!,
    });
  const mapper = await as('mapper');
  await mapper.reader.read(topics.changes.name, {}, async () => undefined);
  await mapper.close();
  const control = await as('control');
  await control.lag.lag(Object.values(parts).flatMap(({ group }) => group ?? []));
  await control.close();
}

const infrastructure = await startInfrastructure({ say });
const folder = await mkdtemp(join(tmpdir(), 'rights-'));
let failed = 0;
try {
  const broker = await startBroker(infrastructure, folder);
  const entries = await prepare(broker.inside);
  say(`broker with rights: ${entries} entries for ${appNames.length} users`);
  const corner = `rights_${randomBytes(4).toString('hex')}`;
  const running: Child[] = [];
  for (const app of appNames) {
    const port = await freePort();
    const child = await infrastructure.children.spawn({
      name: app,
      command: process.execPath,
      args: [`dist/apps/${app}/src/main.js`],
      env: {
        ...process.env,
        ...settings({ port, addresses: { ...infrastructure.addresses }, corner }),
        // The access lists name the topics as they are in production.
        SYNC_TOPIC_PREFIX: '',
        SYNC_KAFKA_BROKERS: broker.asUsers,
        SYNC_KAFKA_USER: app,
        SYNC_KAFKA_PASSWORD: passwords.get(app)!,
      },
    });
    running.push(child);
    await untilReady(app, child, port);
    say(`${app}: ready as a user of its own`);
  }
  await special(broker.asUsers, infrastructure.addresses.SYNC_REGISTRY_URL);
  say('mapper reads changes again, control sees every group: allowed');
  await Promise.all(running.map((child) => child.stop()));
  let allowed = 0;
  let refused = 0;
  for (const app of appNames) {
    for (const [key, { name }] of Object.entries(topics)) {
      const wanted = parts[app].writes.includes(key as keyof typeof topics);
      const can = await mayWrite(broker.asUsers, app, name);
      if (can !== wanted) say(`${app} ${can ? 'may write' : 'may not write'} ${name}`);
      if (can !== wanted) failed += 1;
      else if (can) allowed += 1;
      else refused += 1;
    }
  }
  say(`rights: ${appNames.length} apps ready, ${allowed} writes allowed, ${refused} refused, ${failed} wrong`);
} catch (error) {
  failed += 1;
  process.stderr.write(`${(error as Error).message}\n`);
} finally {
  await infrastructure.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
