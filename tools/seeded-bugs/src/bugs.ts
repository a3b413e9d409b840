// The bugs that `npm run seeded-bugs` plants, each a mistake that a tired person could make in a system like this one, and
// the tests that must notice. The product's source has no trace of them: the test transformer (../transform.mjs) replaces
// the text while it compiles, in a run of its own. A text that is gone or is there twice fails loudly (bugs.spec.ts), so a
// bug cannot silently stop being planted.

export interface Edit {
  file: string;
  /** exactly once in the file */
  from: string;
  to: string;
}

export interface SeededBug {
  name: string;
  /** what a customer would see */
  harm: string;
  edits: readonly Edit[];
  /** a test file and, of its tests, the ones whose title holds this text */
  caughtBy: { spec: string; test: string };
  /** for the whole system under the checker: a failpoint case, and the invariant that it must find broken */
  seenByChecker?: { failpoint: string; invariant: string };
}

const writerSpec = 'apps/qbo-writer/test/writer.int-spec.ts';
const linksSpec = 'libs/storage/src/links/links.int-spec.ts';
const links = 'libs/storage/src/links/links.ts';
const sender = 'apps/qbo-writer/src/calls/sender.ts';
const compose = 'apps/qbo-writer/src/calls/compose.ts';

export const seededBugs: readonly SeededBug[] = [
  {
    name: 'commit-before-write',
    harm: 'a process that dies with a batch in hand loses it: Kafka believes it done',
    edits: [
      {
        file: 'libs/kafka/src/batch-server.ts',
        from: `    const buried = new Set<LogRecord>();\n    for (let retries = 0; ; retries++) {`,
        to: `    const buried = new Set<LogRecord>();\n    await hold.commit();\n    for (let retries = 0; ; retries++) {`,
      },
    ],
    caughtBy: { spec: 'libs/kafka/src/batch-server.int-spec.ts', test: 'finishes and commits the batch in hand' },
    // Not seen by the checker any more: a group begins where its database stands, whatever Kafka was told (group-places.ts).
  },
  {
    name: 'random-request-id',
    harm: 'a write whose answer was lost is made twice',
    edits: [
      {
        file: compose,
        from: `      requestId: call.requestId,\n      voidForm`,
        to: `      requestId: randomUUID(),\n      voidForm`,
      },
    ],
    caughtBy: { spec: writerSpec, test: 'reset-after-commit' },
    seenByChecker: { failpoint: 'writer.answered:kill', invariant: 'I-02' },
  },
  {
    name: 'request-id-without-version',
    harm: 'QuickBooks answers an edit with the old answer of the write before it, and the edit is lost',
    edits: [
      {
        file: 'libs/core/src/requests/request-id.ts',
        from: `digest(['request', syncId, entityType, sourceId, version, operation, String(generation), basis])`,
        to: `digest(['request', syncId, entityType, sourceId, operation, String(generation), (version, basis, '')])`,
      },
    ],
    caughtBy: { spec: writerSpec, test: 'joins edits that came while a call was on its way' },
  },
  {
    name: 'settle-before-send',
    harm: 'a write that QuickBooks refused for a moment counts as done',
    edits: [
      {
        file: sender,
        from: `    await failpoint('writer.claimed');\n`,
        to: `    await failpoint('writer.claimed');
    await this.finish(call, { answers: call.attempts.map(() => ({ kind: 'done' })), settledBefore: [] });\n`,
      },
    ],
    caughtBy: { spec: writerSpec, test: 'comes through a storm of 429' },
    seenByChecker: { failpoint: 'writer.claimed:kill', invariant: 'I-01' },
  },
  {
    name: 'missed-wake-up',
    harm: 'a child goes to sleep just after its parent was written, and nobody wakes it',
    edits: [
      {
        file: 'libs/storage/src/links/waits.ts',
        from: `           and p.source_id = split_part(m.name, '/', 2) and p.target_id is not null and p.applied_version is not null
           and not p.target_deleted)`,
        to: `           and p.source_id = split_part(m.name, '/', 2) and false)`,
      },
    ],
    caughtBy: { spec: linksSpec, test: 'does not park a child whose parent settled between' },
  },
  {
    name: 'stale-fence-accepted',
    harm: 'a process that slept through its lease goes on writing beside its successor',
    edits: [
      {
        file: links,
        from: `where realm_id = $1 and purpose = 'writer' and fence = $2 and expires_at > clock_timestamp()`,
        to: `where realm_id = $1 and purpose = 'writer' and fence >= $2`,
      },
    ],
    caughtBy: { spec: linksSpec, test: 'lets nobody claim, settle or send with a fence that is over' },
  },
  {
    name: 'older-version-wins',
    harm: 'an edit that arrives late overwrites a newer one',
    edits: [
      {
        file: 'libs/storage/src/links/intake.ts',
        from: `       where excluded.desired_version > l.desired_version\n`,
        to: `       where excluded.desired_version <> l.desired_version\n`,
      },
    ],
    caughtBy: { spec: linksSpec, test: 'ends with the newest version whatever the order' },
  },
  {
    name: 'batch-replay-with-other-members',
    harm: 'a batch sent again under its old id holds other records, and each gets the answer of its neighbour',
    edits: [
      {
        file: sender,
        from: `    const wire = wireOf(call);\n`,
        to: `    const { settled = [] } = call as Partial<OpenCall>;
    const wire = wireOf({ ...call, attempts: call.attempts.filter((_, position) => !settled.includes(position)) });\n`,
      },
      {
        file: sender,
        from: `    const answers = answersOf(answer, call.kind, call.attempts.length, sentBefore);\n`,
        to: `    const told = answersOf(answer, call.kind, call.attempts.length, sentBefore);
    const open = call.attempts.flatMap((_, position) => (past.settledBefore.includes(position) ? [] : [position]));
    const answers = told.map((one, position) => (open.includes(position) ? told[open.indexOf(position)]! : one));\n`,
      },
    ],
    caughtBy: { spec: writerSpec, test: 'settles the answered part of a batch at once' },
  },
  {
    name: 'cursor-before-ack',
    harm: 'changes that Kafka never took are behind the cursor, and nobody looks there again',
    edits: [
      {
        file: 'apps/ingest/src/capture/change-publisher.ts',
        from: `      await this.tell(records);\n      if (records.length > 0) await failpoint('capture.published');`,
        to: `      void this.tell(records).catch(() => undefined);\n      if (records.length > 0) await failpoint('capture.published');`,
      },
    ],
    caughtBy: {
      spec: 'apps/ingest/test/ingest.int-spec.ts',
      test: 'does not move the cursor before Kafka acknowledges',
    },
  },
  {
    name: 'token-saved-after-use',
    harm: 'the new tokens are used while the row has the old ones: another process renews with a dead one, a crash loses the grant',
    edits: [
      {
        file: 'libs/qbo/src/oauth/custody.ts',
        from: `        await row.store(this.sealPair(grant.organizationId, realmId, outcome.pair));`,
        to: `        const sealed = this.sealPair(grant.organizationId, realmId, outcome.pair);
        setTimeout(() => void row.store(sealed).catch(() => undefined), 100);`,
      },
    ],
    caughtBy: { spec: 'libs/qbo/src/oauth/custody.spec.ts', test: 'renews once for many callers in many processes' },
  },
  {
    name: 'compacted-tombstone-dropped',
    harm: 'after compaction only the deletion is left of a record; a replay that leaves it out keeps the copy for ever',
    edits: [
      {
        file: 'apps/mapper/src/changes.mapping.ts',
        from: `      if (change.value === null) return;`,
        to: `      if (change.value === null || (change.value.deleted && lane === 'bulk')) return;`,
      },
    ],
    caughtBy: { spec: 'apps/mapper/src/mapper.int-spec.ts', test: 'replays the log for one sync' },
  },
  {
    name: 'duplicate-link-on-adopt-race',
    harm: 'two records of the source become one in the target, and overwrite each other',
    edits: [
      {
        file: 'apps/qbo-writer/src/round/planner.ts',
        from: "      if (plan.kind === 'adopt') chosen.add(`${one.entityType}/${plan.targetId}`);\n",
        to: '',
      },
      {
        file: 'apps/qbo-writer/src/round/planner.ts',
        from: `        [...owner].filter(([, sourceId]) => sourceId !== stored.sourceId).map(([targetId]) => targetId),`,
        to: `        [...owner].filter(() => false).map(([targetId]) => targetId),`,
      },
      {
        file: 'libs/storage/src/migrations/0001-initial.ts',
        from: `create unique index links_one_target on`,
        to: `create index links_one_target on`,
      },
    ],
    caughtBy: {
      spec: 'apps/qbo-writer/test/adoption.int-spec.ts',
      test: 'a twin that two records could take goes to one',
    },
  },
];

