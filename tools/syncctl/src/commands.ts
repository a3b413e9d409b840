// What can be said to syncctl. A command asks the API and answers what to print: data for --json, text for people.
import { readFileSync } from 'node:fs';
import type { Answer, Api } from './api.js';
import { queryOf, Refused } from './api.js';
import { facts, table } from './table.js';

export interface Options {
  [name: string]: string | boolean | undefined;
}

export interface Told {
  data: Answer;
  text: string;
}

export interface Command {
  /** as shown in the help: `links SYNC` */
  usage: string;
  says: string;
  /** option -> what it means; a name ending in `=` takes a value */
  options?: Readonly<Record<string, string>>;
  run(api: Api, words: string[], options: Options): Promise<Told>;
}

const pages = { 'limit=': 'rows, 1 to 500 (default 50)', 'cursor=': 'the next page, as the last one named it' };
const textOf = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
const wordsOf = (value: string | boolean | undefined): string[] | undefined =>
  textOf(value)?.split(',').filter(Boolean);
const page = (options: Options) => ({ limit: textOf(options.limit), cursor: textOf(options.cursor) });

function needed(words: string[], index: number, name: string): string {
  const word = words[index];
  if (!word) throw new Refused(`${name} is missing.`, 'npm run syncctl -- help');
  return encodeURIComponent(word);
}

function neededOption(options: Options, name: string): string {
  const value = textOf(options[name]);
  if (!value) throw new Refused(`--${name} is missing.`, 'npm run syncctl -- help');
  return value;
}

function readJson(file: string): Answer {
  const from = file === '-' ? 0 : file;
  try {
    return JSON.parse(readFileSync(from, 'utf8'));
  } catch (error) {
    throw new Refused(
      `${file === '-' ? 'Standard input' : file} holds no JSON: ${(error as Error).message}`,
      'Pass a file, or - for standard input.',
    );
  }
}

function listed(answer: Answer, columns: readonly string[]): Told {
  const more = answer.next ? `more: --cursor ${answer.next}\n` : '';
  return { data: answer, text: table(answer.items, columns) + more };
}

const organizationColumns = ['id', 'name', 'createdAt'];
const readColumns = ['realmId', 'reads', 'capture', 'look-up', 'sweep', 'bulk', 'files', 'person'];
const companyColumns = ['realmId', 'name', 'status', 'statusReason', 'homeCurrency', 'organizationId'];
const syncColumns = ['id', 'sourceRealmId', 'targetRealmId', 'state', 'createdAt'];
const jobColumns = ['id', 'kind', 'state', 'progress', 'error', 'startedAt', 'finishedAt'];
const linkColumns = [
  'entityType',
  'sourceId',
  'state',
  'targetId',
  'failureCode',
  'failureReason',
  'waitingOn',
  'attempts',
  'dueAt',
];
const findingColumns = ['severity', 'code', 'subject', 'source', 'target', 'whatToDo'];
const logColumns = [
  'at',
  'stage',
  'realmId',
  'entityType',
  'entityId',
  'outcome',
  'targetId',
  'attempt',
  'code',
  'reason',
];
const stepColumns = [
  'at',
  'stage',
  'outcome',
  'lane',
  'version',
  'targetId',
  'targetSyncToken',
  'attempt',
  'requestId',
  'durationMs',
  'code',
  'reason',
];

const one = (answer: Answer, columns: readonly string[]): Told => ({
  data: answer,
  text: facts(columns.map((name) => [name, answer[name]] as const)),
});

