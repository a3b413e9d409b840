// The bundle tells what helps and betrays nothing: canaries stand in every place where a company's matters or a secret can be.
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, infrastructure, type FreshDatabase } from '#testing';
import { Database } from '#storage';
import { supportBundle } from './bundle.js';

describe('the support bundle', () => {
  let database: FreshDatabase;
  let db: Database;
  let logs: string;
  let server: Server;
  let bundle: Map<string, string>;
  const planted: string[] = [];
  /** A word that stands nowhere else. */
  const canary = (): string => {
    const word = `Canary${randomBytes(9).toString('hex').replace(/\d/g, 'q')}`;
    planted.push(word);
    return word;
  };

  beforeAll(async () => {
    database = await freshDatabase();
    db = await Database.connect({ ...database, databasePool: 2, applicationName: 'support-spec' });
    await db.migrate();
    const [organizationId, syncId] = [randomUUID(), randomUUID()];
    await db.query('insert into organizations (id, name) values ($1, $2)', [organizationId, canary()]);
    for (const realmId of ['111', '222']) {
      await db.query('insert into companies (realm_id, organization_id, name, status_reason) values ($1, $2, $3, $4)', [
        realmId,
        organizationId,
        canary(),
        canary(),
      ]);
      await db.query(
        `insert into oauth_grants (realm_id, organization_id, access_token_sealed, refresh_token_sealed, access_expires_at, refresh_expires_at)
         values ($1, $2, $3, $4, now(), now())`,
        [realmId, organizationId, canary(), canary()],
      );
    }
    await db.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id, settings) values ($1, $2, '111', '222', $3)`,
      [syncId, organizationId, JSON.stringify({ note: canary() })],
    );
    const name = canary();
    await db.query(
      `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
         desired_version, desired_hash, desired_op, desired_payload, natural_key, before_image, mapping_version, change_id, failure_code, failure_reason)
       values ($1, 'Customer', '58', $2, '111', '222', 'held', 'live', 1, 'v', 'h', 'upsert', $3, $4, $5, 0, 'c', 'QBO.6240', $6)`,
      [
        syncId,
        organizationId,
        JSON.stringify({ DisplayName: name, PrimaryEmailAddr: { Address: `${name}@example.com` } }),
        JSON.stringify({ DisplayName: canary() }),
        JSON.stringify({ Notes: canary() }),
        `Another customer is already using this name: ${name}, "${canary()}", mail ${name}@example.com, IBAN ${canary()}`,
      ],
    );
    await db.query(
      `insert into jobs (id, organization_id, sync_id, kind, state, params, error) values ($1, $2, $3, 'backfill', 'failed', $4, $5)`,
      [randomUUID(), organizationId, syncId, JSON.stringify({ a: canary() }), `the job failed at ${canary()}`],
    );
    await db.query(
      `insert into capture_cursors (realm_id, cdc_since, failures, last_error) values ('111', now(), 3, $1)`,
      [`Bearer ${canary()} was refused for ${canary()}`],
    );
    await db.query(
      `insert into outbox (topic, key, event_id, event_time, value) values ('sync.results.v1', '222', 'e', now(), $1)`,
      [JSON.stringify({ reason: canary() })],
    );
    logs = await mkdtemp(join(tmpdir(), 'support-spec-'));
    const token = canary();
    await writeFile(
      join(logs, 'ingest.log'),
      [
        { level: 'info', msg: canary() },
        {
          ...{ level: 'info', msg: 'started' },
          config: {
            ...{ SYNC_LOG_LEVEL: 'warn', SYNC_TOKEN_KEY: canary(), SYNC_UNKNOWN: canary() },
            SYNC_DATABASE_URL: `postgres://sync:${canary()}@db/sync`,
          },
        },
        {
          ...{
            level: 'warn',
            time: '2026-01-01T00:00:00.000Z',
            service: 'ingest',
            msg: 'look.failed',
            realm: '111',
            code: 'QBO.6240',
          },
          reason: `refused: ${canary()}`,
          access_token: canary(),
          entity: { DisplayName: canary() },
          traceId: '0af7651916cd43dd8448eb211c80319c',
        },
        {
          ...{ level: 'error', msg: `it broke at ${canary()}`, sync: `${canary()} with blanks` },
          err: {
            type: 'Error',
            message: `{"refresh_token":"${token}"} ${canary()}`,
            stack: `Error: ${token}\n    at run (/srv/dist/apps/ingest/src/main.js:12:3)`,
          },
        },
      ]
        .map((line) => JSON.stringify(line))
        .concat(`not JSON ${canary()}`)
        .join('\n'),
    );
    server = createServer((_request, response) => response.end('# HELP up Up.\nup 1\n'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const urlPassword = canary();
    bundle = await supportBundle({
      env: {
        SYNC_DATABASE_URL: `postgres://sync:${urlPassword}@db/sync`,
        SYNC_TOKEN_KEY: canary(),
        SYNC_ADMIN_KEY: canary(),
        SYNC_QBO_CLIENT_SECRET: canary(),
        SYNC_QBO_WEBHOOK_VERIFIER_TOKEN: canary(),
        SYNC_KAFKA_PASSWORD: canary(),
        OTEL_EXPORTER_OTLP_HEADERS: `api-key=${canary()}`,
        SOMEBODY_ELSES_SECRET: canary(),
        SYNC_LOG_LEVEL: 'debug',
      },
      database: { url: database.databaseUrl, schema: database.databaseSchema },
      kafka: { brokers: infrastructure().brokers, prefix: 'support-spec.' },
      apps: { ingest: address, mapper: 'http://127.0.0.1:1' },
      logs,
      now: new Date('2026-11-21T00:00:00Z'),
    });
  }, 120_000);

  afterAll(async () => {
    server.close();
    await rm(logs, { recursive: true });
    await db.close();
    await database.drop();
  });

  it('holds no canary, in no form', () => {
    expect(planted.length).toBeGreaterThan(25);
    const all = [...bundle].map(([file, text]) => `${file}\n${text}`).join('\n');
    const forms = (word: string) => [word, word.toLowerCase(), Buffer.from(word).toString('base64').slice(0, 20)];
    expect(planted.filter((word) => forms(word).some((form) => all.includes(form)))).toEqual([]);
  });

  it('holds what helps', () => {
    const json = (file: string) => JSON.parse(bundle.get(file)!) as Record<string, Record<string, unknown>[]>;
    expect(json('states.json')).toMatchObject({
      links: [{ entity_type: 'Customer', state: 'held', links: 1 }],
      errors: [
        {
          failure_code: 'QBO.6240',
          source_id: '58',
          reason: expect.stringMatching(/^Another customer is already (using|…) this name: …/),
        },
      ],
      cursors: [{ realm_id: '111', failures: 3 }],
      jobs: [{ kind: 'backfill', state: 'failed', reason: 'the job failed at …' }],
      outbox: [{ topic: 'sync.results.v1', records: 1 }],
    });
    expect(json('states.json').migrations!.length).toBeGreaterThan(5);
    const configuration = JSON.parse(bundle.get('configuration.json')!) as Record<string, Record<string, string>>;
    expect(configuration.ingest).toMatchObject({
      SYNC_LOG_LEVEL: 'debug',
      SYNC_TOKEN_KEY: expect.stringMatching(/^\*{8} \(\d+ characters\)$/),
    });
    expect(JSON.parse(bundle.get('apps/ingest.settings.json')!)).toEqual({
      SYNC_LOG_LEVEL: 'warn',
      SYNC_TOKEN_KEY: '********',
      SYNC_DATABASE_URL: 'postgres://********@db/sync',
    });
    const [warned, broke] = JSON.parse(bundle.get('logs/ingest.log.json')!) as Record<string, unknown>[];
    expect(warned).toMatchObject({
      msg: 'look.failed',
      realm: '111',
      code: 'QBO.6240',
      traceId: '0af7651916cd43dd8448eb211c80319c',
    });
    expect(broke).toMatchObject({ err: { at: ['apps/ingest/src/main.js:12'] } });
    expect(bundle.get('apps/ingest.metrics.txt')).toContain('up 1');
    expect(bundle.get('apps/mapper.metrics.txt')).toMatch(/^not to be had/);
    expect(json('kafka.json').topics).toHaveLength(7);
    expect(JSON.parse(bundle.get('about.json')!)).toMatchObject({ madeAt: '2026-11-21T00:00:00.000Z' });
  });
});
