// A small installation in which all thirteen invariants hold, as evidence: two organizations, one sync each, a customer, an
// invoice (created, then edited) and two accounts carried by calls that were written down. Specs plant mistakes into it.
import { createCipheriv, createHash } from 'node:crypto';
import type { AuditRow, CompanyEvidence, Evidence, JournalRow, LinkRow, TopicRecord } from './evidence.js';

export const source = '1000000001';
export const target = '1000000002';
export const app = 'our-app';
const [organization, neighbour] = ['org-a', 'org-b'];
export const syncId = 'sync-a';
export const key = Buffer.alloc(32, 7);

const at = (second: number): string => new Date(Date.UTC(2026, 10, 21, 12, 0, second)).toISOString();
export const version = (second: number, token: number): string =>
  `${at(second)}_${String(token).padStart(10, '0')}_${at(second)}`;

const company = (realmId: string, shift: number): CompanyEvidence => {
  const id = (n: number): string => String(n + shift);
  const line = (accountId: string, debit: string, credit: string) => ({
    ...{ txnType: 'Invoice', txnId: id(2), date: '2026-11-20', accountId, debit, credit },
  });
  return {
    realmId,
    records: {
      Account: [
        { Id: id(8), Name: 'Accounts Receivable', MetaData: { LastUpdatedTime: at(1) } },
        { Id: id(9), Name: 'Sales', MetaData: { LastUpdatedTime: at(1) } },
      ],
      Customer: [{ Id: id(1), SyncToken: '0', DisplayName: 'Ada', MetaData: { LastUpdatedTime: at(1) } }],
      Invoice: [
        {
          ...{ Id: id(2), SyncToken: '1', TotalAmt: 50, TxnDate: '2026-11-20', CustomerRef: { value: id(1) } },
          MetaData: { LastUpdatedTime: at(20) },
        },
      ],
    },
    deleted: {},
    makers: {},
    journal: [],
    journalWhole: true,
    ledger: [line(id(8), '50.00', '0'), line(id(9), '0', '50.00')],
  };
};

let calls = 0;
const journalRow = (second: number, more: Partial<JournalRow>): JournalRow => ({
  ...{
    n: ++calls,
    time: at(second),
    startedAt: at(second),
    app,
    method: 'POST',
    path: '/v3/company/x/invoice',
    status: 200,
  },
  ...{ tid: `tid-${calls}`, ...more },
});

const link = (entity_type: string, source_id: string, target_id: string, applied: string): LinkRow => ({
  ...{
    sync_id: syncId,
    entity_type,
    source_id,
    organization_id: organization,
    source_realm_id: source,
    target_realm_id: target,
  },
  ...{
    state: 'settled',
    lane: 'live',
    desired_version: applied,
    desired_op: 'upsert',
    applied_version: applied,
    target_id,
  },
  ...{
    target_deleted: false,
    waiting_on: [],
    failure_code: null,
    failure_reason: null,
    generation: 0,
    merged_into: null,
  },
  ...{ differences: null, settled_at: new Date(at(30)) },
});

const record = (value: object, recordKey: string, offset: number): TopicRecord => ({
  ...{ partition: 0, offset: String(offset), at: new Date(at(offset)), key: recordKey, id: `id-${offset}`, value },
});

export function sealed(realmId: string, organizationId: string, token: string): string {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12, 1));
  cipher.setAAD(Buffer.from(`${organizationId}|${realmId}|refresh`));
  const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
  return ['s1', 'k', Buffer.alloc(12, 1), text, cipher.getAuthTag()]
    .map((part) => (typeof part === 'string' ? part : part.toString('base64url')))
    .join('.');
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function chained(organizationId: string, actions: readonly [string, object][]): AuditRow[] {
  let previous = '';
  return actions.map(([action, details], i) => {
    const row = { event_id: `event-${i}`, at: new Date(at(i)), actor: 'admin', action, subject: syncId, details };
    const content = JSON.stringify(
      [row.event_id, row.at.toISOString(), 'admin', action, syncId, details],
      (_k, part: unknown) =>
        part !== null && typeof part === 'object' && !Array.isArray(part)
          ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
          : part,
    );
    const hash = sha256(`${previous}|${i + 1}|${content}`);
    const entry = { ...row, organization_id: organizationId, sequence: String(i + 1), previous_hash: previous, hash };
    previous = hash;
    return entry;
  });
}

