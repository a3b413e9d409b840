// All companies this process carries files to (storage: owned-realms.ts).
import { OwnedRealms } from '#storage';
import type { RealmCarrier } from './realm-carrier.js';

export class Carriers extends OwnedRealms<RealmCarrier> {}
