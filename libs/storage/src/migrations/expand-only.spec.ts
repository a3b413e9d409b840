// Every migration after the first only expands, so that version N-1 runs on schema N (docs/deployment.md, "Upgrade"); and the
// judge of that has teeth: each mutant breaks one rule and must be caught.
import type { QueryRunner } from 'typeorm';
import { emptyMemory, notExpanding, type SchemaMemory } from './expand-only.js';
import { migrations } from './index.js';

/** What a migration would say to the database. */
async function statementsOf(migration: (typeof migrations)[number]): Promise<string[]> {
  const said: string[] = [];
  const runner = { query: (sql: string) => Promise.resolve(void said.push(sql)) };
  await new migration().up(runner as unknown as QueryRunner);
  return said;
}

async function judged(upTo = migrations.length): Promise<{ memory: SchemaMemory; faults: string[] }> {
  const memory = emptyMemory();
  const faults: string[] = [];
  for (const migration of migrations.slice(0, upTo)) {
    const found = notExpanding(await statementsOf(migration), memory);
    // The first one makes everything: nobody runs before it.
    if (migration !== migrations[0]) faults.push(...found.map((fault) => `${migration.name}: ${fault}`));
  }
  return { memory, faults };
}

it('every migration after the first leaves the version before running', async () => {
  expect((await judged()).faults).toEqual([]);
});

describe('a migration is refused that', () => {
  let memory: SchemaMemory;
  beforeEach(async () => {
    memory = (await judged()).memory;
  });

  it.each<[string, string, RegExp]>([
    ['drops a table', 'drop table preflights', /drops a table/],
    ['drops a column', 'alter table links drop column lane', /drops a column/],
    ['drops a column after an addition', 'alter table links add column a int, drop lane', /drops a column/],
    ['renames a column', 'ALTER TABLE links RENAME COLUMN lane TO class', /renames/],
    ['renames a table', 'alter table links rename to copies', /renames/],
    ['changes a type', 'alter table links alter column lane type int using 1', /type of a column/],
    ['demands what was optional', 'alter table links alter column exclusion set not null', /forbids the nulls/],
    ['takes a default away', 'alter table attempts alter deferred drop default', /drops a default/],
    ['adds a column that must be filled', 'alter table links add column colour text not null', /must be filled/],
    [
      'adds one after a harmless one',
      `alter table links add a text default '(,', add b int not null`,
      /must be filled/,
    ],
    ['makes unique what may be twice', 'create unique index one on links (target_id)', /makes unique/],
    ['adds a check', `alter table links add constraint c check (lane <> 'x') not valid`, /does not know/],
    ['adds a check without a name', `alter table links add check (lane <> 'x')`, /without a name/],
    ['drops a check for good', 'alter table links drop constraint links_op', /dropped for good/],
    [
      'narrows a list of values',
      `alter table links drop constraint links_op;
       alter table links add constraint links_op check (desired_op in ('upsert', 'delete', 'void', 'fail'))`,
      /no longer allows 'exclude'/,
    ],
    [
      'puts another check in its place',
      `alter table links drop constraint links_op, add constraint links_op check (desired_op <> '')`,
      /cannot be compared/,
    ],
    ['drops an index nobody made', 'drop index something_else', /which no migration made/],
    ['deletes rows', `delete from links where state = 'failed'`, /deletes rows/],
    ['rewrites rows', `update links set lane = 'bulk'`, /changes rows/],
    ['empties a table', 'truncate outbox', /empties/],
    ['takes a right', 'revoke select on links from sync_tenant', /takes a right/],
    ['hides rows', 'alter table realm_work enable row level security', /hides rows/],
    ['drops a trigger', 'drop trigger links_updated_make_work on links', /drops a trigger/],
    ['hides it behind a comment', '-- only a comment\n/* and another */ drop table links', /drops a table/],
    ['does it in a second statement', 'create table a (b int); drop table links', /drops a table/],
  ])('%s', (_what, sql, why) => {
    const faults = notExpanding([sql], memory);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(why);
  });

  it('drops a unique index', () => {
    notExpanding(['create table a (b int); create unique index a_b on a (b)'], memory);
    expect(notExpanding(['drop index a_b'], memory)).toEqual([expect.stringMatching(/unique index a_b/)]);
  });
});

it.each<[string, string]>([
  ['a column that may be null', 'alter table links add column colour text'],
  ['a column with a default', `alter table links add column colour text not null default 'red; not null, drop column'`],
  ['a new table with all its rules', 'create table a (b int not null unique); alter table a enable row level security'],
  ['an index', 'create index links_colour on links (lane)'],
  [
    'a trigger whose body says "drop"',
    'create function f() returns trigger as $$ begin drop table x; end $$ language plpgsql',
  ],
  ['rows of its own', 'insert into realm_work select 1'],
])('%s is fine', (_what, sql) => {
  expect(notExpanding([sql], emptyMemory())).toEqual([]);
});
