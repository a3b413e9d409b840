// One real Kafka node (KRaft, broker and controller in one) or three of them. Settings are the smallest that behave like
// production for clients: topics are made on purpose only, groups form at once, a killed node is back in two seconds.
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Child, Children } from './children.js';
import { clusterId } from './stream-runtime.js';
import type { ClassArchive, StreamRuntime } from './stream-runtime.js';

export interface KafkaNodeOptions {
  id: number;
  folder: string;
  port: number;
  /** node id -> controller port, of every node */
  controllers: ReadonlyMap<number, number>;
  /** one more listener, whose clients are told another port: a proxy's */
  between?: { port: number; advertisedPort: number };
}

/** A node that can be killed and started again on its data: what failover tests need. */
export class KafkaNode {
  private child: Child | undefined;
  private archive: ClassArchive | undefined;
  private ready = false;

  constructor(
    private readonly children: Children,
    private readonly runtime: StreamRuntime,
    readonly options: KafkaNodeOptions,
  ) {}

  get address(): string {
    return `127.0.0.1:${this.options.port}`;
  }

  get pid(): number | undefined {
    return this.child?.running ? this.child.pid : undefined;
  }

  async start(): Promise<void> {
    const { folder, id } = this.options;
    const data = join(folder, 'data');
    await mkdir(data, { recursive: true });
    if (!existsSync(join(data, 'meta.properties'))) {
      await copyFile(this.runtime.checkpointFile, join(data, 'bootstrap.checkpoint'));
      const directoryId = randomBytes(16).toString('base64url');
      await writeFile(
        join(data, 'meta.properties'),
        `version=1\nnode.id=${id}\ncluster.id=${clusterId}\ndirectory.id=${directoryId}\n`,
      );
    }
    const properties = join(folder, 'server.properties');
    await writeFile(properties, serverProperties(this.options, data));
    const archive = await this.runtime.archive('kafka');
    this.archive = archive;
    if (archive.partial) this.children.removeLater(archive.partial);
    let started: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (started = resolve));
    const child = await this.children.spawn({
      name: `kafka-${id}`,
      command: this.runtime.java,
      args: [
        ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', ...archive.flags],
        `-Dlog4j2.configurationFile=${this.runtime.log4jFile}`,
        ...['-cp', this.runtime.kafkaClassPath, 'kafka.Kafka', properties],
      ],
      logFile: join(folder, 'kafka.log'),
      killAfterMs: archive.stopWithinMs,
      onLine: (line) => line.includes('Kafka Server started') && started(),
    });
    this.child = child;
    await Promise.race([
      ready,
      child.exited.then((code) => {
        throw new Error(`Kafka node ${id} ended at its start (${code}):\n${child.tail()}`);
      }),
    ]);
    this.ready = true;
  }

  async stop(): Promise<void> {
    await this.child?.stop();
    if (this.ready && (await this.child?.exited) !== 'SIGKILL') await this.archive?.keep();
  }

  /** As a broken disk: everything it held is gone. Started again, it is an empty node. */
  async lose(): Promise<void> {
    await this.kill();
    await rm(join(this.options.folder, 'data'), { recursive: true, force: true });
  }

  /** As a power cut: SIGKILL. start() brings it back on the same data and port. */
  async kill(): Promise<void> {
    this.child?.signal('SIGKILL');
    await this.child?.exited;
  }
}

function serverProperties({ id, port, controllers, between }: KafkaNodeOptions, data: string): string {
  const listener = between ? `,BETWEEN://127.0.0.1:${between.port}` : '';
  const advertised = between ? `,BETWEEN://127.0.0.1:${between.advertisedPort}` : '';
  const copies = Math.min(3, controllers.size);
  const inSync = copies === 3 ? 2 : 1;
  const voters = [...controllers].map(([node, controllerPort]) => `${node}@127.0.0.1:${controllerPort}`).join(',');
  return `process.roles=broker,controller
node.id=${id}
controller.quorum.voters=${voters}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllers.get(id)}${listener}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}${advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BETWEEN:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=${data}
num.partitions=12
default.replication.factor=${copies}
min.insync.replicas=${inSync}
auto.create.topics.enable=false
offsets.topic.replication.factor=${copies}
offsets.topic.num.partitions=10
transaction.state.log.replication.factor=${copies}
transaction.state.log.min.isr=${inSync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=${copies}
share.coordinator.state.topic.min.isr=${inSync}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.io.buffer.size=131072
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=4
background.threads=2
`;
}
