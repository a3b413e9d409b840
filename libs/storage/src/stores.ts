// Every store that StorageModule provides. A new store is one line here.
import { Companies, Grants, Jobs, Organizations, Syncs } from './configuration/index.js';
import { RealmLeases } from './leases/realm-leases.js';
import { Outbox } from './outbox/outbox.js';

export const stores = [Companies, Grants, Jobs, Organizations, Outbox, RealmLeases, Syncs];
