// Settings of ingest.
import { databaseSettings, durationMs, int, jobSettings, kafkaSettings, qboSettings } from '#common/config';
import type { Values } from '#common/config';

export const settings = {
  ...kafkaSettings,
  ...databaseSettings,
  ...qboSettings,
  ...jobSettings,
  captureLeaseMs: durationMs('SYNC_CAPTURE_LEASE', {
    doc: 'How long a company stays with a process that stopped renewing its look. After a crash nobody looks at it this long.',
    default: 15_000,
    min: 1000,
  }),
  lookIntervalMs: durationMs('SYNC_CAPTURE_LOOK_INTERVAL', {
    doc: 'How often a source company is looked at without being asked: finds what lost webhooks announced, and types without webhooks.',
    default: 300_000,
    min: 500,
  }),
  coalesceMs: durationMs('SYNC_CAPTURE_COALESCE', {
    doc: 'Pause between a webhook and the look it causes, so that one read answers a burst. Each look is a metered read.',
    default: 500,
    min: 0,
  }),
  overlapMs: durationMs('SYNC_CAPTURE_OVERLAP', {
    doc: 'How far behind the cursor a look reads again, for commits that QBO shows out of order.',
    default: 120_000,
    min: 1000,
  }),
  sweepIntervalMs: durationMs('SYNC_CAPTURE_SWEEP_INTERVAL', {
    doc: 'How often types that change data capture does not cover are read whole.',
    default: 3_600_000,
    min: 1000,
  }),
  mergeGraceMs: durationMs('SYNC_CAPTURE_MERGE_GRACE', {
    doc: 'How long a name that is gone may wait for the webhook that says into which one it was merged. After that every record that may have referred to it is read again.',
    default: 300_000,
    min: 0,
  }),
  looksAtOnce: int('SYNC_CAPTURE_CONCURRENCY', {
    doc: 'Source companies looked at side by side by one process.',
    unit: 'companies',
    default: 8,
    min: 1,
    max: 200,
  }),
  backfillsAtOnce: int('SYNC_BACKFILL_CONCURRENCY', {
    doc: 'Backfill jobs run side by side by one process.',
    unit: 'jobs',
    default: 2,
    min: 1,
    max: 50,
  }),
};

export type Settings = Values<typeof settings>;
