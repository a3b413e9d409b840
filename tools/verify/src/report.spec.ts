// The checker can see: every kind of mistake, planted into an installation in which all is well, is named by its invariant,
// with the record concerned.
import type { Evidence, KeptWaiting } from './evidence.js';
import { app, chained, healthy, sealed, source, target, version } from './healthy.fixture.js';
import { reportOf } from './report.js';

it('an installation in which all is well has thirteen invariants that hold', () => {
  const { lines, ok } = reportOf(healthy());
  expect(lines.filter((line) => !/^I-\d\d ok: /.test(line))).toEqual(['verify: invariants=13/13 violations=0']);
  expect(ok).toBe(true);
});

type Plant = [what: string, id: string, plant: (e: Evidence) => void, named: RegExp];
const to = (e: Evidence) => e.companies.get(target)!;
const from = (e: Evidence) => e.companies.get(source)!;
const link = (e: Evidence, type: string) => e.tables.links.find((one) => one.entity_type === type)!;

/** The two companies in a pair. */
const opposite = (e: Evidence): void =>
  void e.tables.syncs.push({ ...e.tables.syncs[0]!, id: 'back', source_realm_id: target, target_realm_id: source });

/** The opposite sync does something to the invoice in the source. */
function carryBack(e: Evidence, act: 'create' | 'update' | 'delete', token: string, call = 'back'): void {
  e.tables.attempts.push({
    ...e.tables.attempts[1]!,
    ...{ call_id: `call-${call}`, sync_id: 'back', source_id: '102', operation: act, version: version(23, 1) },
    request_id: call,
  });
  e.tables.calls.push({ ...e.tables.calls[1]!, id: `call-${call}`, request_id: call, target_realm_id: source });
  from(e).journal.push({
    ...to(e).journal[1]!,
    requestid: call,
    effects: [{ type: 'Invoice', id: '2', act, token, requestid: call }],
  });
}

