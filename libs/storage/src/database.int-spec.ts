// The schema and its wall between organizations, on a real PostgreSQL.
import { randomBytes, randomUUID } from 'node:crypto';
import { Database } from './database.js';
import type { Tx } from './database.js';
import { migrations } from './migrations/index.js';
import { freshDatabase, testDatabaseUrl } from './fresh-database.fixture.js';
import type { FreshDatabase } from './fresh-database.fixture.js';

describe('migrations', () => {
  const names = migrations.map((migration) => migration.name);
  const revertAll = async (db: Database) => {
    for (const _ of names) await db.revertLastMigration();
  };
  const columns = `select table_name, column_name, data_type from information_schema.columns
    where table_schema = current_schema() and table_name <> 'schema_migrations' order by 1, 2`;

  it('run up, down and up again as a superuser, and end at the same schema', async () => {
    const fresh = await freshDatabase({ migrate: false });
    try {
      expect(await fresh.db.migrate()).toEqual(names);
      const before = await fresh.db.query(columns);
      expect(before.length).toBeGreaterThan(100);
      expect(await fresh.db.migrate()).toEqual([]);
      await revertAll(fresh.db);
      expect(await fresh.db.query(columns)).toEqual([]);
      expect(await fresh.db.migrate()).toEqual(names);
      expect(await fresh.db.query(columns)).toEqual(before);
    } finally {
      await fresh.drop();
    }
  });

  it('run as an ordinary role that owns only its schema, whose tenant transactions then work', async () => {
    const admin = await freshDatabase(); // sync_tenant exists from here on
    const role = `owner_${randomBytes(4).toString('hex')}`;
    const schema = `s_${role}`;
    await admin.db.query(`create role ${role} login password 'x' nosuperuser nocreaterole nocreatedb`);
    await admin.db.query(`grant sync_tenant to ${role} with inherit false, set true`);
    await admin.db.query(`create schema ${schema} authorization ${role}`);
    const url = new URL(testDatabaseUrl());
    url.username = role;
    url.password = 'x';
    const db = await connect(url.href, schema);
    try {
      await db.migrate();
      await revertAll(db);
      await db.migrate();
      const [a, b] = await twoOrganizations(db);
      const seen = await db.withTenant(a, (tx) => tx.query('select organization_id from syncs'));
      expect(seen).toEqual([{ organization_id: a }]);
      const all = await db.query<{ organization_id: string }>('select organization_id from syncs');
      expect(all.map((row) => row.organization_id).sort()).toEqual([a, b].sort());
    } finally {
      await db.close();
      await admin.db.query(`drop schema ${schema} cascade`);
      await admin.db.query(`drop owned by ${role}`);
      await admin.db.query(`drop role ${role}`);
      await admin.drop();
    }
  });

  it('tell an ordinary role without the tenant role what an administrator has to do', async () => {
    const admin = await freshDatabase();
    const role = `poor_${randomBytes(4).toString('hex')}`;
    const schema = `s_${role}`;
    await admin.db.query(`create role ${role} login password 'x'`);
    await admin.db.query(`create schema ${schema} authorization ${role}`);
    const url = new URL(testDatabaseUrl());
    url.username = role;
    url.password = 'x';
    const db = await connect(url.href, schema);
    try {
      await expect(db.migrate()).rejects.toThrow(`grant sync_tenant to ${role}`);
      expect(
        await admin.db.query(`select from pg_tables where schemaname = $1 and tablename <> 'schema_migrations'`, [
          schema,
        ]),
      ).toHaveLength(0);
    } finally {
      await db.close();
      await admin.db.query(`drop schema ${schema} cascade`);
      await admin.db.query(`drop role ${role}`);
      await admin.drop();
    }
  });

  it('run once when several processes start together', async () => {
    const fresh = await freshDatabase({ migrate: false });
    try {
      const processes = await Promise.all([1, 2, 3].map(() => fresh.another({ databasePool: 1 })));
      const ran = await Promise.all(processes.map((db) => db.migrate()));
      expect(ran.flat()).toEqual(names);
    } finally {
      await fresh.drop();
    }
  });
});

