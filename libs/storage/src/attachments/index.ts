// Attachments: desired against applied per (sync, Attachable), with what is known of the bytes on both sides.
export * from './attachment-links.js';
export type { StoredAttachment } from './row.js';
export { mirrorAllFiles } from './mirrors.js';