export const commands: Readonly<Record<string, Command>> = {
  organizations: {
    usage: 'organizations [create NAME]',
    says: 'tenants',
    options: pages,
    async run(api, [verb, name], options) {
      if (verb === 'create') return one(await api.control('POST', '/v1/organizations', { name }), organizationColumns);
      return listed(await api.control('GET', `/v1/organizations${queryOf(page(options))}`), organizationColumns);
    },
  },
  companies: {
    usage: 'companies [connect REALM]',
    says: 'connected QuickBooks companies',
    options: {
      'organization=': 'whose (connect: required)',
      'tokens=': "connect: file with Intuit's token response as JSON, - for standard input",
      'name=': 'connect: how to call it; default what QuickBooks calls it',
      'no-check': 'connect: do not try the tokens',
      ...pages,
    },
    async run(api, [verb, realmId], options) {
      if (verb !== 'connect') {
        const query = queryOf({ organizationId: textOf(options.organization), ...page(options) });
        return listed(await api.control('GET', `/v1/companies${query}`), companyColumns);
      }
      const given = readJson(neededOption(options, 'tokens'));
      const answer = await api.control('POST', '/v1/companies', {
        organizationId: neededOption(options, 'organization'),
        realmId,
        name: textOf(options.name),
        // Our spelling or Intuit's.
        tokens: {
          accessToken: given.accessToken ?? given.access_token,
          refreshToken: given.refreshToken ?? given.refresh_token,
          expiresIn: given.expiresIn ?? given.expires_in,
          refreshExpiresIn: given.refreshExpiresIn ?? given.x_refresh_token_expires_in,
        },
        check: options['no-check'] !== true,
      });
      return one(answer, companyColumns);
    },
  },
  look: {
    usage: 'look REALM',
    says: 'read a source company now',
    async run(api, words) {
      const answer = await api.control('POST', `/v1/companies/${needed(words, 0, 'REALM')}/look`);
      return { data: answer, text: `look ${answer.lookRequested} of ${answer.realmId} asked for\n` };
    },
  },
  reads: {
    usage: 'reads [MONTH]',
    says: 'metered reads of a month (2026-11; default this one): by company and purpose, forecast, what is slowed',
    async run(api, [month]) {
      const answer = await api.control('GET', `/v1/reads${queryOf({ month })}`);
      const rows = answer.companies.map((company: Answer) => ({
        realmId: company.realmId,
        reads: company.reads,
        ...company.byPurpose,
      }));
      const told = facts([
        ['month', answer.month.slice(0, 7)],
        ['metered', answer.metered],
        ['forecast', answer.forecast],
        ['allowance', answer.allowance],
        ['guard', answer.guard],
      ]);
      return { data: answer, text: `${told}\n${table(rows, readColumns)}` };
    },
  },
  platform: {
    usage: 'platform',
    says: 'whether QuickBooks answers at all: the circuit that stops every company',
    async run(api) {
      return one(await api.control('GET', '/v1/platform'), ['circuit', 'since', 'nextProbeAt', 'failedProbes']);
    },
  },
  syncs: {
    usage: 'syncs [create SOURCE TARGET]',
    says: 'syncs, source company -> target company',
    options: { 'settings=': 'create: file with settings as JSON', 'organization=': 'only of this one', ...pages },
    async run(api, [verb, sourceRealmId, targetRealmId], options) {
      if (verb === 'create') {
        const settings = textOf(options.settings) === undefined ? undefined : readJson(textOf(options.settings)!);
        return one(await api.control('POST', '/v1/syncs', { sourceRealmId, targetRealmId, settings }), syncColumns);
      }
      const query = queryOf({ organizationId: textOf(options.organization), ...page(options) });
      return listed(await api.control('GET', `/v1/syncs${query}`), syncColumns);
    },
  },
  settings: {
    usage: 'settings SYNC [change FILE]',
    says: 'how the target of a sync is written, by versions; change some of it',
    options: {
      'version=': 'show: this version; change: only if it is the newest',
      'author=': 'change: who (required)',
      'reason=': 'change: why (required)',
    },
    async run(api, words, options) {
      const sync = needed(words, 0, 'SYNC');
      const version = textOf(options.version);
      if (words[1] !== 'change') {
        const answer = await api.control('GET', `/v1/syncs/${sync}/settings${queryOf({ version })}`);
        const { text } = one(answer, ['version', 'settings', 'author', 'reason', 'createdAt']);
        return { data: answer, text: text + table(answer.versions, ['version', 'author', 'reason', 'createdAt']) };
      }
      // What the file names changes, null takes it away, the rest stays.
      const body = {
        settings: readJson(words[2] ?? '-'),
        ...(version !== undefined && { version: Number(version) }),
        ...{ author: neededOption(options, 'author'), reason: neededOption(options, 'reason') },
      };
      const answer = await api.control('PATCH', `/v1/syncs/${sync}`, body);
      return one(answer, ['id', 'settingsVersion', 'settings', 'reconsidered']);
    },
  },
  status: {
    usage: 'status SYNC',
    says: 'everything about one sync; exit 0 whether quiet or not',
    async run(api, words) {
      const sync = await api.control('GET', `/v1/syncs/${needed(words, 0, 'SYNC')}`);
      return { data: sync, text: statusText(sync) };
    },
  },
  pause: stateCommand('pause', 'stop sending; what is desired is still learnt'),
  resume: stateCommand('resume', 'send again'),
  sweep: {
    usage: 'sweep SYNC',
    says: 'compare the whole target with what was written there: edits and deletions by people',
    async run(api, words) {
      return one(await api.control('POST', `/v1/syncs/${needed(words, 0, 'SYNC')}/sweep`, {}), [
        'syncId',
        'requestedAt',
      ]);
    },
  },
  preflight: {
    usage: 'preflight SYNC',
    says: 'compare both companies now: what blocks, what will interfere, what to do about it',
    async run(api, words) {
      const answer = await api.control('GET', `/v1/syncs/${needed(words, 0, 'SYNC')}/preflight`);
      const told = answer.findings.length === 0 ? 'nothing found: the companies are set up alike\n' : '';
      return { data: answer, text: told + table(answer.findings, findingColumns) };
    },
  },
  backfill: jobCommand('backfill', 'read the whole source, page by page', {
    'override=': 'why to start although the preflight blocks',
  }),
  replay: jobCommand('replay', 'compute everything again from the changes topic, without the source'),
  validate: {
    usage: 'validate SYNC [show] [NUMBER] --author NAME --reason TEXT',
    says: 'compare counts and trial balances of both companies, and keep the report; the first one, before the backfill, is the baseline',
    options: {
      'author=': 'who signs (required, but for show)',
      'reason=': 'what for (required, but for show)',
      'as-of=': 'day of the trial balances, yyyy-mm-dd (default today)',
    },
    async run(api, words, options) {
      const path = `/v1/syncs/${needed(words, 0, 'SYNC')}/validation`;
      if (words[1] === 'show')
        return validationTold(await api.control('GET', `${path}${queryOf({ number: words[2] })}`));
      const asOf = textOf(options['as-of']);
      const signed = { author: neededOption(options, 'author'), reason: neededOption(options, 'reason') };
      return validationTold(await api.control('POST', path, { ...signed, ...(asOf !== undefined && { asOf }) }));
    },
  },
  rollback: {
    usage: 'rollback SYNC [--preview] --author NAME --reason TEXT',
    says: 'take back what a sync wrote into its target; with --preview, or once it has begun without --author: how far, without effect',
    options: {
      preview: 'show what it would do, or has done',
      'author=': 'who decides (required); kept in the audit log',
      'reason=': 'why (required)',
    },
    async run(api, words, options) {
      const path = `/v1/syncs/${needed(words, 0, 'SYNC')}/rollback`;
      if (options.preview === true) {
        const answer = await api.control('GET', path);
        const rows = Object.entries(answer.byType as Record<string, object>).map(([type, counts]) => ({
          type,
          ...counts,
        }));
        const columns = Object.keys(answer.total as object);
        const head = facts([
          ['sync', `${answer.syncId} ${answer.state}`],
          [answer.begun ? 'began' : 'forecast', answer.begun ? answer.beganAt : 'nothing is written yet'],
          ['ended', answer.endedAt ?? ''],
          [
            'held for',
            Object.entries(answer.heldFor as Record<string, number>)
              .map(([code, n]) => `${n} ${code}`)
              .join(', '),
          ],
        ]);
        return {
          data: answer,
          text: `${head}\n${table([...rows, { type: 'all', ...answer.total }], ['type', ...columns])}`,
        };
      }
      const decision = { author: neededOption(options, 'author'), reason: neededOption(options, 'reason') };
      const job = await api.control('POST', path, decision);
      return { data: job, text: `rollback ${job.id} is ${job.state}; watch it: rollback ${words[0]} --preview\n` };
    },
  },
  job: {
    usage: 'job JOB',
    says: 'how far a backfill, replay or rollback is',
    async run(api, words) {
      return one(await api.control('GET', `/v1/jobs/${needed(words, 0, 'JOB')}`), ['syncId', ...jobColumns]);
    },
  },
  links: {
    usage: 'links SYNC',
    says: 'records and what became of them in the target',
    options: {
      'state=': 'ready,sending,settled,waiting,backoff,held,uncertain,failed',
      'type=': 'Customer,Invoice,...',
      'source=': 'id in the source',
      'target=': 'id in the target',
      ...pages,
    },
    async run(api, words, options) {
      const query = queryOf({
        state: textOf(options.state),
        type: textOf(options.type),
        sourceId: textOf(options.source),
        targetId: textOf(options.target),
        ...page(options),
      });
      return listed(await api.control('GET', `/v1/syncs/${needed(words, 0, 'SYNC')}/links${query}`), linkColumns);
    },
  },
  redrive: {
    usage: 'redrive SYNC [TYPE ID] --author NAME --reason TEXT',
    says: 'try held, failed and uncertain records again: one, or all',
    options: {
      'author=': 'who decides (required); kept in the audit log',
      'reason=': 'why (required)',
      'states=': 'without TYPE ID: only these, of held,failed,uncertain',
      'types=': 'without TYPE ID: only these',
      'create-again': 'with TYPE ID: the target record was removed by hand, make a new one',
    },
    async run(api, words, options) {
      const sync = needed(words, 0, 'SYNC');
      const decision = { author: textOf(options.author), reason: textOf(options.reason) };
      const answer = words[1]
        ? await api.control(
            'POST',
            `/v1/syncs/${sync}/links/${needed(words, 1, 'TYPE')}/${needed(words, 2, 'ID')}/redrive`,
            {
              createAgain: options['create-again'] === true,
              ...decision,
            },
          )
        : await api.control('POST', `/v1/syncs/${sync}/links/redrive`, {
            states: wordsOf(options.states),
            types: wordsOf(options.types),
            ...decision,
          });
      return { data: answer, text: `${answer.released} released\n${table(answer.links, ['entityType', 'sourceId'])}` };
    },
  },
  mapping: {
    usage: 'mapping SYNC [add FILE]',
    says: 'mapping layers of a sync; add one',
    options: {
      'layer=': 'add: sync (default) or organization',
      'author=': 'add: who (required)',
      'reason=': 'add: why (required)',
    },
    async run(api, words, options) {
      const path = `/v1/syncs/${needed(words, 0, 'SYNC')}/mapping`;
      const columns = ['version', 'layer', 'author', 'reason', 'createdAt', 'rules'];
      if (words[1] !== 'add') {
        const answer = await api.control('GET', path);
        return { data: answer, text: table(answer.layers, columns) };
      }
      const rules = readJson(words[2] ?? '-');
      const [author, reason] = [neededOption(options, 'author'), neededOption(options, 'reason')];
      return one(await api.control('POST', path, { layer: textOf(options.layer), rules, author, reason }), columns);
    },
  },
  log: {
    usage: 'log',
    says: 'the sync log, newest first',
    options: {
      'sync=': 'of one sync',
      'realm=': 'of one source company',
      'type=': 'of one type',
      'id=': 'of one record',
      'stage=': 'notified, captured, mapped, settled, attachment',
      'outcome=': 'created, updated, failed, ...',
      'from=': 'at or after this time',
      'to=': 'before this time',
      ...pages,
    },
    async run(api, _words, options) {
      const filters = ['sync', 'realm', 'type', 'id', 'stage', 'outcome', 'from', 'to'];
      const query = queryOf({
        ...Object.fromEntries(filters.map((name) => [name, textOf(options[name])])),
        ...page(options),
      });
      return listed(await api.audit(`/v1/sync-log${query}`), logColumns);
    },
  },
  life: {
    usage: 'life REALM TYPE ID | life REALM/TYPE/ID',
    says: 'the life of one source record, from webhook to target id',
    async run(api, words) {
      const key = (words.length === 1 ? words[0]! : words.slice(0, 3).join('/')) || '';
      if (!key) throw new Refused('REALM TYPE ID is missing.', 'npm run syncctl -- help');
      const answer = await api.audit(`/v1/changes/${encodeURIComponent(key)}`);
      const targets = table(answer.targets, ['syncId', 'targetId', 'targetSyncToken', 'state', 'failureCode']);
      return {
        data: answer,
        text: `${answer.key}\n\n${table(answer.steps.map(withLane), stepColumns)}\nnow:\n${targets}`,
      };
    },
  },
  audit: {
    usage: 'audit ORGANIZATION [verify]',
    says: 'who did what; verify the chain',
    options: { 'limit=': pages['limit='], 'before=': 'sequence the last page ended at' },
    async run(api, words, options) {
      const path = `/v1/audit-log/${needed(words, 0, 'ORGANIZATION')}`;
      if (words[1] === 'verify') {
        const answer = await api.audit(`${path}/verify`);
        const text =
          answer.kind === 'intact'
            ? `intact: ${answer.entries} entries, head ${answer.head?.sequence ?? '-'} ${answer.head?.hash ?? ''}\n`
            : `BROKEN at ${answer.firstBadSequence}: ${answer.reason}\n`;
        return { data: answer, text };
      }
      const answer = await api.audit(
        `${path}${queryOf({ limit: textOf(options.limit), before: textOf(options.before) })}`,
      );
      return listed(answer, ['sequence', 'at', 'actor', 'action', 'subject', 'details']);
    },
  },
};

