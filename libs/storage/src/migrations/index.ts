// Every migration, oldest first. A name is never changed: it is what the database remembers.
import { Initial1763700000001 } from './0001-initial.js';
import { AttemptFacts1763700000002 } from './0002-attempt-facts.js';
import { AttachmentFacts1763700000003 } from './0003-attachment-facts.js';
import { OutboxRefused1763700000004 } from './0004-outbox-refused.js';
import { Preflights1763700000008 } from './0008-preflights.js';
import { EndlessWaits1763700000009 } from './0009-endless-waits.js';
import { MergedRecords1763700000010 } from './0010-merged-records.js';
import { LinkDifferences1763700000011 } from './0011-link-differences.js';
import { SourceMerges1763700000020 } from './0020-source-merges.js';
import { Exclusions1763700000021 } from './0021-exclusions.js';
import { Pairs1763700000030 } from './0030-pairs.js';
import { RealmWork1763700000040 } from './0040-realm-work.js';
import { GovernorVersions1763700000045 } from './0045-governor-versions.js';
import { Sweeps1763700000046 } from './0046-sweeps.js';
import { CallRetention1763700000050 } from './0050-call-retention.js';
import { OrderOfEntry1763700000052 } from './0052-order-of-entry.js';
import { SweepsDue1763700000053 } from './0053-sweeps-due.js';
import { PlatformCircuitAndReads1763700000055 } from './0055-platform-circuit-and-reads.js';
import { SettingsVersions1763700000056 } from './0056-settings-versions.js';
import { TokenKeys1763700000057 } from './0057-token-keys.js';
import { ConsumerPlaces1763700000060 } from './0060-consumer-places.js';
import { PickByType1763700000061 } from './0061-pick-by-type.js';
import { Rollbacks1763700000070 } from './0070-rollbacks.js';

export const migrations = [
  Initial1763700000001,
  AttemptFacts1763700000002,
  AttachmentFacts1763700000003,
  OutboxRefused1763700000004,
  Preflights1763700000008,
  EndlessWaits1763700000009,
  MergedRecords1763700000010,
  LinkDifferences1763700000011,
  SourceMerges1763700000020,
  Exclusions1763700000021,
  Pairs1763700000030,
  RealmWork1763700000040,
  GovernorVersions1763700000045,
  Sweeps1763700000046,
  CallRetention1763700000050,
  OrderOfEntry1763700000052,
  SweepsDue1763700000053,
  PlatformCircuitAndReads1763700000055,
  SettingsVersions1763700000056,
  TokenKeys1763700000057,
  ConsumerPlaces1763700000060,
  PickByType1763700000061,
  Rollbacks1763700000070,
];