describe('the wall between organizations', () => {
  let fresh: FreshDatabase;
  let organizations: string[];
  beforeAll(async () => {
    fresh = await freshDatabase({ databasePool: 3 });
    organizations = await Promise.all(Array.from({ length: 5 }, (_, n) => organization(fresh.db, n)));
  });
  afterAll(() => fresh.drop());

  it('stands on every table with organization_id: row-level security forced, a policy with USING and WITH CHECK', async () => {
    const open = await fresh.db.query(`
      select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = current_schema() and c.relkind in ('r', 'p')
        and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped)
        and not (c.relrowsecurity and c.relforcerowsecurity
          and (c.relispartition or exists (select from pg_policy p where p.polrelid = c.oid and p.polqual is not null
               and p.polwithcheck is not null and p.polroles = array[(select oid from pg_roles where rolname = 'sync_tenant')])))`);
    expect(open).toEqual([]);
  });

  it('leaves a tenant no right on a table without organization_id, save its own name and adding to the outbox', async () => {
    const rights = await fresh.db.query(`
      select c.relname || ' ' || p.privilege as right from pg_class c join pg_namespace n on n.oid = c.relnamespace,
        unnest(array['select', 'insert', 'update', 'delete', 'truncate']) p (privilege)
      where n.nspname = current_schema() and c.relkind in ('r', 'p', 'v') and has_table_privilege('sync_tenant', c.oid, p.privilege)
        and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id')
      order by 1`);
    expect(rights).toEqual([{ right: 'organizations select' }, { right: 'outbox insert' }]);
  });

  it('never shows a tenant a row of another one, whatever it asks (1,000 random reads and writes)', async () => {
    let seed = 20261121;
    const random = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n;
    for (let round = 0; round < 1000; round++) {
      const mine = organizations[random(5)]!;
      const other = organizations[random(5)]!;
      await fresh.db.withTenant(mine, async (tx) => {
        const seen = await askings[random(askings.length)]!(tx, other);
        for (const row of seen) expect(row.organization_id).toBe(mine);
      });
    }
    const counts = await fresh.db.query<{ n: number }>(
      'select count(*)::int as n from links group by organization_id union select count(*)::int from syncs group by organization_id',
    );
    expect(counts).toEqual([{ n: 1 }]);
  });

  it('refuses a row written for another organization', async () => {
    const [mine, other] = organizations;
    await expect(
      fresh.db.withTenant(mine!, (tx) => tx.query(`update syncs set organization_id = $1`, [other])),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(
      fresh.db.withTenant(mine!, (tx) =>
        tx.query(`insert into companies (realm_id, organization_id, name) values ('777', $1, 'x')`, [other]),
      ),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('shows a tenant without an organization nothing', async () => {
    const seen = await fresh.db.withTransaction(async (tx) => {
      await tx.query(`set local role sync_tenant`);
      return tx.query('select * from companies');
    });
    expect(seen).toEqual([]);
  });

  it('lets tenants read template mappings and no other organization’s, and change none of the templates', async () => {
    await fresh.db.query(
      `insert into mapping_layers (layer, rules, author, reason) values ('template', '{}', 'us', 'start')`,
    );
    for (const id of organizations.slice(0, 2)) {
      await fresh.db.query(
        `insert into mapping_layers (layer, organization_id, rules, author, reason) values ('organization', $1, '{}', 'them', 'own')`,
        [id],
      );
    }
    const [mine] = organizations;
    const seen = await fresh.db.withTenant(mine!, (tx) =>
      tx.query('select layer, organization_id from mapping_layers order by layer'),
    );
    expect(seen).toEqual([
      { layer: 'organization', organization_id: mine },
      { layer: 'template', organization_id: null },
    ]);
    const changed = await fresh.db.withTenant(mine!, (tx) =>
      tx.query(`update mapping_layers set author = 'me' where layer = 'template' returning id`),
    );
    expect(changed).toEqual([]);
    await expect(
      fresh.db.withTenant(mine!, (tx) =>
        tx.query(`insert into mapping_layers (layer, rules, author, reason) values ('template', '{}', 'me', 'x')`),
      ),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('holds between 200 concurrent transactions over a pool of three, failed ones among them', async () => {
    const seen = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const mine = organizations[n % 5]!;
        const work = async (tx: Tx) => {
          const first = await tx.query<{ organization_id: string }>('select organization_id from links');
          if (n % 7 === 0) throw new Error('this one fails');
          const second = await tx.query<{ organization_id: string }>('select organization_id from syncs');
          return [...first, ...second].every((row) => row.organization_id === mine) && first.length === 1;
        };
        return fresh.db.withTenant(mine, work).catch((error: Error) => error.message === 'this one fails');
      }),
    );
    expect(seen.every(Boolean)).toBe(true);
  });

  it('goes on after PostgreSQL cut every connection, in the middle of a transaction too', async () => {
    const cut = await fresh.another({ databasePool: 3 });
    await Promise.all([1, 2, 3].map(() => cut.query('select pg_sleep(0.01)')));
    const pids = async (tx: Tx) => tx.query<{ pid: number }>('select pg_backend_pid() as pid');
    const [idle] = await pids(cut);
    const work = cut.withTenant(organizations[0]!, async (tx) => {
      const [mine] = await pids(tx);
      await fresh.db.query('select pg_terminate_backend(pid) from unnest($1::int[]) as t (pid)', [
        [idle!.pid, mine!.pid],
      ]);
      return tx.query('select 1');
    });
    await expect(work).rejects.toThrow();
    const seen = await Promise.all(
      organizations.map((id) => cut.withTenant(id, (tx) => tx.query('select organization_id from syncs'))),
    );
    expect(seen.flat().map((row) => row.organization_id)).toEqual(organizations);
  });

  it('ends with the transaction: the next user of the connection is the apps’ own login again', async () => {
    const one = await fresh.another({ databasePool: 1 });
    const [{ login }] = (await one.query<{ login: string }>('select current_user as login')) as [{ login: string }];
    await one.withTenant(organizations[0]!, (tx) => tx.query('select 1'));
    await expect(one.withTenant(organizations[0]!, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const after = await one.query(`select current_user as login, current_setting('sync.organization_id', true) as org`);
    expect(after).toEqual([{ login, org: '' }]);
  });
});

const askings: ((tx: Tx, other: string) => Promise<{ organization_id: string }[]>)[] = [
  (tx) => tx.query('select * from companies'),
  (tx, other) => tx.query('select * from companies where organization_id = $1', [other]),
  (tx, other) =>
    tx.query(
      'select s.* from syncs s left join companies c on c.realm_id = s.source_realm_id where s.organization_id = $1 or true',
      [other],
    ),
  (tx, other) => tx.query(`select * from links where organization_id = $1 or state <> ''`, [other]),
  (tx) => tx.query('select l.* from links l full join syncs s on s.id <> l.sync_id where l.sync_id is not null'),
  (tx) => tx.query('select * from sync_log'),
  (tx) => tx.query('select * from audit_log union all select * from audit_log'),
  (tx) => tx.query('select * from jobs where id in (select id from jobs)'),
  (tx) => tx.query('select id as organization_id from organizations'),
  (tx, other) => tx.query('update links set attempts = attempts + 1 where organization_id = $1 returning *', [other]),
  (tx, other) =>
    tx.query(
      `delete from syncs where organization_id <> nullif(current_setting('sync.organization_id'), '')::uuid and organization_id = $1 returning *`,
      [other],
    ),
  (tx) => tx.query('with seen as (select * from oauth_grants) select * from seen'),
  (tx) => tx.query('select * from attachment_links for update'),
];

async function connect(databaseUrl: string, databaseSchema: string): Promise<Database> {
  return Database.connect({ databaseUrl, databaseSchema, databasePool: 3, applicationName: 'spec' });
}

async function twoOrganizations(db: Database): Promise<[string, string]> {
  return [await organization(db, 1), await organization(db, 2)];
}

/** One organization with one row in every table that belongs to it. */
async function organization(db: Database, n: number): Promise<string> {
  const id = randomUUID();
  const syncId = randomUUID();
  const [a, b] = [String(10_000 + 2 * n), String(10_001 + 2 * n)];
  await db.query('insert into organizations (id, name) values ($1, $2)', [id, `tenant ${n}`]);
  await db.query(`insert into companies (realm_id, organization_id, name) values ($1, $2, 'source')`, [a, id]);
  await db.query(`insert into companies (realm_id, organization_id, name) values ($1, $2, 'target')`, [b, id]);
  await db.query(
    `insert into oauth_grants (realm_id, organization_id, access_token_sealed, refresh_token_sealed, access_expires_at, refresh_expires_at)
     values ($1, $2, 'a', 'r', now(), now())`,
    [a, id],
  );
  await db.query(`insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)`, [
    syncId,
    id,
    a,
    b,
  ]);
  await db.query(`insert into jobs (id, organization_id, sync_id, kind) values ($1, $2, $3, 'replay')`, [
    randomUUID(),
    id,
    syncId,
  ]);
  await db.query(
    `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane, rank,
       desired_version, desired_hash, desired_op, mapping_version, change_id)
     values ($1, 'Customer', '1', $2, $3, $4, 'ready', 'live', 1, 'v', 'h', 'upsert', 1, 'c')`,
    [syncId, id, a, b],
  );
  await db.query(
    `insert into attachment_links (sync_id, attachable_id, organization_id, source_realm_id, target_realm_id, state, lane,
       desired_version, desired, change_id) values ($1, '1', $2, $3, $4, 'ready', 'live', 'v', '{}', 'c')`,
    [syncId, id, a, b],
  );
  await db.query(`select sync_log_ensure_partition(now())`);
  await db.query(
    `insert into sync_log (at, event_id, stage, organization_id, sync_id, realm_id, entity_type, entity_id)
     values (now(), 'e', 'mapped', $1, $2, $3, 'Customer', '1')`,
    [id, syncId, a],
  );
  await db.query(
    `insert into audit_log (organization_id, sequence, event_id, at, actor, action, subject, details, previous_hash, hash)
     values ($1, 1, 'e', now(), 'a', 'b', 'c', '{}', '', 'h')`,
    [id],
  );
  return id;
}