function validationTold(answer: Answer): Told {
  const head = facts([
    ['validation', `${answer.number}, ${answer.at}, ${answer.author}: ${answer.reason}`],
    ['verdict', answer.verdict],
    [
      'baseline',
      answer.baseline ??
        (answer.verdict === 'baseline' ? 'this one' : 'none: what the target had of its own counts as a difference'),
    ],
  ]);
  const types = (answer.types as Answer[]).map((one) => ({
    ...one,
    held: Object.values(one.held as Record<string, number>).reduce((sum, n) => sum + n, 0),
  }));
  const typeColumns = [
    'type',
    'source',
    'linked',
    'settled',
    'held',
    'open',
    'excluded',
    'notPossible',
    'target',
    'own',
  ];
  const accounts = (answer.accounts as Answer[]).map((one) => ({ ...one, account: one.targetName ?? one.sourceName }));
  const found =
    answer.verdict === 'baseline'
      ? ''
      : answer.differences.length === 0
        ? 'no differences\n'
        : table(answer.differences, ['kind', 'subject', 'source', 'target', 'detail']);
  return {
    data: answer,
    text: [
      head,
      table(types, typeColumns),
      table(accounts, ['account', 'source', 'target', 'own', 'difference']),
      found,
    ].join('\n'),
  };
}

