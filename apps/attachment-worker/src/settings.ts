// Settings of the attachment worker.
import { databaseSettings, durationMs, int, kafkaSettings, qboSettings, type Values } from '#common/config';

const { qboEnvironment, qboClientId, qboClientSecret, tokenKey, tokenKeyPrevious } = qboSettings;

export const attachmentSettings = {
  ...kafkaSettings,
  ...databaseSettings,
  qboEnvironment,
  qboClientId,
  qboClientSecret,
  tokenKey,
  tokenKeyPrevious,
  leaseMs: durationMs('SYNC_ATTACHMENTS_LEASE', {
    doc: 'How long a company stays with a worker that stopped renewing. After a crash its files rest this long.',
    default: 10_000,
    min: 2_000,
  }),
  filesInFlight: int('SYNC_ATTACHMENTS_FILES', {
    doc: 'Files on their way at once per company. Each is a stream of some 64 KiB in memory, whatever its size.',
    unit: 'files',
    default: 2,
    min: 1,
    max: 8,
  }),
};

export type AttachmentSettings = Values<typeof attachmentSettings>;