const plants: Plant[] = [
  ['a target record is gone', 'I-01', (e) => void (to(e).records.Invoice = []), /Invoice 2: is lost: Invoice 102/],
  ['a source record has no link', 'I-01', (e) => void e.tables.links.pop(), /Invoice 2 is unknown: no link/],
  [
    'an edit was never captured',
    'I-01',
    (e) => void e.topics.changes.pop(),
    /Invoice 2 was not captured: TotalAmt is 50, told was 40/,
  ],
  [
    'an edit was never taken in',
    'I-01',
    (e) => void (link(e, 'Invoice').desired_version = version(2, 0)),
    /newest version .* was never taken in/,
  ],
  [
    'an amount differs in the target',
    'I-01',
    (e) => void (to(e).records.Invoice![0].TotalAmt = 51),
    /target differs: TotalAmt is 50, told was 51/,
  ],
  [
    'a link is held without a reason',
    'I-01',
    (e) => void (link(e, 'Invoice').state = 'held'),
    /Invoice 2: is held without a reason/,
  ],
  ['a link waits for nothing', 'I-01', (e) => void (link(e, 'Invoice').state = 'waiting'), /waits for nothing/],
  [
    'a deleted record lives on',
    'I-01',
    (e) => {
      from(e).deleted.Invoice = from(e).records.Invoice!;
      from(e).records.Invoice = [];
    },
    /Invoice 2 was deleted in the source and lives on as Invoice 102/,
  ],
  [
    'a record was made twice',
    'I-02',
    (e) => {
      to(e).records.Invoice!.push({ ...to(e).records.Invoice![0], Id: '177' });
      to(e).makers['Invoice/177'] = { ...to(e).makers['Invoice/102']! };
    },
    /Invoice 2 of the source is 2 records of the target: 102, 177/,
  ],
  [
    'a record was made under a request id that nobody wrote down',
    'I-02',
    (e) => {
      to(e).records.Invoice!.push({ ...to(e).records.Invoice![0], Id: '178' });
      to(e).makers['Invoice/178'] = { app, at: '', requestid: 'random' };
    },
    /Invoice 178 of the target was made by us under request id random/,
  ],
  [
    'two records share a target',
    'I-02',
    (e) => e.tables.links.push({ ...link(e, 'Customer'), source_id: '77' }),
    /Customer 101 stands for 1 and 77/,
  ],
  [
    'one request id had two bodies',
    'I-02',
    (e) => e.tables.attempts.push({ ...e.tables.attempts[0]!, body_md5: 'x' }),
    /was used for 2 bodies/,
  ],
  [
    'an older version was written later',
    'I-03',
    (e) => void (e.tables.attempts[1]!.version = version(40, 3)),
    /reached the target .* after/,
  ],
  [
    'an older version was announced later',
    'I-03',
    (e) => e.topics.results.push(e.topics.results[1]!),
    /was announced after/,
  ],
  [
    'debits and credits of a company differ',
    'I-04',
    (e) => void (from(e).ledger[0]!.debit = '50.01'),
    /debits and credits of Invoice\/2 differ by 0.01/,
  ],
  [
    'a copy posts to another account',
    'I-04',
    (e) => void (to(e).ledger[1]!.accountId = '108'),
    /Invoice 2 posts Accounts Receivable 50.00, Sales -50.00 in the source and/,
  ],
  [
    'a copy posts another amount',
    'I-04',
    (e) => {
      to(e).ledger[0]!.debit = '50.01';
      to(e).ledger[1]!.credit = '50.01';
    },
    /Invoice 2 posts .* 50.00, .* and .* 50.01/,
  ],
  [
    'a reference dangles',
    'I-05',
    (e) => void (to(e).records.Invoice![0].CustomerRef.value = '999'),
    /Invoice 102 of the target points at Customer 999/,
  ],
  [
    'a link stands with another tenant',
    'I-05',
    (e) => void (link(e, 'Invoice').organization_id = 'org-b'),
    /belongs to another organization/,
  ],
  [
    "a write went into another tenant's company",
    'I-05',
    (e) => e.companies.get('1000000004')!.journal.push(to(e).journal[0]!),
    /Customer 101 was written into company 1000000004/,
  ],
  [
    'eleven requests within a second',
    'I-06',
    (e) => void to(e).journal.push(...Array.from({ length: 10 }, () => ({ ...to(e).journal[0]!, effects: [] }))),
    /11 requests within a second \(10 are allowed\)/,
  ],
  [
    'forty-one batches within a minute',
    'I-06',
    (e) => {
      const batch = (i: number) => new Date(Date.UTC(2026, 10, 21, 13, 0, 0, i * 1_300)).toISOString();
      const rows = Array.from({ length: 41 }, (_, i) => ({
        ...{ ...to(e).journal[0]!, startedAt: batch(i), time: batch(i), effects: [], path: '/v3/company/2/batch' },
      }));
      to(e).journal.push(...rows);
    },
    /41 batches within a minute/,
  ],
  [
    'QuickBooks refused for the quota',
    'I-06',
    (e) => to(e).journal.push({ ...to(e).journal[0]!, startedAt: '2026-11-21T14:00:00Z', status: 429, effects: [] }),
    /1 request refused for the quota/,
  ],
  [
    'two refreshes at once',
    'I-07',
    (e) => void e.tokens.calls.push({ ...e.tokens.calls[0]!, startedAt: '2026-11-21T12:00:05.500Z' }),
    /two token refreshes at once/,
  ],
  [
    'a refresh without need',
    'I-07',
    (e) =>
      void e.tokens.calls.push({
        ...e.tokens.calls[0]!,
        startedAt: '2026-11-21T12:00:08Z',
        time: '2026-11-21T12:00:08Z',
      }),
    /refreshed twice without need/,
  ],
  [
    'the stored token is not the newest',
    'I-07',
    (e) => void (e.tables.grants[0]!.refresh_token_sealed = sealed(source, 'org-a', 'older')),
    /its grant is lost/,
  ],
  [
    'the stored token stands with another company',
    'I-07',
    (e) => void (e.tables.grants[1]!.refresh_token_sealed = e.tables.grants[0]!.refresh_token_sealed),
    /does not open/,
  ],
  [
    "a neighbour's edits take ten minutes",
    'I-08',
    (e) => {
      const row = e.companies.get(target)!.journal.find(({ effects }) => effects?.[0]?.type === 'Customer')!;
      row.time = new Date(Date.parse(row.startedAt) + 600_000).toISOString();
    },
    /settle within 609 s/,
  ],
  [
    'a tenant is held for a connection it has',
    'I-08',
    (e) =>
      Object.assign(link(e, 'Invoice'), {
        state: 'held',
        failure_code: 'TARGET.RECONNECT_NEEDED',
        failure_reason: 'x',
      }),
    /held for a connection that its own organization has not lost/,
  ],
  ['an effect has no entry', 'I-09', (e) => void e.tables.log.shift(), /create of Customer 101 .* has no entry/],
  ['an effect has two entries', 'I-09', (e) => e.tables.log.push(e.tables.log[0]!), /has 2 entries/],
  [
    'an audit entry was changed',
    'I-09',
    (e) => void (e.tables.audit[1]!.details = { kind: 'replay' }),
    /was changed at entry 2/,
  ],
  ['an audit entry is missing', 'I-09', (e) => void e.tables.audit.shift(), /lacks entry 1/],
  [
    'a consumer stands still',
    'I-10',
    (e) => void e.rest.motion.push('sync-mapper is 3 records behind'),
    /sync-mapper is 3 records behind/,
  ],
  [
    "our write was captured from a company that is nobody's source",
    'I-11',
    (e) =>
      e.topics.changes.push({
        ...e.topics.changes[0]!,
        key: `${target}/Invoice/102`,
        value: { ...e.topics.changes[0]!.value, realmId: target },
      }),
    /was captured as a change, and its company is nobody's source/,
  ],
  [
    'our own write came back to where it came from',
    'I-11',
    (e) => {
      opposite(e);
      const echo = { ...e.topics.changes[4]!, key: `${target}/Invoice/102` };
      const snapshot = { Id: '102', SyncToken: '1' };
      echo.value = { ...echo.value, realmId: target, id: '102', version: version(23, 1), snapshot };
      e.topics.changes.push(echo);
      carryBack(e, 'update', '2');
    },
    /our own write into company 1000000002 came back into 1000000001/,
  ],
  [
    'our own deletion came back to where it came from',
    'I-11',
    (e) => {
      opposite(e);
      e.tables.attempts.push({
        ...e.tables.attempts[2]!,
        ...{ call_id: 'call-gone', operation: 'delete', version: version(22, 2), request_id: 'gone' },
      });
      e.tables.calls.push({ ...e.tables.calls[2]!, id: 'call-gone', request_id: 'gone' });
      to(e).journal.push({
        ...to(e).journal[2]!,
        requestid: 'gone',
        effects: [{ type: 'Invoice', id: '102', act: 'delete', token: '1', requestid: 'gone' }],
      });
      carryBack(e, 'delete', '1');
    },
    /delete of Invoice 102: our own write into company 1000000002 came back into 1000000001/,
  ],
  ['a replay wrote', 'I-12', (e) => void (e.replay!.writes[0]!.writes = 2), /replay of 4 records wrote 2 times/],
  [
    'a failed item does not say why',
    'I-13',
    (e) => void (link(e, 'Invoice').state = 'failed'),
    /is failed and does not say why/,
  ],
  [
    'a record was created again and nobody asked',
    'I-13',
    (e) => void (link(e, 'Invoice').generation = 1),
    /created again 1 times, the audit log says 0/,
  ],
  [
    'what was redriven is nowhere',
    'I-13',
    (e) => {
      e.tables.audit = [...chained('org-a', [['links.redriven', { released: ['Invoice/99'] }]]), e.tables.audit[2]!];
    },
    /Invoice\/99 of sync sync-a was redriven and is nowhere/,
  ],
];

