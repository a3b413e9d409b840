// Metric names of this library; topics and groups are closed label sets (catalogue and apps).
import { counter, gauge, histogram } from '#common/metrics';

export const recordsTotal = counter({
  name: 'sync_kafka_records_total',
  help: 'Records handled, by what became of them.',
  labelNames: ['group', 'topic', 'outcome'],
});
export const batchSeconds = histogram({
  name: 'sync_kafka_batch_seconds',
  help: 'From batch in hand to its commit.',
  labelNames: ['group', 'topic'],
});
export const batchRetriesTotal = counter({
  name: 'sync_kafka_batch_retries_total',
  help: 'Batches given to their handler again because it threw.',
  labelNames: ['group', 'topic'],
});
export const rebalancesTotal = counter({
  name: 'sync_kafka_rebalances_total',
  help: 'Assignments received.',
  labelNames: ['group'],
});
export const consumerRebuildsTotal = counter({
  name: 'sync_kafka_consumer_rebuilds_total',
  help: 'Consumers that broke and were built anew.',
  labelNames: ['group'],
});
export const assignedPartitions = gauge({
  name: 'sync_kafka_assigned_partitions',
  help: 'Partitions this process reads.',
  labelNames: ['group'],
});
export const publishedTotal = counter({
  name: 'sync_kafka_published_total',
  help: 'Records published, by outcome.',
  labelNames: ['topic', 'outcome'],
});
export const lagSeconds = gauge({
  name: 'sync_kafka_lag_seconds',
  help: 'Age of the oldest record of the batch taken last: how far behind a group is, in time.',
  labelNames: ['group', 'topic'],
});
