// The arrows of docs/architecture.md as a cluster needs them: who reads and writes which topic, who calls QuickBooks, who is
// called from outside. Network policies, Kafka rights and deployments are written from here; architecture.spec.ts holds the
// topics to what the apps' code says.
import type { topics } from '#contracts';
import type { AppName } from '../../../dev/src/apps.js';

export type Topic = keyof typeof topics;

export interface Part {
  /** consumer group, as the code names it */
  readonly group?: string;
  readonly reads: readonly Topic[];
  readonly writes: readonly Topic[];
  /** may look at every group's and topic's position, for the status page */
  readonly sees?: 'everything';
  /** reads stretches of a topic again in groups of its own (libs/kafka topic reader) */
  readonly rereads?: boolean;
  /** read only so: no handler is bound to them */
  readonly compares?: readonly Topic[];
  readonly callsQuickBooks: boolean;
  /** called through the gateway */
  readonly calledFromOutside: boolean;
  /** processes to begin with; more than partitions would idle */
  readonly replicas: number;
  readonly memoryMi: number;
}

// Whoever runs an outbox relay sends what any of them wrote: results and audit events.
const relayed: readonly Topic[] = ['results', 'audit'];
const usual = { replicas: 2, memoryMi: 512 };

export const parts: Readonly<Record<AppName, Part>> = {
  control: { ...usual, reads: [], writes: relayed, sees: 'everything', callsQuickBooks: true, calledFromOutside: true },
  audit: {
    ...usual,
    group: 'sync-audit',
    reads: ['notifications', 'changes', 'writes', 'attachments', 'results', 'audit'],
    writes: ['deadLetters'],
    callsQuickBooks: false,
    calledFromOutside: true,
  },
  ingest: {
    ...usual,
    group: 'sync-ingest',
    reads: ['notifications'],
    writes: ['notifications', 'changes', 'deadLetters'],
    callsQuickBooks: true,
    calledFromOutside: true,
  },
  mapper: {
    ...usual,
    group: 'sync-mapper',
    reads: ['changes'],
    writes: ['writes', 'attachments', 'deadLetters'],
    rereads: true,
    callsQuickBooks: false,
    calledFromOutside: false,
  },
  'qbo-writer': {
    ...usual,
    group: 'sync-qbo-writer',
    reads: ['writes'],
    writes: [...relayed, 'deadLetters'],
    rereads: true,
    // its own results: what it must not have forgotten (apps/qbo-writer/src/recall)
    compares: ['results'],
    callsQuickBooks: true,
    calledFromOutside: false,
  },
  'attachment-worker': {
    ...usual,
    group: 'sync-attachment-worker',
    reads: ['attachments'],
    writes: [...relayed, 'deadLetters'],
    callsQuickBooks: true,
    calledFromOutside: false,
  },
};

/** Every topic that a part takes records out of. */
export const readBy = ({ reads, compares = [] }: Part): readonly Topic[] => [...reads, ...compares];

/** Names that several manifests must agree on. */
export const names = {
  kafkaCluster: 'sync',
  /** CloudNativePG makes this secret for a cluster of that name; for an external server an ExternalSecret does */
  postgresCluster: 'sync-postgres',
  postgresSecret: 'sync-postgres-app',
  registrySecret: 'sync-registry-database',
  monitoringNamespace: 'monitoring',
  /** whoever lets traffic in carries this label on its namespace */
  gatewayLabel: 'qbo-sync/gateway',
} as const;
