// Every statement of the board Company and of the runbooks runs as the role that deploy/postgres/reader.sql makes, and that
// role sees no token and no body of a record.
import { readFileSync } from 'node:fs';
import { freshDatabase } from '../../libs/storage/src/fresh-database.fixture.js';
import type { FreshDatabase } from '../../libs/storage/src/fresh-database.fixture.js';
import { alerts } from '../../tools/observe/src/alerts/index.js';
import { choices, queries } from '../../tools/observe/src/boards/boards.js';

let fresh: FreshDatabase;

beforeAll(async () => {
  fresh = await freshDatabase();
  const sql = readFileSync('deploy/postgres/reader.sql', 'utf8');
  await fresh.db.query(sql);
  // A second time changes nothing.
  await fresh.db.query(sql);
});
afterAll(() => fresh.drop());

const asReader = (sql: string): Promise<unknown[]> =>
  fresh.db.withTransaction(async (tx) => {
    await tx.query('set local role sync_reader');
    return tx.query(sql);
  });

const ofBoards = queries()
  .filter(({ language }) => language === 'sql')
  .map(({ board, panel, text }) => [`board ${board}: ${panel}`, text.replaceAll('$realm', '123145')]);
const ofRunbooks = alerts.flatMap(({ name, diagnosis }) =>
  diagnosis.flatMap((step) => ('sql' in step ? [[`runbook ${name}: ${step.say}`, step.sql]] : [])),
);

it.each([...ofBoards, ...choices().map((sql) => ['choices of a board', sql]), ...ofRunbooks])(
  '%s',
  async (_what, sql) => {
    await expect(asReader(sql!)).resolves.toBeDefined();
  },
);

it('sees every organization', async () => {
  await fresh.db.query(
    `insert into organizations (id, name) values (gen_random_uuid(), 'One'), (gen_random_uuid(), 'Two')`,
  );
  expect(await asReader('select name from organizations order by 1')).toEqual([{ name: 'One' }, { name: 'Two' }]);
});

it.each([
  ['a sealed token', 'select refresh_token_sealed from oauth_grants'],
  ['what is to be written', 'select desired_payload from links'],
  ['what stood there before', 'select before_image from links'],
  ['the body of a call', 'select body from attempts'],
  ['mapping rules', 'select rules from mapping_layers'],
  ['an announcement', 'select value from outbox'],
  ['a change of anything', `update companies set name = 'x'`],
])('is refused %s', async (_what, sql) => {
  await expect(asReader(sql)).rejects.toMatchObject({ message: expect.stringMatching(/permission denied/) });
});