/** Bulk beside live tells a backfill's or a replay's step from an edit's. */
const withLane = (step: Answer): Record<string, unknown> => ({ ...step, lane: step.details?.lane });

function stateCommand(verb: 'pause' | 'resume', says: string): Command {
  return {
    usage: `${verb} SYNC`,
    says,
    async run(api, words) {
      const sync = await api.control('POST', `/v1/syncs/${needed(words, 0, 'SYNC')}/${verb}`);
      return { data: sync, text: `${sync.id} is ${sync.state}\n` };
    },
  };
}

function jobCommand(kind: 'backfill' | 'replay', says: string, more: Record<string, string> = {}): Command {
  return {
    usage: `${kind} SYNC`,
    says,
    options: { 'types=': 'only these: Customer,Invoice,...', ...more },
    async run(api, words, options) {
      const path = `/v1/syncs/${needed(words, 0, 'SYNC')}/${kind}`;
      const job = await api.control('POST', path, {
        types: wordsOf(options.types),
        override: textOf(options.override),
      });
      return { data: job, text: `${kind} ${job.id} is ${job.state}; watch it: job ${job.id}\n` };
    },
  };
}

/** "2 block, 3 warn"; nothing when there is nothing to say. */
function preflightText(preflight: Answer): string {
  if (!preflight) return 'not looked yet';
  const count = (severity: string) => preflight.findings.filter((f: Answer) => f.severity === severity).length;
  return preflight.findings.length === 0 ? 'nothing found' : `${count('blocks')} block, ${count('warns')} warn`;
}

