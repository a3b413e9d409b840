// All companies this process writes for (storage: owned-realms.ts).
import { OwnedRealms } from '#storage';
import type { RealmWriter } from './realm-writer.js';

export class Writers extends OwnedRealms<RealmWriter> {}