it.each(plants)('%s: %s says so', (_what, id, plant, named) => {
  const evidence = healthy();
  plant(evidence);
  const { judgements, ok } = reportOf(evidence);
  const { verdict } = judgements.find((one) => one.id === id)!;
  expect(verdict.kind === 'violated' && verdict.violations.map(({ what }) => what).join('\n')).toMatch(named);
  expect(ok).toBe(false);
});

it('every invariant has a planted mistake', () => {
  expect(new Set(plants.map(([, id]) => id)).size).toBe(13);
});

it('the first offender is told with its whole life, in the order of time', () => {
  const evidence = healthy();
  to(evidence).records.Invoice = [];
  const { lines } = reportOf(evidence, ['I-01']);
  const life = lines.slice(1, -1);
  const steps = [
    'captured',
    'written down: create',
    'QuickBooks 1000000002',
    'announced: created',
    'written down: update',
    'link: settled',
  ];
  const places = steps.map((step) => life.findIndex((line) => line.includes(step)));
  expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
  const times = life.map((line) => line.trim().slice(0, 24));
  expect(times).toEqual([...times].sort());
});

it('what we wrote under the name that a merge over there left goes home under that name', () => {
  const evidence = healthy();
  opposite(evidence);
  const told = evidence.topics.changes[4]!;
  const snapshot = { Id: '102', SyncToken: '1' };
  const value = { ...told.value, realmId: target, id: '102', version: version(23, 1), snapshot };
  evidence.topics.changes.push({ ...told, key: `${target}/Invoice/102`, value });
  carryBack(evidence, 'update', '2');
  const merged = { ...link(evidence, 'Customer'), sync_id: 'back', source_id: '103', merged_into: '101' };
  evidence.tables.links.push({ ...merged, target_id: null, target_deleted: true });
  expect(reportOf(evidence, ['I-11']).lines[0]).toMatch(/^I-11 ok: /);
});

