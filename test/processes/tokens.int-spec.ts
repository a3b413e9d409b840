// I-07 on a real PostgreSQL and the emulator's token endpoint: one refresh in flight per company over all processes, and a
// process killed at any step of it loses no grant. A killed process is one that never goes on and whose connections are cut.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#common/clock';
import { armFailpoints } from '#common/failpoints';
import { IntuitTokens, qboEnvironment, resealGrants, TokenCustody, TokenSeal } from '#qbo';
import { Companies, Database, Grants, Organizations } from '#storage';
import { freshDatabase, startEmulator } from '#testing';
import type { EmulatorApp, FreshDatabase, Raw, RunningEmulator } from '#testing';

let emulator: RunningEmulator;
let app: EmulatorApp;
let corner: FreshDatabase;
let db: Database;
let folder: string;
let realmId: string;
const key = randomBytes(32);
const organizationId = randomUUID();
const opened: Database[] = [];

interface Process {
  name: string;
  custody: TokenCustody;
}

async function start(seal = new TokenSeal(key)): Promise<Process> {
  const name = `process-${opened.length}`;
  const own = await Database.connect({ ...corner, applicationName: name });
  opened.push(own);
  const endpoint = new IntuitTokens({ environment: qboEnvironment(emulator.url), ...app });
  return {
    name,
    custody: new TokenCustody({
      ...{ grants: new Grants(own), endpoint, clock: systemClock, seal },
    }),
  };
}

/** What the system does of a killed client: its sessions end, and with them its locks. */
const cut = ({ name }: Process): Promise<unknown> =>
  db.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [name]);

async function connect(): Promise<void> {
  const given = await emulator.grant(app.clientId, realmId);
  const { custody } = await start();
  const sealed = custody.sealPair(organizationId, realmId, { ...given, refreshExpiresIn: given.refreshTokenExpiresIn });
  await new Grants(db).store(db, realmId, sealed);
  await db.query(`update companies set status = 'connected', status_reason = null where realm_id = $1`, [realmId]);
}

const expire = (): Promise<unknown> =>
  db.query(`update oauth_grants set access_expires_at = now() - interval '1 minute' where realm_id = $1`, [realmId]);
const status = async (): Promise<string> =>
  (await db.query<{ status: string }>('select status from companies where realm_id = $1', [realmId]))[0]!.status;
const refreshes = async (): Promise<Raw[]> =>
  ((await emulator.steer<Raw>('GET', 'oauth')).calls as Raw[]).filter((call) => call.realmId === realmId);
const accepted = async (answer: unknown): Promise<boolean> => {
  const { kind, value } = answer as { kind: string; value: string };
  return kind === 'token' && (await emulator.api(realmId, value, 'GET', `companyinfo/${realmId}`)).status === 200;
};

beforeAll(async () => {
  [emulator, corner, folder] = await Promise.all([
    startEmulator(),
    freshDatabase(),
    mkdtemp(join(tmpdir(), 'failpoints-')),
  ]);
  app = await emulator.createApp();
  db = await Database.connect({ ...corner, applicationName: 'spec' });
  await db.migrate();
  await new Organizations(db).create(db, { id: organizationId, name: 'Tenant' });
});
beforeEach(async () => {
  await emulator.steer('PUT', 'oauth', { rotateAfterMs: 0, graceMs: 60_000, loseRefreshAnswers: 0 });
  realmId = (await emulator.createCompany({ name: 'Company' })).realmId;
  await new Companies(db).connect(db, { realmId, organizationId, name: 'Company', homeCurrency: null });
  await connect();
  await expire();
  armFailpoints(folder);
});
afterEach(() => armFailpoints(undefined));
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close().catch(() => undefined)));
  await db.close();
  await corner.drop();
  await emulator.stop();
  await rm(folder, { recursive: true });
});

it('a hundred callers in three processes make one refresh', async () => {
  const processes = await Promise.all([start(), start(), start()]);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => processes[n % 3]!.custody.accessToken(realmId)),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await accepted(answers[0])).toBe(true);
  expect(await refreshes()).toHaveLength(1);
});

it.each(['token.before-note', 'token.noted', 'token.answered', 'token.stored'])(
  'a process killed at %s loses no grant: the next one goes on',
  async (point) => {
    const id = randomUUID();
    await writeFile(join(folder, 'armed'), `${point} hang ${id}`);
    const killed = await start();
    void killed.custody.accessToken(realmId).catch(() => undefined);
    while (!(await readFile(join(folder, `fired-${id}`), 'utf8').catch(() => ''))) await sleep(10);
    const next = await start();
    const waiting = next.custody.accessToken(realmId);
    await cut(killed);
    expect(await accepted(await waiting)).toBe(true);
    expect(await status()).toBe('connected');
    // And what is stored renews again.
    await expire();
    const later = await start();
    expect(await accepted(await later.custody.accessToken(realmId))).toBe(true);
    const calls = await refreshes();
    for (const [i, call] of calls.entries())
      if (i > 0) expect(Date.parse(call.startedAt)).toBeGreaterThanOrEqual(Date.parse(calls[i - 1].time));
  },
);

it('an answer lost for good says "reconnect", calls no more, and goes on with the new connection', async () => {
  await emulator.steer('PUT', 'oauth', { graceMs: 0, loseRefreshAnswers: 1 });
  const { custody } = await start();
  expect(await custody.accessToken(realmId)).toMatchObject({ kind: 'unavailable' });
  const next = await start();
  expect(await next.custody.accessToken(realmId)).toMatchObject({ kind: 'reconnect' });
  expect(await status()).toBe('reconnect_needed');
  const before = (await refreshes()).length;
  expect(await (await start()).custody.accessToken(realmId)).toMatchObject({ kind: 'reconnect' });
  expect(await refreshes()).toHaveLength(before);
  await connect();
  next.custody.forget(realmId);
  expect(await accepted(await next.custody.accessToken(realmId))).toBe(true);
});

it('a replaced key leaves nothing behind: a grant at rest is sealed anew without asking Intuit, and opens with the new key alone', async () => {
  const [next, stranger] = [randomBytes(32), randomBytes(32)];
  // A pair and the one before it, then a company whose grant a third key has sealed.
  await (await start()).custody.accessToken(realmId);
  const other = (await emulator.createCompany({ name: 'Sealed by a stranger' })).realmId;
  await new Companies(db).connect(db, { realmId: other, organizationId, name: 'Other', homeCurrency: null });
  const foreign = await start(new TokenSeal(stranger));
  const pair = { accessToken: 'a', refreshToken: 'r', expiresIn: 3600, refreshExpiresIn: 3600 };
  await new Grants(db).store(db, other, foreign.custody.sealPair(organizationId, other, pair));
  const asked = (await refreshes()).length;
  const before = await new Grants(db).find(realmId);

  const both = new TokenSeal(next, key);
  const found = await resealGrants(new Grants(db), both);
  expect(found.resealed).toContain(realmId);
  expect(found.unopened).toEqual([other]);
  expect(await resealGrants(new Grants(db), both)).toEqual({ resealed: [], unopened: [other] });
  expect((await new Grants(db).find(realmId))!.grantVersion).toBe(before!.grantVersion);
  expect(await refreshes()).toHaveLength(asked);

  const later = await start(new TokenSeal(next));
  expect(await accepted(await later.custody.accessToken(realmId))).toBe(true);
  await expire();
  expect(await accepted(await (await start(new TokenSeal(next))).custody.accessToken(realmId))).toBe(true);
});
