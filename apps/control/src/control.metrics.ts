// The installation as a whole, from PostgreSQL and Kafka, asked when the metrics are read. Every process of control says the
// same: boards and alerts take the maximum. Classes and the first few by rank, never a realm or a record as a label.
import { gauge } from '#common/metrics';

// Kafka groups and topics under the names that exporters made usual (danielqsj/kafka_exporter), so that common boards fit.
export const groupLag = gauge({
  name: 'kafka_consumergroup_lag',
  help: 'Records a group has not taken yet, by partition.',
  labelNames: ['consumergroup', 'topic', 'partition'] as const,
});
export const groupOffset = gauge({
  name: 'kafka_consumergroup_current_offset',
  help: 'Offset at which a group goes on, by partition.',
  labelNames: ['consumergroup', 'topic', 'partition'] as const,
});
export const groupLagSum = gauge({
  name: 'kafka_consumergroup_lag_sum',
  help: 'Records a group has not taken yet, over all partitions of a topic.',
  labelNames: ['consumergroup', 'topic'] as const,
});
export const topicOffset = gauge({
  name: 'kafka_topic_partition_current_offset',
  help: 'End of the log, by partition.',
  labelNames: ['topic', 'partition'] as const,
});
export const deadLetters = gauge({
  name: 'sync_dead_letters',
  help: 'Records in dead.letters.v1 that retention has not removed.',
});

/** class: equal | on_the_way | excluded | differs (QuickBooks answered otherwise and it is known why) | unexplained | held | failed | uncertain */
export const reconciled = gauge({
  name: 'sync_reconciliation_records',
  help: 'Records by how their copy stands to the source.',
  labelNames: ['class'] as const,
});
/** family: the first part of the code; QBO for codes of QuickBooks */
export const held = gauge({
  name: 'sync_held_records',
  help: 'Records that wait for a person, or for what they are held by, by family of reason.',
  labelNames: ['family'] as const,
});
export const uncertainAge = gauge({
  name: 'sync_uncertain_age_seconds',
  help: 'Age of the oldest write of which it is not known whether it was done.',
});
export const outboxRecords = gauge({
  name: 'sync_outbox_records',
  help: 'Announcements not in Kafka yet; refused: those Kafka would not take.',
  labelNames: ['state'] as const,
});
export const outboxAge = gauge({
  name: 'sync_outbox_age_seconds',
  help: 'Age of the oldest announcement that waits.',
});
/** status: connected | reconnect_needed | disconnected */
export const companies = gauge({
  name: 'sync_companies',
  help: 'Companies by the state of their connection.',
  labelNames: ['status'] as const,
});
export const tokenExpiry = gauge({
  name: 'sync_token_expiry_seconds',
  help: 'Time until the first refresh token of a connected company ends for good.',
});
export const tokenKeyAge = gauge({
  name: 'sync_token_key_age_seconds',
  help: 'Since when the oldest key that still seals a grant has been in use.',
});
export const captureAge = gauge({
  name: 'sync_capture_age_seconds',
  help: 'How far back the source least looked at of late is known completely; active syncs only.',
});
export const captureFailing = gauge({
  name: 'sync_capture_failing',
  help: 'Source companies whose last look failed.',
});
/** rank: 1 is the company that uses most */
export const quotaUse = gauge({
  name: 'sync_quota_utilisation_ratio',
  help: "Share of the minute's 500 calls in use, of the five companies that use most.",
  labelNames: ['rank'] as const,
});
export const quotaFrozen = gauge({
  name: 'sync_quota_frozen_companies',
  help: 'Companies to which nothing is sent for a while after a 429 or a restored database.',
});
/** purpose: capture | writer | attachments */
export const handovers = gauge({
  name: 'sync_lease_handovers',
  help: 'How often the right to act for a company went to a new holder, since the beginning.',
  labelNames: ['purpose'] as const,
});
export const databaseConnections = gauge({
  name: 'sync_database_connections_ratio',
  help: 'Connections of PostgreSQL in use, of those it allows.',
});
export const databaseBytes = gauge({ name: 'sync_database_bytes', help: 'Size of the database.' });
/** kind: backfill | replay; state: queued | running | done | failed | cancelled */
export const jobs = gauge({
  name: 'sync_jobs',
  help: 'Jobs of the last seven days and all unfinished ones.',
  labelNames: ['kind', 'state'] as const,
});
export const jobRecords = gauge({
  name: 'sync_job_records',
  help: 'Records that jobs of the last seven days have read so far.',
  labelNames: ['kind'] as const,
});
export const brokenChains = gauge({
  name: 'sync_audit_chain_broken',
  help: 'Organizations whose audit chain does not hold.',
});