it('a merge over there moves what refers to the name without a new token, and that is no echo of what was carried', () => {
  const evidence = healthy();
  opposite(evidence);
  const told = (contentHash: string, v: string): void =>
    void evidence.topics.changes.push({
      ...evidence.topics.changes[4]!,
      key: `${target}/Invoice/102`,
      value: {
        ...{ ...evidence.topics.changes[4]!.value, realmId: target, id: '102', version: v, contentHash },
        snapshot: { Id: '102', SyncToken: '1' },
      },
    });
  told('as we wrote it', version(22, 1));
  told('with the name it was merged into', version(23, 1));
  carryBack(evidence, 'update', '2');
  expect(reportOf(evidence, ['I-11']).lines[0]).toMatch(/^I-11 ok: /);
});

it.each([
  ['carries an edit that came just before our write', 1, ['Line'], ['PrivateNote'], true],
  ['names only what our write named', 1, ['Line'], ['Line'], false],
  ['has no edit of anybody to carry', 0, ['Line'], ['PrivateNote'], false],
] as const)('a write back of the version that our write made: %s', (_, edits, sent, back, isFine) => {
  const evidence = healthy();
  opposite(evidence);
  // Token 1 is a person's edit, where there is one; the last write of ours made the token after it.
  const token = String(1 + edits);
  for (const row of to(evidence).journal)
    for (const effect of row.effects ?? []) if (effect.token === '1') effect.token = token;
  const told = evidence.topics.changes[4]!;
  evidence.topics.changes.push({
    ...told,
    key: `${target}/Invoice/102`,
    value: {
      ...told.value,
      realmId: target,
      id: '102',
      version: version(23, 1 + edits),
      snapshot: { Id: '102', SyncToken: token },
    },
  });
  evidence.tables.attempts[2]!.fields = ['Id', 'SyncToken', 'sparse', ...sent];
  carryBack(evidence, 'update', '2');
  Object.assign(evidence.tables.attempts.at(-1)!, { version: version(23, 1 + edits), fields: ['Id', ...back] });
  const said = reportOf(evidence, ['I-11']).lines[0];
  if (isFine) expect(said).toMatch(/^I-11 ok: /);
  else expect(said).toMatch(/^I-11 VIOLATED/);
});

