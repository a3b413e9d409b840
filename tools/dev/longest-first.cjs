// The order in which Jest takes the files: the longest first, so that no worker begins a long one when the others have
// ended. As measured on this machine, where Jest has a memory of it; in a fresh clone, as written here.
const { relative } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

// Seconds on two cores, of what takes longer than most (5 s and more). An entry that is gone or wrong costs nothing but
// a less even end.
const measuredSeconds = {
  'test/e2e/equal.int-spec.ts': 105,
  'apps/ingest/test/ingest.int-spec.ts': 71,
  'apps/qbo-writer/test/frozen.int-spec.ts': 38,
  'test/e2e/demo.int-spec.ts': 38,
  'apps/qbo-writer/test/writer.int-spec.ts': 38,
  'apps/qbo-writer/test/zombie.int-spec.ts': 34,
  'apps/qbo-writer/test/closed-books.int-spec.ts': 33,
  'apps/qbo-writer/test/person-at-work.int-spec.ts': 32,
  'apps/attachment-worker/test/attachments.int-spec.ts': 29,
  'apps/qbo-writer/test/names.int-spec.ts': 24,
  'test/dev/embedded.int-spec.ts': 22,
  'libs/storage/src/leases/owned-realms.int-spec.ts': 19,
  'apps/qbo-writer/test/pairs.int-spec.ts': 19,
  'apps/qbo-writer/test/exclusions.int-spec.ts': 17,
  'test/dev/failover.int-spec.ts': 16,
  'apps/attachment-worker/test/pairs.int-spec.ts': 15,
  'libs/kafka/src/kafkajs-log.int-spec.ts': 14,
  'libs/storage/src/governor/governor-store.int-spec.ts': 12,
  'apps/qbo-writer/test/order-lines.int-spec.ts': 11,
  'apps/qbo-writer/test/circuits.int-spec.ts': 10,
};
const otherMs = { integration: 4_000, unit: 400 };

module.exports = class LongestFirst extends Sequencer {
  time(test) {
    const { rootDir, displayName } = test.context.config;
    const seconds = measuredSeconds[relative(rootDir, test.path)];
    return super.time(test) ?? (seconds === undefined ? otherMs[displayName?.name] : seconds * 1_000);
  }
};