const write = (
  second: number,
  type: string,
  sourceId: string,
  id: string,
  act: 'create' | 'update',
  token: string,
  applied: string,
) => {
  const requestid = `r-${type}-${token}`;
  const effect = { type, id, act, token, requestid };
  const outcome = act === 'create' ? 'created' : 'updated';
  return {
    row: journalRow(second, { requestid, effects: [effect] }),
    call: {
      ...{
        id: `call-${requestid}`,
        target_realm_id: target,
        request_id: requestid,
        kind: 'single',
        fence: '1',
        state: 'answered',
      },
      ...{ sends: 1, http_status: 200, tid: null, claimed_at: new Date(at(second)), answered_at: new Date(at(second)) },
    },
    attempt: {
      ...{
        call_id: `call-${requestid}`,
        position: 0,
        sync_id: syncId,
        entity_type: type,
        source_id: sourceId,
        operation: act,
      },
      ...{ request_id: requestid, version: applied, desired_hash: 'h', generation: 0, body_md5: requestid },
      ...{ outcome, code: null, reason: null },
    },
    log: {
      ...{
        at: new Date(at(second)),
        stage: 'settled',
        organization_id: organization,
        sync_id: syncId,
        realm_id: source,
      },
      ...{ entity_type: type, entity_id: sourceId, version: applied, target_realm_id: target, target_id: id },
      ...{ target_sync_token: token, outcome, request_id: requestid, code: null, duration_ms: 900, lane: 'live' },
    },
    result: {
      syncId,
      sourceRealmId: source,
      targetRealmId: target,
      entityType: type,
      sourceId,
      version: applied,
      outcome,
      targetId: id,
    },
    maker: { key: `${type}/${id}`, value: { app, at: at(second), requestid } },
  };
};

export function healthy(): Evidence {
  calls = 0;
  const from = company(source, 0);
  const to = company(target, 100);
  const writes = [
    write(10, 'Customer', '1', '101', 'create', '0', version(1, 0)),
    write(12, 'Invoice', '2', '102', 'create', '0', version(2, 0)),
    write(22, 'Invoice', '2', '102', 'update', '1', version(20, 1)),
  ];
  to.journal.push(...writes.map(({ row }) => row));
  for (const { maker, attempt } of writes) if (attempt.operation === 'create') to.makers[maker.key] = maker.value;
  const change = (type: string, id: string, v: string, snapshot: object, offset: number): TopicRecord =>
    record(
      { realmId: source, entityType: type, id, version: v, deleted: false, origin: { kind: 'cdc' }, snapshot },
      `${source}/${type}/${id}`,
      offset,
    );
  const [accounts, customer, invoice] = [from.records.Account!, from.records.Customer![0], from.records.Invoice![0]];
  const others = ['1000000003', '1000000004'];
  const companies = new Map<string, CompanyEvidence>([
    [source, from],
    [target, to],
    ...others.map((realmId): [string, CompanyEvidence] => [
      realmId,
      { ...company(realmId, 0), records: {}, ledger: [] },
    ]),
  ]);
  const owners = [source, target, ...others].map((realm_id, i) => ({
    realm_id,
    organization_id: i < 2 ? organization : neighbour,
  }));
  return {
    companies,
    ourApps: new Set([app]),
    tokenKey: key,
    interruptions: 0,
    kept: [],
    rest: { motion: [], afterMs: 1200, limitMs: 60_000 },
    replay: { read: 4, writes: [{ realmId: target, writes: 0 }] },
    tokens: {
      calls: [
        {
          ...{ n: 1, startedAt: at(5), time: at(6), app, grantType: 'refresh_token', realmId: source },
          status: 200,
          expiresInMs: 3_600_000,
          rotated: true,
          lost: false,
        },
      ],
      grants: owners.map(({ realm_id }) => ({
        ...{ clientId: app, realmId: realm_id, live: true, startedAt: at(0), refreshSha256: sha256(`RT ${realm_id}`) },
      })),
    },
    topics: {
      notifications: [],
      writes: [],
      deadLetters: [],
      changes: [
        change('Account', '8', version(1, 0), accounts[0], 1),
        change('Account', '9', version(1, 0), accounts[1], 2),
        change('Customer', '1', version(1, 0), customer, 3),
        change('Invoice', '2', version(2, 0), { ...invoice, TotalAmt: 40, SyncToken: '0' }, 4),
        change('Invoice', '2', version(20, 1), invoice, 5),
      ],
      results: writes.map(({ result }, i) => record(result, target, i + 10)),
    },
    tables: {
      organizations: [{ id: organization }, { id: neighbour }],
      companies: owners.map((owner) => ({ ...owner, status: 'connected', status_reason: null })),
      grants: owners.map(({ realm_id, organization_id }) => ({
        ...{ realm_id, organization_id, grant_version: '2', refresh_started_at: null },
        refresh_token_sealed: sealed(realm_id, organization_id, `RT ${realm_id}`),
      })),
      syncs: [
        {
          ...{ id: syncId, organization_id: organization, source_realm_id: source, target_realm_id: target },
          state: 'active',
          created_at: new Date(at(0)),
        },
        {
          ...{ id: 'sync-b', organization_id: neighbour, source_realm_id: others[0]!, target_realm_id: others[1]! },
          state: 'active',
          created_at: new Date(at(0)),
        },
      ],
      layers: [],
      jobs: [],
      cursors: [],
      links: [
        link('Account', '8', '108', version(1, 0)),
        link('Account', '9', '109', version(1, 0)),
        link('Customer', '1', '101', version(1, 0)),
        link('Invoice', '2', '102', version(20, 1)),
      ],
      files: [],
      calls: writes.map(({ call }) => call),
      attempts: writes.map(({ attempt }) => attempt),
      log: writes.map(({ log }) => log),
      audit: [
        ...chained(organization, [
          ['sync.created', {}],
          ['job.started', { kind: 'backfill' }],
        ]),
        ...chained(neighbour, [['sync.created', {}]]),
      ],
      outbox: { waiting: 0, refused: 0 },
    },
  };
}
