// Links: desired against applied per (sync, source entity), the calls that close the difference, and how people see them.
export * from './links.js';
export type { AttemptRecord, CallEnd, CallRecord, OpenCall, Told } from './calls.js';
export type { LinkChange } from './changes.js';
export type { DesiredLink, Taken } from './intake.js';
export { reconnectNeeded } from './waits.js';
export * from './report.js';
export { storedLink, waitName, type Lane, type LinkKey, type StoredLink } from './row.js';
export { keyOf, keyText } from './keys.js';
export { mirrorAll, type MirrorChange, type MirrorPlace } from './mirrors.js';
export { requestSweep, sweepOf, type DueSweep, type SweepReport } from './sweeps.js';
export * from './call-retention.js';
export * from './reconsider.js';
export {
  advanceRollback,
  beginRollback,
  openRollbacks,
  rollbackCounts,
  rollbackKinds,
  type RollbackCount,
  type RollbackOf,
  type StoredRollbackFacts,
} from './rollbacks.js';
export { recallTargets } from './recalled.js';
export type { AnnouncedResult } from './recalled.js';
