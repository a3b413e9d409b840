// Settings that more than one app has, as fragments to spread into an app's spec.
import { choice, choiceOrUrl, durationMs, flag, int, list, secret, text, url } from './setting.js';

export const kafkaSettings = {
  brokers: list('SYNC_KAFKA_BROKERS', {
    doc: 'Kafka bootstrap brokers.',
    unit: 'host:port, comma-separated',
    example: '127.0.0.1:9092',
    pattern: /^[^\s:]+:\d{1,5}$/,
    min: 1,
  }),
  // Off by default: a broker on the same machine or in a compose network asks for neither.
  kafkaTls: flag('SYNC_KAFKA_TLS', { doc: 'Whether brokers are reached over TLS; unset: no.', optional: true }),
  kafkaCaFile: text('SYNC_KAFKA_CA_FILE', {
    doc: "The authority that signed the brokers' certificates, when it is none of the well-known ones.",
    unit: 'PEM file',
    example: '/etc/kafka/ca.crt',
    optional: true,
  }),
  kafkaUser: text('SYNC_KAFKA_USER', {
    doc: 'Who this process is to the brokers (SCRAM-SHA-512); unset: nobody in particular.',
    example: 'qbo-writer',
    optional: true,
  }),
  kafkaPassword: secret('SYNC_KAFKA_PASSWORD', { doc: 'Password of SYNC_KAFKA_USER.', optional: true }),
  registryUrl: url('SYNC_REGISTRY_URL', {
    doc: 'Confluent-compatible schema registry.',
    example: 'http://127.0.0.1:8081/apis/ccompat/v7',
    protocols: ['http:', 'https:'],
  }),
  topicPrefix: text('SYNC_TOPIC_PREFIX', {
    doc: 'Put before every topic and consumer group, so that several installations share one Kafka.',
    default: '',
    example: 'staging.',
    pattern: /^[A-Za-z0-9._-]{0,60}$/,
  }),
};

export const databaseSettings = {
  databaseUrl: url('SYNC_DATABASE_URL', {
    doc: 'PostgreSQL.',
    example: 'postgres://sync:password@127.0.0.1:5432/sync',
    protocols: ['postgres:', 'postgresql:'],
  }),
  databaseSchema: text('SYNC_DATABASE_SCHEMA', {
    doc: 'Schema that holds the tables.',
    default: 'public',
    pattern: /^[a-z_][a-z0-9_]{0,62}$/,
  }),
  databasePool: int('SYNC_DATABASE_POOL', {
    doc: 'Connections this process may hold to PostgreSQL.',
    unit: 'connections',
    default: 8,
    min: 1,
    max: 200,
  }),
};

export const jobSettings = {
  jobLeaseMs: durationMs('SYNC_JOB_LEASE', {
    doc: 'How long a backfill or replay stays with a process that stopped renewing. After a crash it rests this long.',
    default: 30_000,
    min: 1000,
  }),
};

export const httpSettings = {
  httpHost: text('SYNC_HTTP_HOST', { doc: 'Address the HTTP server binds to.', default: '127.0.0.1' }),
  httpPort: int('SYNC_HTTP_PORT', {
    doc: 'Port of the HTTP server; 0 takes a free one and the line "ready" names it.',
    unit: 'port',
    default: 0,
    min: 0,
    max: 65_535,
    example: '8080',
  }),
};

export const logSettings = {
  logLevel: choice('SYNC_LOG_LEVEL', {
    doc: 'Least serious level that is written.',
    options: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
  }),
};

export const stopSettings = {
  // QBO may take 120 s to answer a write; a stop that cuts it off only makes an uncertain outcome, so wait for it.
  stopTimeoutMs: durationMs('SYNC_STOP_TIMEOUT', {
    doc: 'How long a stop waits for work in progress before it leaves anyway.',
    default: 150_000,
    min: 1000,
  }),
};

export const qboSettings = {
  qboEnvironment: choiceOrUrl('SYNC_QBO_ENVIRONMENT', {
    doc: "Which QuickBooks Online: Intuit's sandbox, production, or the address of an emulator.",
    unit: 'sandbox, production or an address',
    options: ['sandbox', 'production'],
    example: 'sandbox',
  }),
  qboClientId: text('SYNC_QBO_CLIENT_ID', { doc: "The Intuit app's client id.", example: 'ABc123' }),
  qboClientSecret: secret('SYNC_QBO_CLIENT_SECRET', { doc: "The Intuit app's client secret." }),
  qboWebhookVerifierToken: secret('SYNC_QBO_WEBHOOK_VERIFIER_TOKEN', {
    doc: "The Intuit app's webhook verifier token; signatures are checked with it.",
  }),
  tokenKey: secret('SYNC_TOKEN_KEY', {
    doc: 'Key that seals OAuth tokens in the database.',
    unit: 'base64, 32 bytes',
    base64Bytes: 32,
  }),
  tokenKeyPrevious: secret('SYNC_TOKEN_KEY_PREVIOUS', {
    doc: 'Key before SYNC_TOKEN_KEY, while it is being replaced: opens what it sealed, seals nothing.',
    unit: 'base64, 32 bytes',
    base64Bytes: 32,
    optional: true,
  }),
};
