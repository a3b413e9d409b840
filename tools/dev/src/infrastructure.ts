// Kafka, a schema registry and PostgreSQL for the demo, development and tests: embedded as child processes, except what
// the environment already names (SYNC_KAFKA_BROKERS, SYNC_REGISTRY_URL, SYNC_DATABASE_URL). Several instances run side by
// side; one instance holds one data folder, and starts again on its old data at its old ports.
import { readFile, writeFile } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Children } from './children.js';
import { openDataFolder } from './data-folder.js';
import type { DataFolder } from './data-folder.js';
import { KafkaNode } from './kafka.js';
import { freePort } from './ports.js';
import { Postgres } from './postgres.js';
import { Registry } from './registry.js';
import { prepareStreamRuntime } from './stream-runtime.js';

export { SetupError } from './data-folder.js';
export { Children } from './children.js';
export type { Child } from './children.js';
export { freePort } from './ports.js';

export interface Addresses {
  SYNC_KAFKA_BROKERS: string;
  SYNC_REGISTRY_URL: string;
  SYNC_DATABASE_URL: string;
}

export interface InfrastructureOptions {
  /** kept after the stop and used again; without it a temporary folder */
  data?: string;
  /** three for failover tests */
  nodes?: 1 | 3;
  /**
   * Clients of Kafka get there through something in between: asked once per broker with the port of a listener of its own, and
   * answers the port that this listener tells its clients. Tools keep to the plain listener.
   */
  between?: (broker: number, port: number) => Promise<number>;
  /** flush to disk as in production; default: only with `data` */
  durable?: boolean;
  env?: NodeJS.ProcessEnv;
  say?: (text: string) => void;
}

export interface Infrastructure {
  readonly addresses: Addresses;
  /** variables that came from the environment: not ours to stop */
  readonly given: readonly (keyof Addresses)[];
  readonly folder: string | undefined;
  readonly kafka: readonly KafkaNode[];
  readonly postgres: Postgres | undefined;
  readonly registry: Registry | undefined;
  /** for the caller's own processes: they are stopped with the infrastructure and die with this process */
  readonly children: Children;
  stop(): Promise<void>;
}

const names = ['SYNC_KAFKA_BROKERS', 'SYNC_REGISTRY_URL', 'SYNC_DATABASE_URL'] as const;

/** @throws SetupError with one sentence for a person */
export async function startInfrastructure(o: InfrastructureOptions = {}): Promise<Infrastructure> {
  const env = o.env ?? process.env;
  const say = o.say ?? (() => undefined);
  const given = names.filter((name) => env[name]);
  const children = new Children();
  if (given.length === names.length) {
    const addresses = Object.fromEntries(names.map((name) => [name, env[name]!])) as unknown as Addresses;
    const nothing = { folder: undefined, kafka: [], postgres: undefined, registry: undefined };
    return { ...nothing, addresses, given, children, stop: () => children.stop() };
  }

  const missing = (name: keyof Addresses) => !given.includes(name);
  const needStream = missing('SYNC_KAFKA_BROKERS') || missing('SYNC_REGISTRY_URL');
  const needPostgres = missing('SYNC_DATABASE_URL') || missing('SYNC_REGISTRY_URL');
  const folder = await openDataFolder(o.data);
  const kafka: KafkaNode[] = [];
  let postgres: Postgres | undefined;
  let registry: Registry | undefined;

  const stop = async () => {
    // In parallel, except that the registry lets go of its database first.
    await Promise.all([
      ...kafka.map((node) => node.stop()),
      (registry?.stop() ?? Promise.resolve()).then(() => postgres?.stop()),
    ]);
    await children.stop();
    await folder.release();
  };

  try {
    children.watch();
    if (folder.temporary) children.removeLater(folder.path);
    await folder.noteGuard(children.guardPid!);
    const runtime = needStream ? await prepareStreamRuntime(say) : undefined;
    const ports = await rememberedPorts(folder);

    const startKafka = async () => {
      if (!missing('SYNC_KAFKA_BROKERS')) return;
      const ids = Array.from({ length: o.nodes ?? 1 }, (_, i) => i + 1);
      const controllers = new Map<number, number>();
      for (const id of ids) controllers.set(id, await ports.take(`controller-${id}`));
      for (const id of ids) {
        const own = {
          id,
          folder: join(folder.path, `kafka-${id}`),
          port: await ports.take(`kafka-${id}`),
          controllers,
          ...(o.between && { between: await listenerBehind(o.between, id) }),
        };
        kafka.push(new KafkaNode(children, runtime!, own));
      }
      // The quorum forms only when a majority runs, so no node waits for another here.
      await Promise.all(kafka.map((node) => node.start()));
    };
    const startDatabase = async () => {
      if (!needPostgres) return;
      postgres = new Postgres(children, {
        folder: join(folder.path, 'postgresql'),
        port: await ports.take('postgresql'),
        databases: ['sync', 'registry'],
        durable: o.durable ?? !folder.temporary,
      });
      await postgres.start();
      if (!missing('SYNC_REGISTRY_URL')) return;
      const port = await ports.take('registry');
      const registryOptions = {
        port,
        databaseUrl: postgres.url('registry'),
        logFile: join(folder.path, 'registry.log'),
      };
      registry = new Registry(children, runtime!, registryOptions);
      await registry.start();
    };
    // Every start ends before a failure is acted on: a child that comes up after the stop would be nobody's.
    const failure = (await Promise.allSettled([startKafka(), startDatabase()])).find((r) => r.status === 'rejected');
    if (failure) throw failure.reason;
    await ports.save();
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }

  const addresses: Addresses = {
    SYNC_KAFKA_BROKERS: env.SYNC_KAFKA_BROKERS || kafka.map((node) => node.address).join(','),
    SYNC_REGISTRY_URL: env.SYNC_REGISTRY_URL || registry!.url,
    SYNC_DATABASE_URL: env.SYNC_DATABASE_URL || postgres!.url('sync'),
  };
  let stopped: Promise<void> | undefined;
  const once = () => (stopped ??= stop());
  return { addresses, given, folder: folder.path, kafka, postgres, registry, children, stop: once };
}

async function listenerBehind(between: NonNullable<InfrastructureOptions['between']>, broker: number) {
  const port = await freePort();
  return { port, advertisedPort: await between(broker, port) };
}

/** Ports of the last run are asked for again, so that a client's settings outlive a restart. */
async function rememberedPorts(folder: DataFolder) {
  await mkdir(folder.path, { recursive: true });
  const file = join(folder.path, 'ports.json');
  const ports: Record<string, number> = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, number>,
    () => ({}),
  );
  return {
    take: async (name: string) => (ports[name] = await freePort(ports[name])),
    save: () => writeFile(file, JSON.stringify(ports)),
  };
}
