// The alternative provider: the same three services in containers by testcontainers, for machines with a container
// engine. Needs nothing but the engine; Java and Maven are inside the images.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { GenericContainer, Wait } from 'testcontainers';
import type { TestInfrastructure } from './infrastructure.js';

const images = {
  kafka: 'apache/kafka:4.3.1',
  registry: 'apicurio/apicurio-registry:3.0.9',
  postgres: 'postgres:18.4',
};

export async function startContainers(): Promise<TestInfrastructure> {
  // Kafka tells clients its own address, so its port on the host must be known before it starts.
  const kafkaPort = await freePort();
  const kafka = new GenericContainer(images.kafka)
    .withExposedPorts({ container: 9092, host: kafkaPort })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${kafkaPort}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '500',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/));
  const registry = new GenericContainer(images.registry)
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forHttp('/apis/ccompat/v7/subjects', 8080));
  const postgres = new GenericContainer(images.postgres)
    .withExposedPorts(5432)
    .withEnvironment({ POSTGRES_USER: 'sync', POSTGRES_PASSWORD: 'sync', POSTGRES_DB: 'sync' })
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'max_connections=300'])
    // Said twice: once by the server that only runs the init scripts.
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2));

  const [startedKafka, startedRegistry, startedPostgres] = await Promise.all([
    kafka.start(),
    registry.start(),
    postgres.start(),
  ]);
  const registryAt = `${startedRegistry.getHost()}:${startedRegistry.getMappedPort(8080)}`;
  const postgresAt = `${startedPostgres.getHost()}:${startedPostgres.getMappedPort(5432)}`;
  return {
    addresses: {
      SYNC_KAFKA_BROKERS: `127.0.0.1:${kafkaPort}`,
      SYNC_REGISTRY_URL: `http://${registryAt}/apis/ccompat/v7`,
      SYNC_DATABASE_URL: `postgres://sync:sync@${postgresAt}/sync`,
    },
    stop: async () => {
      await Promise.all([startedKafka.stop(), startedRegistry.stop(), startedPostgres.stop()]);
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