it.each([
  ['after we removed it to let something go', true],
  ['that was never made there before', false],
])('a creation of the version that our write made, of a record %s', (_, wasRemoved) => {
  const evidence = healthy();
  opposite(evidence);
  const told = evidence.topics.changes[4]!;
  const snapshot = { Id: '102', SyncToken: '1' };
  const value = { ...told.value, realmId: target, id: '102', version: version(23, 1), snapshot };
  evidence.topics.changes.push({ ...told, key: `${target}/Invoice/102`, value });
  if (wasRemoved) carryBack(evidence, 'delete', '1', 'removed');
  carryBack(evidence, 'create', '7');
  expect(reportOf(evidence, ['I-11']).lines[0]).toMatch(
    wasRemoved ? /^I-11 ok: / : /create of Invoice 102: our own write/,
  );
});

it.each(['held', 'settled'])('a copy that differs by an edit whose way back is %s', (state) => {
  const evidence = healthy();
  opposite(evidence);
  const invoice = link(evidence, 'Invoice');
  const copy = to(evidence).records.Invoice!.find(({ Id }) => Id === invoice.target_id)!;
  copy.TotalAmt = 0;
  evidence.tables.links.push({
    ...{ ...invoice, sync_id: 'back', source_realm_id: target, target_realm_id: source },
    ...{ source_id: invoice.target_id!, target_id: invoice.source_id, state, failure_code: 'FROZEN.BY_HAND' },
  });
  const said = reportOf(evidence, ['I-01']).lines.join('\n');
  if (state === 'held') expect(said).not.toMatch(/the target differs/);
  else expect(said).toMatch(/the target differs: TotalAmt/);
});

it('a name that the other company merged away is inactive here and not lost; an active one is', () => {
  const judged = (Active: boolean) => {
    const evidence = healthy();
    opposite(evidence);
    const customer = from(evidence).records.Customer![0]!;
    customer.Active = Active;
    // As captured: what was told of it says the same.
    for (const { value } of evidence.topics.changes) if (value?.entityType === 'Customer') value.snapshot = customer;
    to(evidence).records.Customer = [];
    evidence.tables.links.push({
      ...link(evidence, 'Customer'),
      ...{ sync_id: 'back', source_realm_id: target, target_realm_id: source, source_id: '101', target_id: '1' },
      ...{ desired_op: 'delete', target_deleted: true },
    });
    return reportOf(evidence, ['I-01']).lines.join('\n');
  };
  expect(judged(true)).toMatch(/Customer 1: is lost: Customer 101/);
  expect(judged(false)).not.toMatch(/Customer 1: is lost/);
});

it('a file that hangs only on what was deleted is carried nowhere, and that is no loss; one whose document is there is', () => {
  const judged = (...documents: string[]) => {
    const evidence = healthy();
    const AttachableRef = documents.map((value) => ({ EntityRef: { type: 'Invoice', value } }));
    const file = { Id: '9', FileName: 'receipt.pdf', AttachableRef };
    from(evidence).records.Attachable = [file];
    const known = evidence.topics.changes.at(-1)!;
    evidence.topics.changes.push({
      ...known,
      ...{ key: `${source}/Attachable/9`, offset: '99' },
      value: { ...known.value, entityType: 'Attachable', id: '9', deleted: false, snapshot: file },
    });
    const { sync_id, organization_id } = link(evidence, 'Invoice');
    evidence.tables.files.push({
      ...{ sync_id, attachable_id: '9', organization_id, source_realm_id: source, target_realm_id: target },
      ...{ state: 'settled', desired_version: String(known.value.version), desired_deleted: false, target_id: null },
      ...{ request_id: null, source_sha256: null, target_sha256: null, waiting_on: [] },
      ...{ failure_code: null, failure_reason: null },
    });
    return reportOf(evidence, ['I-01']).lines.join('\n');
  };
  expect(judged('77')).toMatch(/^I-01 ok: /);
  for (const lost of [judged('77', '2'), judged('2'), judged()])
    expect(lost).toMatch(/Attachable 9: is settled without a target/);
});