function statusText(sync: Answer): string {
  const states = [
    ...new Set(Object.values(sync.counts.byType).flatMap((counts) => Object.keys(counts as object))),
  ].sort();
  const counts = Object.entries(sync.counts.byType as Record<string, Record<string, number>>).map(
    ([type, byState]) => ({
      type,
      ...byState,
    }),
  );
  const lag = (sync.lag.kafka ?? []) as { groupId: string; topic: string; lag: number }[];
  const behind = lag.filter((entry) => entry.lag > 0).map((entry) => `${entry.groupId} ${entry.topic} ${entry.lag}`);
  const quota = (use: Answer) =>
    use
      ? `${use.lastMinute}/${use.perMinute} a minute, ${use.inFlight} in flight${use.frozenUntil ? `, frozen until ${use.frozenUntil}` : ''}`
      : 'not used yet';
  const company = (side: Answer) =>
    `${side.name} (${side.realmId}) ${side.status}${side.statusReason ? `: ${side.statusReason}` : ''}`;
  return [
    facts([
      ['sync', `${sync.id} ${sync.state}`],
      ['source', company(sync.source)],
      ['target', company(sync.target)],
      ['preflight', preflightText(sync.preflight)],
      ['quiet', sync.quiet ? 'yes' : `no: ${(sync.motion as string[]).join(', ')}`],
      ['complete up to', sync.capture?.completeUpTo ?? 'nothing yet'],
      ['capture trouble', sync.capture?.lastError ?? ''],
      ['records', sync.counts.total],
      [
        'attachments',
        Object.entries(sync.attachments)
          .map(([state, count]) => `${String(count)} ${state}`)
          .join(', '),
      ],
      ['Kafka', sync.lag.kafka === null ? 'does not answer' : behind.length > 0 ? behind.join(', ') : 'all consumed'],
      ['outbox', sync.outbox.size],
      ['source quota', quota(sync.quota.source)],
      ['target quota', quota(sync.quota.target)],
      [
        'last error',
        sync.lastError
          ? `${sync.lastError.entityType} ${sync.lastError.sourceId}: ${sync.lastError.failureCode} ${sync.lastError.failureReason}`
          : '',
      ],
    ]),
    table(counts, ['type', ...states]),
    table(sync.jobs, jobColumns),
  ].join('\n');
}