/** Rules whose absence only a program of its own shows: `npm run failover -- --without-the-rule`. */
export const takenOutRules: readonly Pick<SeededBug, 'name' | 'harm' | 'edits'>[] = [
  {
    name: 'one-send-over-several-brokers',
    harm: 'records that were acknowledged are gone after a leader died',
    edits: [
      {
        file: 'libs/kafka/src/producer.ts',
        from: '    const name = `${topic}#${partition}`;\n',
        to: '    Object.assign(message, { partition });\n    const name: string = topic;\n',
      },
      {
        file: 'libs/kafka/src/kafkajs-log.ts',
        from: 'messages.map((message) => ({ ...message, partition }))',
        to: 'messages.map((message) => ({ partition, ...message }))',
      },
    ],
  },
];

/** The source with the bug in it. @throws when the text to replace is not there exactly once */
export function planted(bug: Pick<SeededBug, 'name' | 'edits'>, file: string, source: string): string {
  return bug.edits
    .filter((edit) => edit.file === file)
    .reduce((text, { from, to }) => {
      const times = text.split(from).length - 1;
      if (times !== 1)
        throw new Error(
          `seeded bug "${bug.name}": its text is ${times} times in ${file}; say anew where it is planted`,
        );
      return text.replace(from, () => to);
    }, source);
}