it.each([
  ['a person put it there, and its document was deleted', true, undefined, true],
  ['we put it there', true, app, false],
  ['its document never was', false, undefined, false],
] as const)('a file that points at nothing: %s', (_, wasThere, made, isFine) => {
  const evidence = healthy();
  const { records, deleted, makers } = to(evidence);
  records.Attachable = [{ Id: '9', AttachableRef: [{ EntityRef: { type: 'Bill', value: '77' } }] }];
  if (wasThere) deleted.Bill = [{ Id: '77' }];
  if (made !== undefined) makers['Attachable/9'] = { app: made, at: version(9, 0).slice(0, 24) };
  const said = reportOf(evidence, ['I-05']).lines[0];
  if (isFine) expect(said).toMatch(/^I-05 ok: /);
  else expect(said).toMatch(/^I-05 VIOLATED/);
});

it('what a person deletes in the one company is deleted in the other, and that is no echo of what was carried before', () => {
  const evidence = healthy();
  opposite(evidence);
  // The deletion shows the token of the last edit, which was a person's and was carried.
  carryBack(evidence, 'delete', '1');
  expect(reportOf(evidence, ['I-11']).lines[0]).toMatch(/^I-11 ok: /);
});

it('what is made while the evidence is gathered is no record of nobody: its call stands in the tables a moment later', () => {
  const judged = (moves: boolean) => {
    const evidence = healthy();
    const { makers, records } = evidence.companies.get(target)!;
    records.Invoice!.push({ ...records.Invoice![0], Id: '178' });
    makers['Invoice/178'] = { app, at: '', requestid: 'sent just now' };
    if (moves) evidence.rest.motion.push('1 calls without an end');
    return reportOf(evidence, ['I-02']).ok;
  };
  expect([judged(true), judged(false)]).toEqual([true, false]);
});

describe('what cannot be judged is said, and never counted as ok', () => {
  it.each<[string, string, (e: Evidence) => void]>([
    ['I-08', 'only one organization', (e) => void (e.tables.syncs = e.tables.syncs.slice(0, 1))],
    ['I-12', 'no replay was made', (e) => void delete (e as { replay?: unknown }).replay],
    ['I-07', 'the key of the stored tokens was not given', (e) => void delete (e as { tokenKey?: unknown }).tokenKey],
    ['I-01', 'not at rest', (e) => void e.rest.motion.push('1 links ready')],
  ])('%s: %s', (id, why, plant) => {
    const evidence = healthy();
    plant(evidence);
    const { lines, ok } = reportOf(evidence);
    expect(lines.find((line) => line.startsWith(id))).toMatch(new RegExp(`^${id} not judged: .*${why}`));
    expect(lines.at(-1)).toMatch(/not_judged=\d+$/);
    expect(ok).toBe(false);
  });
});

it('lateness is told by the clock of QuickBooks: one of ours that is wrong makes nobody late', () => {
  const evidence = healthy();
  for (const row of evidence.tables.log) row.duration_ms = 600_000;
  expect(reportOf(evidence, ['I-08']).ok).toBe(true);
});

it('what is written again for a name that was merged is not late: its edit arrived long ago', () => {
  const evidence = healthy();
  const { journal } = evidence.companies.get(target)!;
  const row = journal.find(({ effects }) => effects?.[0]?.type === 'Customer')!;
  const later = new Date(Date.parse(row.time) + 600_000).toISOString();
  journal.push({ ...row, n: journal.length + 100, time: later, startedAt: later });
  expect(reportOf(evidence, ['I-08']).ok).toBe(true);
});

it('what was there before the sync is not late: that the sweep brings it as live makes it no edit', () => {
  const evidence = healthy();
  const old = '2025-01-01T00:00:00.000Z_0000000000_x';
  const attempt = evidence.tables.attempts.find((one) => one.entity_type === 'Customer')!;
  const row = evidence.tables.log.find((one) => one.entity_type === 'Customer')!;
  attempt.version = row.version = old;
  expect(reportOf(evidence, ['I-08']).ok).toBe(true);
});

