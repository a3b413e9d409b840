// Settings of the writer.
import { databaseSettings, durationMs, int, kafkaSettings, qboSettings, type Values } from '#common/config';

const { qboEnvironment, qboClientId, qboClientSecret, tokenKey, tokenKeyPrevious } = qboSettings;

export const writerSettings = {
  ...kafkaSettings,
  ...databaseSettings,
  qboEnvironment,
  qboClientId,
  qboClientSecret,
  tokenKey,
  tokenKeyPrevious,
  leaseMs: durationMs('SYNC_WRITER_LEASE', {
    doc: 'How long a company stays with a writer that stopped renewing. After a crash its work rests this long.',
    default: 10_000,
    min: 2_000,
  }),
  batchSize: int('SYNC_WRITER_BATCH', {
    doc: 'Transactions in one batch request. QBO takes 30; heavy documents are safer at 10 to 15 (its time-out is 120 s).',
    unit: 'items',
    default: 30,
    min: 1,
    max: 30,
  }),
  callsInFlight: int('SYNC_WRITER_CALLS', {
    doc: 'Transaction calls on their way at once per company. QBO allows 10 per app: one is kept for names, two for live edits.',
    unit: 'calls',
    default: 7,
    min: 1,
    max: 7,
  }),
  callsKeptMs: durationMs('SYNC_CALLS_KEPT', {
    doc: 'How long calls that ended are kept, with their bodies. The sync log tells of them for longer.',
    default: 30 * 86_400_000,
    // A request id is trusted for a day; nothing that young may go.
    min: 2 * 86_400_000,
  }),
  rowsInHand: int('SYNC_WRITER_ROWS', {
    doc: 'Rows in memory over all companies of this process (some 3 kB each). Above it only live edits are taken up.',
    unit: 'rows',
    default: 20_000,
    min: 300,
  }),
  sweepIntervalMs: durationMs('SYNC_WRITER_SWEEP_INTERVAL', {
    doc: 'How often a target is looked at for what people edited or deleted there: one metered call per sync.',
    default: 6 * 60 * 60_000,
    min: 60_000,
  }),
};

export type WriterSettings = Values<typeof writerSettings>;
