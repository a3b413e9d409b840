// Apache Kafka and the Apicurio registry, fetched once from Maven Central into a cache folder by the ordinary Maven
// client. A folder that is there is complete: it is filled beside its place and then renamed. The JVM's class-data
// archives are written by the first instance when it stops; they bring Kafka's start from 2.0 s to 0.8 s.
import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SetupError } from './data-folder.js';

const run = promisify(execFile);

export const kafkaVersion = '4.3.1';
export const apicurioVersion = '3.0.9';
const ownServices =
  'or set SYNC_KAFKA_BROKERS, SYNC_REGISTRY_URL and SYNC_DATABASE_URL to use services that already run.';

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local.dev</groupId><artifactId>stream-runtime</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
  <build><defaultGoal>generate-resources</defaultGoal><plugins><plugin>
    <!-- 2.10 on purpose: later versions resolve the registry's parent POM, which Central does not have -->
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>2.10</version>
    <executions>
      <execution><id>kafka</id><phase>generate-resources</phase><goals><goal>copy-dependencies</goal></goals>
        <configuration><outputDirectory>\${runtime.dir}/kafka</outputDirectory><includeScope>runtime</includeScope></configuration></execution>
      <execution><id>registry</id><phase>generate-resources</phase><goals><goal>unpack</goal></goals>
        <configuration><outputDirectory>\${runtime.dir}/registry</outputDirectory><artifactItems><artifactItem>
          <groupId>io.apicurio</groupId><artifactId>apicurio-registry-app</artifactId><version>${apicurioVersion}</version><type>tar.gz</type><classifier>all</classifier>
        </artifactItem></artifactItems></configuration></execution>
    </executions></plugin></plugins></build></project>
`;

const log4j = `<Configuration status="error">
  <Appenders><Console name="out"><PatternLayout pattern="%d{ISO8601} %p %c{1} %m%n"/></Console></Appenders>
  <Loggers>
    <Logger name="kafka.server.KafkaRaftServer" level="info"/>
    <Root level="error"><AppenderRef ref="out"/></Root>
  </Loggers>