describe('who was kept waiting on purpose waits for that, and for the rest as promised', () => {
  const others = ['1000000003', '1000000004'];
  const spans = (...all: [fromS: number, toS: number, whom: string][]) =>
    all.map(([fromS, toS, whom]) => ({ fromMs: fromS * 1000, toMs: toS * 1000, whom, why: 'the test says so' }));
  const within = (seconds: number) => new RegExp(`settle within ${seconds} s .* promised are 120 s`);

  it.each<[what: string, takes: number, kept: KeptWaiting[], late: RegExp | undefined]>([
    ['two minutes are in time', 120, [], undefined],
    ['nobody was kept waiting', 121, [], within(121)],
    ['everybody, in the middle', 150, spans([40, 70, 'everybody']), undefined],
    ['everybody, a second too short', 151, spans([40, 70, 'everybody']), within(121)],
    ['from before the edit until after it arrived', 500, spans([-100, 600, 'everybody']), undefined],
    ['it was over when the edit came', 150, spans([-100, 0, 'everybody']), within(150)],
    ['it began when the edit had arrived', 150, spans([150, 400, 'everybody']), within(150)],
    ['of what began before, only what the edit felt', 150, spans([-100, 29, 'everybody']), within(121)],
    ['two after each other', 180, spans([10, 40, 'everybody'], [60, 90, 'everybody']), undefined],
    ['what overlaps counts once', 180, spans([10, 40, 'everybody'], [20, 60, 'everybody']), within(130)],
    ['one within another', 160, spans([10, 50, 'everybody'], [20, 30, 'everybody']), undefined],
    ['its own source', 150, spans([40, 70, source]), undefined],
    ['its own target', 150, spans([40, 70, target]), undefined],
    ['its target, while everybody waits too', 180, spans([40, 70, target], [60, 100, 'everybody']), undefined],
    ['only its neighbour', 150, spans([40, 70, others[0]!], [40, 70, others[1]!]), within(150)],
  ])('%s: an edit that takes %d s', (_, takes, kept, late) => {
    const evidence = healthy();
    const editedMs = delayed(evidence, takes);
    const moved = kept.map((span) => ({ ...span, fromMs: editedMs + span.fromMs, toMs: editedMs + span.toMs }));
    const { ok, lines } = reportOf({ ...evidence, kept: moved }, ['I-08']);
    expect(ok).toBe(late === undefined);
    if (late) expect(lines[0]).toMatch(late);
  });

  it.each<[what: string, of: string, atS: number, tookS: number, late: RegExp | undefined]>([
    ['its target, and it rests for a minute', target, 60, 0, undefined],
    ['its source', source, 60, 0, undefined],
    ['its target, with an answer that came late', target, 10, 40, undefined],
    ['its target, a rest that ended before', target, -60, 0, within(179)],
    ['its target, when the edit was there already', target, 179, 0, within(179)],
    ['its target, half of the rest felt', target, -30, 0, within(149)],
    ["its neighbour's target", others[1]!, 60, 0, within(179)],
  ])('QuickBooks was told to fail at %s', (_, of, atS, tookS, late) => {
    const evidence = healthy();
    const editedMs = delayed(evidence, 179);
    const { journal } = evidence.companies.get(of)!;
    const at = (seconds: number) => new Date(editedMs + seconds * 1000).toISOString();
    journal.push({
      ...to(evidence).journal[0]!,
      ...{ n: journal.length + 100, startedAt: at(atS), time: at(atS + tookS) },
      ...{ status: 429, effects: [], fault: 'throttle' },
    });
    const { ok, lines } = reportOf(evidence, ['I-08']);
    expect(ok).toBe(late === undefined);
    if (late) expect(lines[0]).toMatch(late);
  });
});

/** The customer's edit takes so long from the person to the target. @returns when it was made */
function delayed(evidence: Evidence, seconds: number): number {
  const row = to(evidence).journal.find(({ effects }) => effects?.[0]?.type === 'Customer')!;
  const attempt = evidence.tables.attempts.find((one) => one.entity_type === 'Customer')!;
  const editedMs = Date.parse(attempt.version.slice(0, attempt.version.indexOf('_')));
  row.time = new Date(editedMs + seconds * 1000).toISOString();
  return editedMs;
}
