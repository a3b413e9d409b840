// The admin API as a client sees it, on real PostgreSQL and Kafka, with the emulator as QuickBooks.
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { systemClock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle, ServiceModule } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { topics } from '#contracts';
import type { AuditEvent } from '#contracts';
import { TopicReader } from '#kafka';
import { Database, Grants } from '#storage';
import { freshDatabase, freshRealmId, freshTopicPrefix, infrastructure, startEmulator } from '#testing';
import type { EmulatorApp, EmulatorGrant, FreshDatabase, RunningEmulator } from '#testing';
import { ControlModule } from './control.module.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked at field by field
type Answer = { status: number; body: any; type: string };

describe('the admin API', () => {
  const adminKey = 'a key that only this test knows';
  const lifecycle = new Lifecycle();
  let database: FreshDatabase;
  let emulator: RunningEmulator;
  let intuitApp: EmulatorApp;
  let app: NestFastifyApplication;
  let db: Database;
  let address: string;

  beforeAll(async () => {
    database = await freshDatabase();
    emulator = await startEmulator();
    intuitApp = await emulator.createApp();
    const { brokers, registryUrl, databaseUrl } = infrastructure();
    const config = {
      databaseUrl,
      databaseSchema: database.databaseSchema,
      databasePool: 4,
      brokers,
      registryUrl,
      topicPrefix: freshTopicPrefix(),
      qboEnvironment: emulator.url,
      qboClientId: intuitApp.clientId,
      qboClientSecret: intuitApp.clientSecret,
      tokenKey: Buffer.alloc(32, 7).toString('base64'),
      adminKey,
    };
    const root = ServiceModule.forRoot({
      clock: systemClock,
      lifecycle,
      health: new Health(systemClock),
      app: ControlModule.forRoot(config),
    });
    app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    await app.listen(0, '127.0.0.1');
    address = await app.getUrl();
    db = app.get(Database);
  });

  afterAll(async () => {
    await lifecycle.drain(createLog('spec'));
    await app.close();
    await emulator.stop();
    await database.drop();
  });

  async function ask(
    method: 'GET' | 'POST' | 'PATCH',
    url: string,
    payload?: unknown,
    key = adminKey,
  ): Promise<Answer> {
    const answer = await fetch(`${address}${url}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(payload !== undefined && { 'content-type': 'application/json' }),
      },
      ...(payload !== undefined && { body: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
    });
    return {
      status: answer.status,
      type: String(answer.headers.get('content-type')),
      body: await answer.json(),
    };
  }

  async function organization(name = 'Tenant'): Promise<string> {
    return (await ask('POST', '/v1/organizations', { name })).body.id as string;
  }

  const tokensOf = (grant: EmulatorGrant) => ({
    accessToken: grant.accessToken,
    refreshToken: grant.refreshToken,
    expiresIn: grant.expiresIn,
    refreshExpiresIn: grant.refreshTokenExpiresIn,
  });

  async function company(organizationId: string, o: object = {}): Promise<string> {
    const realmId = freshRealmId();
    const tokens = { accessToken: 'access', refreshToken: 'refresh' };
    const answer = await ask('POST', '/v1/companies', { organizationId, realmId, tokens, check: false, ...o });
    expect(answer.status).toBe(201);
    return realmId;
  }

  async function sync(): Promise<{ id: string; organizationId: string; sourceRealmId: string; targetRealmId: string }> {
    const organizationId = await organization();
    const [sourceRealmId, targetRealmId] = [await company(organizationId), await company(organizationId)];
    const answer = await ask('POST', '/v1/syncs', { sourceRealmId, targetRealmId, settings: { note: 'test' } });
    expect(answer.status).toBe(201);
    return answer.body;
  }

  async function link(
    of: Awaited<ReturnType<typeof sync>>,
    sourceId: string,
    state: string,
    op = 'upsert',
  ): Promise<void> {
    await db.query(
      `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
         desired_version, desired_hash, desired_op, mapping_version, change_id, failure_code, failure_reason)
       values ($1, 'Invoice', $2, $3, $4, $5, $6, 'live', 5, 'v', 'h', $7, 1, 'c', 'X.Y', 'because')`,
      [of.id, sourceId, of.organizationId, of.sourceRealmId, of.targetRealmId, state, op],
    );
  }

  it('refuses everything under /v1 without the key, and tells nothing about it', async () => {
    for (const [method, url] of [
      ['GET', '/v1/organizations'],
      ['POST', '/v1/companies'],
      ['GET', `/v1/syncs/${randomUUID()}`],
      ['GET', '/%76%31/organizations'],
      ['GET', '/v1/organizations/'],
      ['GET', '//v1/organizations'],
      ['GET', '/V1/organizations'],
      ['GET', '/health/../v1/organizations'],
    ] as const) {
      const answer = await ask(method, url, method === 'POST' ? {} : undefined, 'a key that someone guessed');
      // 404: the router knows no such spelling.
      expect([url, [401, 404].includes(answer.status)]).toEqual([url, true]);
      if (answer.status === 401)
        expect(answer.body).toMatchObject({ code: 'ADMIN_KEY.WRONG', hint: expect.any(String) });
      expect(answer.type).toContain('application/problem+json');
      expect(JSON.stringify(answer.body)).not.toContain(adminKey);
    }
    for (const url of ['/health/live', '/metrics']) expect((await fetch(address + url)).status).toBe(200);
  });

  it('says with its metrics how the whole installation is: tables, Kafka and chains answered', async () => {
    const text = await (await fetch(`${address}/metrics`)).text();
    for (const known of [
      /^sync_reconciliation_records\{class="equal".*\} \d+$/m,
      /^sync_companies\{status="connected".*\} \d+$/m,
      /^sync_outbox_age_seconds.* \d/m,
      /^sync_database_connections_ratio.* 0\.\d+/m,
      /^sync_quota_utilisation_ratio\{rank="1".*\} \d/m,
      /^sync_audit_chain_broken.* 0$/m,
      /^sync_dead_letters.* \d+$/m,
    ])
      expect(text).toMatch(known);
  });

  it('answers every refusal as a problem with a hint', async () => {
    const refusals: [number, Answer][] = [
      [404, await ask('GET', '/v1/nothing')],
      [404, await ask('GET', '/v1/organizations/not-a-uuid')],
      [404, await ask('GET', `/v1/syncs/${randomUUID()}`)],
      [404, await ask('GET', `/v1/jobs/${randomUUID()}`)],
      [404, await ask('GET', '/v1/companies/123')],
      [400, await ask('POST', '/v1/organizations', '{"name": ')],
      [400, await ask('POST', '/v1/organizations', {})],
      [400, await ask('GET', '/v1/organizations?limit=0')],
      [400, await ask('GET', '/v1/organizations?cursor=nonsense')],
    ];
    for (const [status, answer] of refusals) {
      expect(answer.type).toContain('application/problem+json');
      expect(answer.body).toMatchObject({
        status,
        type: expect.stringMatching(/^urn:sync:problem:/),
        code: expect.stringMatching(/^[A-Z_]+(\.[A-Z_]+)*$/),
        title: expect.any(String),
        detail: expect.any(String),
        hint: expect.any(String),
        instance: expect.stringMatching(/^\/v1\//),
      });
      expect(answer.status).toBe(status);
    }
  });

  it('lists every mistake of a body, unknown fields too', async () => {
    const answer = await ask('POST', '/v1/companies', {
      organizationId: 'x',
      realmId: 'abc',
      tokens: { accessToken: '' },
      chek: true,
    });
    expect(answer.status).toBe(400);
    const fields = (answer.body.errors as { field: string }[]).map((error) => error.field);
    for (const field of ['organizationId', 'realmId', 'tokens.accessToken', 'tokens.refreshToken', 'chek']) {
      expect(fields).toContain(field);
    }
  });

  it('takes a sync back by name and with a reason, once, and carries nothing forward after that', async () => {
    const one = await sync();
    await link(one, '1', 'settled');
    await link(one, '2', 'failed');
    await db.query(
      `update links set target_id = '9', applied_version = 'v', applied_hash = 'h', origin = 'made' where sync_id = $1 and source_id = '1'`,
      [one.id],
    );
    const url = `/v1/syncs/${one.id}/rollback`;
    const forecast = await ask('GET', url);
    expect(forecast.body).toMatchObject({ begun: false, total: { deleted: 1, nothing: 1, held: 0 } });
    expect((await ask('POST', url, {})).status).toBe(400);
    const decision = { author: 'Ada', reason: 'the wrong company' };
    expect(await ask('POST', url, decision)).toMatchObject({ status: 202, body: { kind: 'rollback' } });
    expect(await ask('POST', url, decision)).toMatchObject({ status: 409, body: { code: 'ROLLBACK.BEGUN' } });
    const refused = await Promise.all([
      ask('POST', `/v1/syncs/${one.id}/replay`, {}),
      ask('POST', `/v1/syncs/${one.id}/sweep`, {}),
      ask('PATCH', `/v1/syncs/${one.id}`, { settings: {}, ...decision }),
    ]);
    for (const answer of refused) expect(answer).toMatchObject({ status: 409, body: { code: 'SYNC.ROLLED_BACK' } });
    expect((await ask('POST', `/v1/syncs/${one.id}/pause`)).body).toMatchObject({ state: 'paused' });
    expect((await ask('POST', `/v1/syncs/${one.id}/resume`)).body).toMatchObject({ state: 'rolling_back' });
    // No writer runs here: what it would do is done by hand.
    for (const giveUpAt = Date.now() + 30_000; ; await new Promise((wake) => setTimeout(wake, 50))) {
      const done = await db.query(
        `update links set state = 'settled', rolled_back = 'deleted' where sync_id = $1 and desired_op = 'rollback' returning 1`,
        [one.id],
      );
      if (done.length === 2) break;
      if (Date.now() > giveUpAt) throw new Error('nobody told the links');
    }
    for (const giveUpAt = Date.now() + 30_000; ; await new Promise((wake) => setTimeout(wake, 50))) {
      const { body } = await ask('GET', url);
      if (body.state === 'rolled_back') {
        expect(body).toMatchObject({ total: { deleted: 2, open: 0 }, job: { state: 'done', author: 'Ada' } });
        break;
      }
      if (Date.now() > giveUpAt) throw new Error(JSON.stringify(body));
    }
    expect(await ask('POST', `/v1/syncs/${one.id}/pause`)).toMatchObject({ body: { code: 'SYNC.ROLLED_BACK' } });
  });

  it('pages without skipping or repeating', async () => {
    for (let n = 0; n < 7; n++) await organization(`Page ${n}`);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await ask('GET', `/v1/organizations?limit=3${cursor && `&cursor=${cursor}`}`);
      seen.push(...(body.items as { id: string }[]).map((item) => item.id));
      cursor = body.next ?? '';
    } while (cursor);
    const all = await db.query<{ id: string }>('select id from organizations order by created_at desc, id::text desc');
    expect(seen).toEqual(all.map((row) => row.id));
  });

  it('stores tokens sealed, connects again with new ones, and never gives a company to another organization', async () => {
    const mine = await organization();
    const realmId = await company(mine, { name: 'Source Ltd' });
    const stored = (await app.get(Grants).find(realmId))!;
    expect(JSON.stringify(stored)).not.toMatch(/"(access|refresh)"/);
    const tokens = { accessToken: 'newer', refreshToken: 'newer' };
    const again = await ask('POST', '/v1/companies', { organizationId: mine, realmId, tokens, check: false });
    expect(again).toMatchObject({ status: 200, body: { realmId, name: 'Source Ltd', status: 'connected' } });
    expect((await app.get(Grants).find(realmId))!.grantVersion).toBe('2');
    const other = await organization();
    const stolen = await ask('POST', '/v1/companies', { organizationId: other, realmId, tokens, check: false });
    expect(stolen).toMatchObject({ status: 409, body: { code: 'COMPANY.ELSEWHERE' } });
    expect((await app.get(Grants).find(realmId))!.grantVersion).toBe('2');
  });

  it('checks tokens at once by asking QuickBooks for the company’s name and currency', async () => {
    const organizationId = await organization();
    const { realmId } = await emulator.createCompany({ name: 'Books of Ann' });
    const tokens = tokensOf(await emulator.grant(intuitApp.clientId, realmId));
    const answer = await ask('POST', '/v1/companies', { organizationId, realmId, tokens });
    expect(answer).toMatchObject({
      status: 201,
      body: { realmId, name: 'Books of Ann', homeCurrency: 'USD', status: 'connected' },
    });
  });

  it('refuses tokens that QuickBooks refuses, and the company says reconnect', async () => {
    const organizationId = await organization();
    const { realmId } = await emulator.createCompany({ name: 'Revoked' });
    const tokens = tokensOf(await emulator.grant(intuitApp.clientId, realmId));
    await emulator.revokeGrant(intuitApp.clientId, realmId);
    const answer = await ask('POST', '/v1/companies', { organizationId, realmId, tokens });
    expect(answer).toMatchObject({ status: 422, body: { code: 'COMPANY.GRANT.REFUSED' } });
    expect((await ask('GET', `/v1/companies/${realmId}`)).body).toMatchObject({
      status: 'reconnect_needed',
      statusReason: expect.any(String),
    });
  });

  it('says so when QuickBooks cannot be asked whether the tokens work, and keeps them', async () => {
    const organizationId = await organization();
    const { realmId } = await emulator.createCompany({ name: 'Unreachable' });
    const tokens = tokensOf(await emulator.grant(intuitApp.clientId, realmId));
    await emulator.fault({ match: { realmId }, fault: 'html-503' });
    const answer = await ask('POST', '/v1/companies', { organizationId, realmId, tokens });
    await emulator.clearFaults();
    expect(answer).toMatchObject({ status: 502, body: { code: 'COMPANY.CHECK.FAILED' } });
    expect(await app.get(Grants).find(realmId)).toBeDefined();
    expect(await ask('POST', '/v1/companies', { organizationId, realmId, tokens })).toMatchObject({ status: 200 });
  });

  it('creates a sync with its capture cursor, once per pair', async () => {
    const created = await sync();
    const { sourceRealmId, targetRealmId } = created;
    expect(created).toMatchObject({ state: 'active', settings: { note: 'test' } });
    expect(await db.query('select realm_id from capture_cursors where realm_id = $1', [sourceRealmId])).toHaveLength(1);
    const again = await ask('POST', '/v1/syncs', { sourceRealmId, targetRealmId });
    expect(again).toMatchObject({ status: 409, body: { code: 'SYNC.EXISTS' } });
    const back = await ask('POST', '/v1/syncs', { sourceRealmId: targetRealmId, targetRealmId: sourceRealmId });
    expect(back).toMatchObject({ status: 201, body: { sourceRealmId: targetRealmId } });
  });

  it('makes both of two opposite syncs, and two of a ring of three, that are asked for at the same moment', async () => {
    const organizationId = await organization();
    for (let round = 0; round < 5; round++) {
      const [a, b, c] = [await company(organizationId), await company(organizationId), await company(organizationId)];
      const between = (sourceRealmId: string, targetRealmId: string) =>
        ask('POST', '/v1/syncs', { sourceRealmId, targetRealmId });
      const ring = await Promise.all([between(a, b), between(b, c), between(c, a)]);
      expect(ring.map((answer) => answer.status).sort()).toEqual([201, 201, 409]);
      expect(ring.find(({ status }) => status === 409)).toMatchObject({ body: { code: 'SYNC.LOOP' } });
      const [d, e] = [await company(organizationId), await company(organizationId)];
      expect((await Promise.all([between(d, e), between(e, d)])).map(({ status }) => status)).toEqual([201, 201]);
    }
  });

  it('refuses a sync of one company, of different home currencies, of unknown companies', async () => {
    const organizationId = await organization();
    const [a, b] = [await company(organizationId), await company(organizationId)];
    await db.query(`update companies set home_currency = case realm_id when $1 then 'USD' else 'CAD' end`, [a]);
    const codes = [];
    for (const [sourceRealmId, targetRealmId] of [
      [a, a],
      [a, b],
      [a, '1'],
    ]) {
      codes.push((await ask('POST', '/v1/syncs', { sourceRealmId, targetRealmId })).body.code);
    }
    expect(codes).toEqual(['SYNC.SAME_COMPANY', 'SYNC.CURRENCIES.DIFFER', 'COMPANY.UNKNOWN']);
    await db.query(`update companies set home_currency = null`);
  });

  it('shows a sync: counts by state and type, capture, jobs, lag, quota, outbox, last error, and what moves', async () => {
    const it = await sync();
    await link(it, '1', 'settled');
    await link(it, '2', 'settled');
    await link(it, '3', 'failed');
    await link(it, '4', 'ready');
    await db.query(
      `update links set target_id = '7' || source_id, applied_version = 'v' where sync_id = $1 and state = 'settled'`,
      [it.id],
    );
    // What the first waits for has come, and only its carrier has not looked yet.
    for (const [id, record] of Object.entries({ '7': 'Invoice/1', '8': 'Invoice/3' })) {
      await db.query(
        `insert into attachment_links (sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state, lane,
           desired_version, desired, change_id, waiting_on) values ($1, $2, $3, $4, $5, 'waiting', 'live', 'v', '{}', 'c', $6)`,
        [it.id, id, it.organizationId, it.sourceRealmId, it.targetRealmId, [record]],
      );
    }
    await db.query(
      `insert into captured_entities (realm_id, entity_type, entity_id, version, content_hash, deleted) values ($1, 'Budget', '1', 'v', 'h', false)`,
      [it.sourceRealmId],
    );
    const { body } = await ask('GET', `/v1/syncs/${it.id}`);
    expect(body).toMatchObject({
      id: it.id,
      reported: expect.arrayContaining([
        { type: 'Budget', records: 1, reason: expect.stringContaining('by hand') },
        { type: 'ReimburseCharge', records: 0, reason: expect.any(String) },
      ]),
      source: { realmId: it.sourceRealmId, status: 'connected' },
      counts: {
        total: 4,
        byState: { settled: 2, failed: 1, ready: 1 },
        byType: { Invoice: { settled: 2, failed: 1, ready: 1 } },
      },
      attachments: { ready: 1, waiting: 1 },
      capture: { completeUpTo: null, lookPending: true },
      jobs: [],
      lag: { kafka: expect.any(Array), writes: { pending: 1 } },
      outbox: { size: expect.any(Number) },
      quota: { source: null, target: null },
      lastError: { entityType: 'Invoice', sourceId: '3', failureCode: 'X.Y' },
      quiet: false,
    });
    expect(body.motion).toEqual(expect.arrayContaining(['1 links ready', '1 attachments ready']));
  });

  it('pauses and resumes, telling only changes', async () => {
    const it = await sync();
    for (const [command, state] of [
      ['pause', 'paused'],
      ['pause', 'paused'],
      ['resume', 'active'],
    ]) {
      expect(await ask('POST', `/v1/syncs/${it.id}/${command}`)).toMatchObject({ status: 200, body: { state } });
    }
    const told = (await audited(it.organizationId)).map((event) => event.action);
    expect(told.filter((action) => /paused|resumed/.test(action))).toEqual(['sync.paused', 'sync.resumed']);
  });

  it('starts one backfill and one replay at a time, and shows the job', async () => {
    const it = await sync();
    for (const kind of ['backfill', 'replay']) {
      const started = await ask('POST', `/v1/syncs/${it.id}/${kind}`, { types: ['Invoice'] });
      expect(started).toMatchObject({ status: 202, body: { kind, state: 'queued', params: { types: ['Invoice'] } } });
      expect((await ask('GET', `/v1/jobs/${started.body.id}`)).body).toEqual(started.body);
      const second = await ask('POST', `/v1/syncs/${it.id}/${kind}`);
      expect(second).toMatchObject({ status: 409, body: { code: 'JOB.UNFINISHED' } });
      expect(second.body.detail).toContain(started.body.id);
    }
    expect(await ask('POST', `/v1/syncs/${it.id}/backfill`, { types: ['Invoyce'] })).toMatchObject({ status: 400 });
  });

  /** A company of the emulator, connected with tokens that work. */
  async function connected(organizationId: string, o: Record<string, unknown>): Promise<string> {
    const { realmId } = await emulator.createCompany({ name: 'Books', ...o });
    const tokens = tokensOf(await emulator.grant(intuitApp.clientId, realmId));
    expect((await ask('POST', '/v1/companies', { organizationId, realmId, tokens })).status).toBe(201);
    return realmId;
  }

  it('compares two companies when their sync is made, shows what it found, and looks again when asked', async () => {
    const organizationId = await organization();
    const sourceRealmId = await connected(organizationId, {});
    const targetRealmId = await connected(organizationId, {
      preferences: { SalesFormsPrefs: { AutoApplyCredit: true }, AccountingInfoPrefs: { TrackDepartments: false } },
    });
    const made = (await ask('POST', '/v1/syncs', { sourceRealmId, targetRealmId })).body;
    const { preflight } = (await ask('GET', `/v1/syncs/${made.id}`)).body;
    expect(preflight).toMatchObject({ blocks: false, checkedAt: expect.any(String) });
    const codes = (found: { findings: { code: string }[] }) => found.findings.map((one) => one.code).sort();
    expect(codes(preflight)).toEqual(['PREFLIGHT.AUTO_APPLY', 'PREFLIGHT.NUMBERS', 'PREFLIGHT.TRACKING']);
    await emulator.steer('PUT', `companies/${targetRealmId}/preferences`, {
      SalesFormsPrefs: { AutoApplyCredit: false, CustomTxnNumbers: true },
    });
    expect(codes((await ask('GET', `/v1/syncs/${made.id}/preflight`)).body)).toEqual(['PREFLIGHT.TRACKING']);
    expect(codes((await ask('GET', `/v1/syncs/${made.id}`)).body.preflight)).toEqual(['PREFLIGHT.TRACKING']);
    expect(await ask('POST', `/v1/syncs/${made.id}/backfill`)).toMatchObject({ status: 202 });

    // One of two opposite syncs is told what the other one's mapping does not undo.
    const back = (await ask('POST', '/v1/syncs', { sourceRealmId: targetRealmId, targetRealmId: sourceRealmId })).body;
    const rules = { entities: { Invoice: { documentNumber: { kind: 'prefix', text: 'X-' } } } };
    await ask('POST', `/v1/syncs/${back.id}/mapping`, {
      rules,
      author: 'a person',
      reason: 'numbers of two companies',
    });
    const { findings } = (await ask('GET', `/v1/syncs/${made.id}/preflight`)).body;
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: 'PREFLIGHT.PAIR_MAPPING',
        subject: 'Invoice: DocNumber',
        target: 'the opposite sync: prefix "X-"',
      }),
    );
  });

  it('validates a migration, and keeps the report with who asked for it and why', async () => {
    const organizationId = await organization();
    const realms = [await connected(organizationId, {}), await connected(organizationId, {})] as const;
    const made = (await ask('POST', '/v1/syncs', { sourceRealmId: realms[0], targetRealmId: realms[1] })).body;
    const url = `/v1/syncs/${made.id}/validation`;
    expect(await ask('GET', url)).toMatchObject({ status: 404 });
    expect(await ask('POST', url, { author: 'Ada' })).toMatchObject({ status: 400 });
    const signed = { author: 'Ada', reason: 'before we begin' };
    expect(await ask('POST', url, signed)).toMatchObject({ status: 201, body: { number: 1, verdict: 'baseline' } });
    // A record of which the target has nothing, and one that waits for a person.
    await link(made, '1', 'held');
    await db.query(`update links set target_id = '999' where sync_id = $1`, [made.id]);
    const second = (await ask('POST', url, { ...signed, reason: 'before the cut-over' })).body;
    expect(second).toMatchObject({ number: 2, verdict: 'different', baseline: 1, author: 'Ada' });
    expect(second.differences).toContainEqual(expect.objectContaining({ kind: 'held', subject: 'Invoice' }));
    const shown = (await ask('GET', `${url}?number=1`)).body;
    expect(shown).toMatchObject({ number: 1, reason: 'before we begin', validations: [{ number: 2 }, { number: 1 }] });
    expect(await audited(organizationId)).toContainEqual(
      expect.objectContaining({ action: 'sync.validated', subject: made.id }),
    );
  });

  it('starts no backfill into a company that cannot become equal, unless a person says why', async () => {
    const organizationId = await organization();
    const sourceRealmId = await connected(organizationId, {});
    const targetRealmId = await connected(organizationId, { preferences: { TaxPrefs: { PartnerTaxEnabled: true } } });
    const made = (await ask('POST', '/v1/syncs', { sourceRealmId, targetRealmId })).body;
    const refused = await ask('POST', `/v1/syncs/${made.id}/backfill`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'PREFLIGHT.BLOCKED' } });
    expect(refused.body.detail).toContain('PREFLIGHT.TAX_ENGINE');
    const overridden = { override: 'no taxed sales in this company' };
    expect(await ask('POST', `/v1/syncs/${made.id}/backfill`, overridden)).toMatchObject({ status: 202 });
    expect(await audited(organizationId)).toContainEqual(
      expect.objectContaining({
        action: 'sync.preflight.overridden',
        subject: made.id,
        details: expect.objectContaining({ reason: overridden.override, codes: ['PREFLIGHT.TAX_ENGINE'] }),
      }),
    );
  });

  it('starts a backfill without a reason once what blocked was mended', async () => {
    const organizationId = await organization();
    const sourceRealmId = await connected(organizationId, {});
    const targetRealmId = await connected(organizationId, { preferences: { TaxPrefs: { UsingSalesTax: false } } });
    const made = (await ask('POST', '/v1/syncs', { sourceRealmId, targetRealmId })).body;
    expect(await ask('POST', `/v1/syncs/${made.id}/backfill`)).toMatchObject({ status: 409 });
    await emulator.steer('PUT', `companies/${targetRealmId}/preferences`, { TaxPrefs: { UsingSalesTax: true } });
    expect(await ask('POST', `/v1/syncs/${made.id}/backfill`)).toMatchObject({ status: 202 });
  });

  it('says so when a company cannot be read for the preflight', async () => {
    const made = await sync();
    expect((await ask('GET', `/v1/syncs/${made.id}`)).body.preflight).toBeNull();
    const answer = await ask('GET', `/v1/syncs/${made.id}/preflight`);
    expect(answer).toMatchObject({ status: 502, body: { code: 'PREFLIGHT.COMPANY_UNREADABLE' } });
  });

  it('lists links by state with pages', async () => {
    const it = await sync();
    for (let n = 1; n <= 5; n++) await link(it, String(n), n % 2 ? 'held' : 'settled');
    const first = await ask('GET', `/v1/syncs/${it.id}/links?state=held,failed&limit=2`);
    const second = await ask('GET', `/v1/syncs/${it.id}/links?state=held,failed&limit=2&cursor=${first.body.next}`);
    const ids = [...first.body.items, ...second.body.items].map((item: { sourceId: string }) => item.sourceId);
    expect(ids).toEqual(['1', '3', '5']);
    expect(second.body.next).toBeUndefined();
    expect(await ask('GET', `/v1/syncs/${it.id}/links?state=stuck`)).toMatchObject({ status: 400 });
  });

  const decision = { author: 'Ada', reason: 'the period was reopened' };

  it('takes no redrive without who and why', async () => {
    const it = await sync();
    await link(it, '1', 'held');
    for (const path of ['links/Invoice/1/redrive', 'links/redrive']) {
      expect(await ask('POST', `/v1/syncs/${it.id}/${path}`, { author: 'Ada' })).toMatchObject({ status: 400 });
      expect(await ask('POST', `/v1/syncs/${it.id}/${path}`, { reason: 'because' })).toMatchObject({ status: 400 });
    }
    expect((await audited(it.organizationId)).filter((event) => event.action === 'links.redriven')).toEqual([]);
  });

  it('redrives a link once, with an audit entry, whoever presses the button twice (I-13)', async () => {
    const it = await sync();
    for (const [id, state] of Object.entries({ '1': 'held', '2': 'failed', '3': 'uncertain', '4': 'settled' })) {
      await link(it, id, state);
    }
    await db.query(`update links set due_at = now() + interval '1 minute' where sync_id = $1`, [it.id]);
    const presses = await Promise.all(
      ['1', '1', '2', '2', '3', '3', '4'].map((id) =>
        ask('POST', `/v1/syncs/${it.id}/links/Invoice/${id}/redrive`, decision),
      ),
    );
    expect(presses.map((press) => press.status).sort()).toEqual([200, 200, 200, 409, 409, 409, 409]);
    const told = (await audited(it.organizationId)).filter((event) => event.action === 'links.redriven');
    expect(told.map((event) => (event.details.released as string[])[0]).sort()).toEqual([
      'Invoice/1',
      'Invoice/2',
      'Invoice/3',
    ]);
    expect(told[0]).toMatchObject({ details: decision, at: expect.stringMatching(/^\d{4}-/) as string });
    // What may have happened is asked about again, never made ready: it could be created twice (I-02).
    const states = await db.query(
      `select source_id as id, state, due_at <= now() as due from links where sync_id = $1 order by 1`,
      [it.id],
    );
    expect(states).toEqual([
      { id: '1', state: 'ready', due: true },
      { id: '2', state: 'ready', due: true },
      { id: '3', state: 'uncertain', due: true },
      { id: '4', state: 'settled', due: false },
    ]);
    expect(await ask('POST', `/v1/syncs/${it.id}/links/Invoice/99/redrive`, decision)).toMatchObject({ status: 404 });
  });

  it('lists and redrives files as it does records', async () => {
    const it = await sync();
    for (const [id, state] of Object.entries({ '7': 'failed', '8': 'held', '9': 'settled' })) {
      await db.query(
        `insert into attachment_links (sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state, lane,
           desired_version, desired, change_id) values ($1, $2, $3, $4, $5, $6, 'live', 'v', '{"fileName": "a.pdf"}', 'c')`,
        [it.id, id, it.organizationId, it.sourceRealmId, it.targetRealmId, state],
      );
    }
    await link(it, '1', 'failed');
    const base = `/v1/syncs/${it.id}/links`;
    const first = (await ask('GET', `${base}?type=Attachable&limit=2`)).body;
    const second = (await ask('GET', `${base}?type=Attachable&limit=2&cursor=${first.next}`)).body;
    expect([...first.items, ...second.items].map((file) => `${file.sourceId} ${file.state} ${file.fileName}`)).toEqual([
      '7 failed a.pdf',
      '8 held a.pdf',
      '9 settled a.pdf',
    ]);
    expect(await ask('POST', `${base}/Attachable/7/redrive`, decision)).toMatchObject({
      status: 200,
      body: { released: 1 },
    });
    expect(await ask('POST', `${base}/Attachable/7/redrive`, decision)).toMatchObject({ status: 409 });
    const rest = await ask('POST', `${base}/redrive`, decision);
    expect(rest.body.links).toEqual([
      { entityType: 'Invoice', sourceId: '1' },
      { entityType: 'Attachable', sourceId: '8' },
    ]);
    expect((await ask('GET', `/v1/syncs/${it.id}`)).body.attachments).toEqual({ ready: 2, settled: 1 });
  });

  it('asks for a look, of sources only', async () => {
    const it = await sync();
    const looked = await ask('POST', `/v1/companies/${it.sourceRealmId}/look`);
    expect(looked).toMatchObject({ status: 202, body: { realmId: it.sourceRealmId, lookRequested: '1' } });
    expect((await ask('GET', `/v1/syncs/${it.id}`)).body.motion).toContain('a look at the source is due');
    await db.query(
      `update capture_cursors set look_done = look_requested, complete_up_to = now() where realm_id = $1`,
      [it.sourceRealmId],
    );
    expect((await ask('GET', `/v1/syncs/${it.id}`)).body.capture.lookPending).toBe(false);
    const target = await ask('POST', `/v1/companies/${it.targetRealmId}/look`);
    expect(target).toMatchObject({ status: 409, body: { code: 'COMPANY.NOT_A_SOURCE' } });
  });

  it('keeps every version of a mapping layer with author and reason, and names each mistake in the rules', async () => {
    const it = await sync();
    const add = (body: object) =>
      ask('POST', `/v1/syncs/${it.id}/mapping`, { author: 'ann', reason: 'first', ...body });
    const own = await add({ layer: 'organization', rules: { entities: { '*': { omit: ['Memo'] } } } });
    const first = await add({ rules: { entities: { Bill: { excluded: true } } } });
    const second = await add({ rules: { entities: { Bill: { excluded: false } } }, reason: 'changed our mind' });
    expect([own.status, first.status, second.status]).toEqual([201, 201, 201]);
    expect(second.body.version).toBeGreaterThan(first.body.version);
    const { body } = await ask('GET', `/v1/syncs/${it.id}/mapping`);
    expect(body.version).toBe(second.body.version);
    expect(body.layers.map((layer: { layer: string; version: number }) => [layer.layer, layer.version])).toEqual([
      ['organization', own.body.version],
      ['sync', second.body.version],
    ]);
    expect(body.layers[1]).toMatchObject({
      author: 'ann',
      reason: 'changed our mind',
      rules: { entities: { Bill: { excluded: false } } },
    });
    // As it was, and what made one record what it is: every layer that spoke, the last one decided.
    const before = await ask('GET', `/v1/syncs/${it.id}/mapping?version=${first.body.version}`);
    expect(before.body.layers[1]).toMatchObject({ reason: 'first', rules: { entities: { Bill: { excluded: true } } } });
    expect(await ask('GET', `/v1/syncs/${it.id}/mapping?version=x`)).toMatchObject({ status: 400 });
    await link(it, '1', 'settled');
    await db.query(`update links set mapping_version = $2, entity_type = 'Bill' where sync_id = $1`, [
      it.id,
      second.body.version,
    ]);
    const record = await ask('GET', `/v1/syncs/${it.id}/mapping/records/Bill/1`);
    expect(record.body).toMatchObject({
      version: second.body.version,
      layers: [{ layer: 'organization' }, { layer: 'sync', author: 'ann', reason: 'changed our mind' }],
      rules: {
        excluded: { value: false, from: [{ layer: 'sync', id: second.body.version }] },
        omit: { Memo: { value: true, from: [{ layer: 'organization', id: own.body.version }] } },
      },
    });
    expect(await ask('GET', `/v1/syncs/${it.id}/mapping/records/Bill/2`)).toMatchObject({ status: 404 });
    const odd = await add({ rules: { entities: { Bil: {}, Bill: { adopt: 'no' } } } });
    expect(odd).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'rules.entities.Bil' }, { field: 'rules.entities.Bill.adopt' }] },
    });
  });

  it('changes the settings of a sync by versions, with author and reason, and nothing that makes it another sync', async () => {
    const it = await sync();
    const change = (body: object) => ask('PATCH', `/v1/syncs/${it.id}`, { author: 'ann', reason: 'agreed', ...body });
    expect(await ask('PATCH', `/v1/syncs/${it.id}`, { settings: {} })).toMatchObject({
      status: 400,
      body: { errors: expect.arrayContaining([expect.objectContaining({ field: 'author' })]) },
    });
    expect(await change({ settings: { drift: 'merge', colisions: {} } })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'settings.drift' }, { field: 'settings.colisions' }] },
    });
    expect(await change({ settings: {}, targetRealmId: it.sourceRealmId })).toMatchObject({
      status: 409,
      body: { code: 'SYNC.FIXED', detail: expect.stringContaining('targetRealmId') },
    });
    const second = await change({ settings: { drift: { default: 'hold', Bill: 'keep' } }, version: 1 });
    expect(second).toMatchObject({
      status: 200,
      body: { settingsVersion: 2, settings: { note: 'test', drift: { default: 'hold', Bill: 'keep' } } },
    });
    expect(await change({ settings: { note: 'late' }, version: 1 })).toMatchObject({
      status: 409,
      body: { code: 'SETTINGS.CHANGED', detail: expect.stringContaining('version 2') },
    });
    // What is named the same as it is changes nothing, and is no version.
    expect(await change({ settings: { note: 'test' } })).toMatchObject({ body: { settingsVersion: 2 } });
    const third = await change({ settings: { note: null, drift: { Bill: null } }, reason: 'bills too' });
    expect(third.body).toMatchObject({ settingsVersion: 3, settings: { drift: { default: 'hold' } } });
    expect(third.body.settings).not.toHaveProperty('note');
    // Two at once are two versions, one after the other.
    const both = await Promise.all([change({ settings: { twins: 'leave' } }), change({ settings: { note: 'x' } })]);
    expect(both.map(({ body }) => body.settingsVersion).sort()).toEqual([4, 5]);

    const { body } = await ask('GET', `/v1/syncs/${it.id}/settings`);
    expect(body).toMatchObject({ version: 5, settings: { drift: { default: 'hold' }, twins: 'leave', note: 'x' } });
    expect(body.versions.map((one: { version: number; author: string; reason: string }) => one)).toMatchObject([
      { version: 5, author: 'ann' },
      { version: 4, author: 'ann' },
      { version: 3, author: 'ann', reason: 'bills too' },
      { version: 2, author: 'ann', reason: 'agreed' },
      { version: 1, author: 'admin', reason: 'the sync was made' },
    ]);
    const first = await ask('GET', `/v1/syncs/${it.id}/settings?version=1`);
    expect(first.body).toMatchObject({ version: 1, settings: { note: 'test' } });
    expect(await ask('GET', `/v1/syncs/${it.id}/settings?version=9`)).toMatchObject({ status: 404 });
    expect((await ask('GET', `/v1/syncs/${it.id}`)).body).toMatchObject({ settingsVersion: 5 });
    const told = (await audited(it.organizationId)).filter(({ action }) => action === 'sync.settings.changed');
    expect(told.map(({ details }) => details.version)).toEqual([2, 3, 4, 5]);
    expect(told[0]).toMatchObject({ details: { before: { note: 'test' }, author: 'ann', reason: 'agreed' } });
  });

  it('lets go what was held because of the settings that changed, and nothing else', async () => {
    const it = await sync();
    const held = async (sourceId: string, code: string, entityType = 'Customer') => {
      await link(it, sourceId, 'held');
      await db.query(
        `update links set failure_code = $3, failure_reason = 'x', entity_type = $4 where sync_id = $1 and source_id = $2`,
        [it.id, sourceId, code, entityType],
      );
    };
    await held('11', 'COLLISION.NAME');
    await held('12', 'PARENT.HELD');
    await held('13', 'DRIFT', 'Invoice');
    await held('14', 'DRIFT', 'Bill');
    const change = (settings: object) =>
      ask('PATCH', `/v1/syncs/${it.id}`, { settings, author: 'ann', reason: 'agreed' });
    const ready = async () =>
      (await ask('GET', `/v1/syncs/${it.id}/links?state=ready`)).body.items.map((one: Answer['body']) => one.sourceId);
    expect((await change({ collisions: { names: 'suffix' } })).body.reconsidered).toBe(1);
    expect(await ready()).toEqual(['11']);
    expect((await change({ drift: { default: 'keep', Bill: 'hold' } })).body.reconsidered).toBe(0);
    expect((await change({ drift: { Bill: 'overwrite' } })).body.reconsidered).toBe(1);
    expect((await ready()).sort()).toEqual(['11', '14']);
  });

  /** What reached Kafka about an organization. */
  async function audited(organizationId: string): Promise<AuditEvent[]> {
    while ((await db.query('select from outbox limit 1')).length > 0) await systemClock.sleep(20);
    const found: AuditEvent[] = [];
    await app.get(TopicReader).read(topics.audit.name, {}, async (batch) => {
      for (const record of batch.records) {
        const event = record.value as AuditEvent | null;
        if (event?.organizationId === organizationId) found.push(event);
      }
    });
    return found.sort((a, b) => (a.at < b.at ? -1 : 1));
  }
});