</Configuration>
`;

export interface StreamRuntime {
  java: string;
  kafkaClassPath: string;
  log4jFile: string;
  registryJar: string;
  /** a Kafka log folder's bootstrap.checkpoint, made once by StorageTool */
  checkpointFile: string;
  archive(name: 'kafka' | 'registry'): Promise<ClassArchive>;
}

/** Flags for a JVM that uses the archive, or writes it when it stops. */
export interface ClassArchive {
  flags: string[];
  /** what is removed when the JVM never came so far as to write it whole */
  partial?: string;
  /** how long the JVM may take to stop: writing the archive is part of it */
  stopWithinMs: number;
  /** called after an orderly stop of a JVM that had become ready: only such an archive holds all classes */
  keep(): Promise<void>;
}

export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.SYNC_CACHE_DIR ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'qbo-sync');
}

/** @throws SetupError with one sentence that says what to install or allow */
export async function prepareStreamRuntime(say: (text: string) => void): Promise<StreamRuntime> {
  const { java, version } = await findJava();
  const cache = cacheFolder();
  const place = join(cache, `stream-kafka-${kafkaVersion}-apicurio-${apicurioVersion}`);
  if (!(await exists(place))) await fetchInto(place, cache, say);

  const kafkaFolder = join(place, 'kafka');
  const jars = (await readdir(kafkaFolder)).filter((name) => name.endsWith('.jar')).sort();
  const kafkaClassPath = jars.map((jar) => join(kafkaFolder, jar)).join(':');
  const log4jFile = join(place, 'log4j2.xml');
  const checkpointFile = join(place, 'bootstrap.checkpoint');
  if (!(await exists(checkpointFile))) await makeCheckpoint(java, kafkaClassPath, log4jFile, place, checkpointFile);
  return {
    java,
    kafkaClassPath,
    log4jFile,
    registryJar: join(place, 'registry', `apicurio-registry-app-${apicurioVersion}-runner.jar`),
    checkpointFile,
    archive: (name) => classArchive(join(place, `${name}-java-${version}.jsa`)),
  };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function findJava(): Promise<{ java: string; version: string }> {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
  const install = `install Java 17 or newer and Maven (Debian and Ubuntu: apt-get install -y openjdk-17-jre-headless maven), ${ownServices}`;
  let said: string;
  try {
    said = (await run(java, ['-version'])).stderr;
  } catch (error) {
    throw new SetupError(`The embedded Kafka needs Java, and "${java}" does not run: ${install}`, { cause: error });
  }
  const version = /version "([^"]+)"/.exec(said)?.[1] ?? 'unknown';
  if (Number(version.split('.')[0]) < 17) {
    throw new SetupError(`The embedded Kafka needs Java 17 or newer and found ${version}: ${install}`);
  }
  return { java, version };
}

async function fetchInto(place: string, cache: string, say: (text: string) => void): Promise<void> {
  const partial = join(cache, `partial-${process.pid}`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await writeFile(join(partial, 'pom.xml'), pom);
    await writeFile(join(partial, 'log4j2.xml'), log4j);
    say(`fetching Kafka ${kafkaVersion} and Apicurio ${apicurioVersion} with Maven (once, about 160 MB)`);
    await maven(['-q', '-B', '-f', join(partial, 'pom.xml'), `-Druntime.dir=${partial}`]);
    // Whoever comes second finds the place taken; both copies are the same.
    await rename(partial, place).catch(async (error: unknown) => {
      if (!(await exists(place))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function maven(args: string[]): Promise<void> {
  try {
    await run('mvn', args, { timeout: 10 * 60_000, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const failure = error as NodeJS.ErrnoException & { stdout?: string; stderr?: string };
    if (failure.code === 'ENOENT') {
      throw new SetupError(
        `The embedded Kafka is fetched with Maven, and "mvn" is not installed: install it (Debian and Ubuntu: apt-get install -y maven), ${ownServices}`,
        { cause: error },
      );
    }
    const said = `${failure.stdout ?? ''}${failure.stderr ?? ''}`;
    const first = /\[ERROR\] (.*)/.exec(said)?.[1] ?? failure.message;
    const what = /could not be resolved|[Tt]ransfer failed|Could not transfer/.test(said)
      ? 'Maven cannot reach its repository and its own cache does not hold Kafka yet: allow it network once'
      : 'Maven could not fetch Kafka: see the reason below';
    throw new SetupError(`${what}, ${ownServices} (${first})`, { cause: error });
  }
}

// Formatting costs 0.9 s of JVM; the checkpoint it writes is the same for every single node, so it is kept.
async function makeCheckpoint(
  java: string,
  classPath: string,
  log4jFile: string,
  place: string,
  file: string,
): Promise<void> {
  const scratch = join(place, `format-${process.pid}`);
  await mkdir(scratch, { recursive: true });
  const properties = join(scratch, 'server.properties');
  await writeFile(
    properties,
    [
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.voters=1@127.0.0.1:9093',
      'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      `log.dirs=${join(scratch, 'data')}`,
    ].join('\n'),
  );
  const jvm = ['-XX:TieredStopAtLevel=1', `-Dlog4j2.configurationFile=${log4jFile}`, '-cp', classPath];
  await run(java, [...jvm, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties]);
  await rename(join(scratch, 'data', 'bootstrap.checkpoint'), file);
  await rm(scratch, { recursive: true, force: true });
}

/** 16 bytes in base64url, as Kafka wants; one for all instances, since none of them ever meets another. */
export const clusterId = 'cWJvLXN5bmMtZGV2LTAwMQ';

async function classArchive(file: string): Promise<ClassArchive> {
  if (await exists(file)) {
    return { flags: [`-XX:SharedArchiveFile=${file}`], stopWithinMs: 10_000, keep: async () => undefined };
  }
  const partial = `${file}.${process.pid}`;
  return {
    flags: [`-XX:ArchiveClassesAtExit=${partial}`],
    partial,
    stopWithinMs: 60_000,
    keep: () => rename(partial, file).catch(() => undefined), // not written after all: the next instance will
  };
}
