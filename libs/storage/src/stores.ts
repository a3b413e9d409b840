// Every store that StorageModule provides. A new store is one line here.
import { AuditLog } from './audit-log/audit-log.js';
import { CaptureStore } from './capture/index.js';
import { Companies, Grants, Jobs, Organizations, Syncs } from './configuration/index.js';
import { ConsumerPlaces } from './consumer-places/index.js';
import { GovernorStore } from './governor/governor-store.js';
import { RealmLeases } from './leases/realm-leases.js';
import { RealmWork } from './leases/realm-work.js';
import { Outbox } from './outbox/outbox.js';
import { Preflights } from './preflight/preflights.js';
import { Validations } from './validation/validations.js';
import { SyncLog } from './sync-log/sync-log.js';

export const stores = [
  AuditLog,
  CaptureStore,
  Companies,
  ConsumerPlaces,
  GovernorStore,
  Grants,
  Jobs,
  Organizations,
  Outbox,
  Preflights,
  RealmLeases,
  RealmWork,
  SyncLog,
  Syncs,
  Validations,
];
