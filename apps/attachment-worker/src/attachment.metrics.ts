// What the attachment worker counts. Closed label sets; a realm is a log field, never a label.
import { counter, gauge, histogram } from '#common/metrics';

/** outcome: attached | updated | deleted | held | failed */
export const settledTotal = counter({
  name: 'sync_attachments_settled_total',
  help: 'Attachments whose desired version came to an end.',
  labelNames: ['outcome'],
});

/** plan: the kinds of AttachmentPlan (libs/core) */
export const stepsTotal = counter({
  name: 'sync_attachments_steps_total',
  help: 'Steps taken for attachments.',
  labelNames: ['plan'],
});

/** direction: upload (source to target) | verify (read back and hashed) */
export const bytesTotal = counter({
  name: 'sync_attachments_bytes_total',
  help: 'Bytes of files that went through this process.',
  labelNames: ['direction'],
});

export const carrySeconds = histogram({
  name: 'sync_attachments_carry_seconds',
  help: 'From the first step for an attachment to its last in one go.',
});

export const realmsOwned = gauge({
  name: 'sync_attachments_realms',
  help: 'Target companies this process carries files to.',
});
