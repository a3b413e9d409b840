// Every migration, oldest first. A name is never changed: it is what the database remembers.
import { Initial1763700000001 } from './0001-initial.js';

export const migrations = [Initial1763700000001];
