// Whether a migration only expands the schema, so that the version before it runs on the schema after it: that is what lets a
// rollout go pod by pod, and a rollback go without a migration. Pure, over the statements a migration makes; it knows the SQL
// that migrations are written in here, not all of SQL, and refuses what it cannot judge.

/** What earlier migrations left that a later one may widen or replace. */
export interface SchemaMemory {
  /** check constraints of the form `column in (...)`, by name */
  readonly lists: Map<string, ReadonlySet<string>>;
  /** index name -> unique */
  readonly indexes: Map<string, boolean>;
}

export const emptyMemory = (): SchemaMemory => ({ lists: new Map(), indexes: new Map() });

interface Rule {
  pattern: RegExp;
  /** undefined: fine after all */
  why: (found: RegExpMatchArray, facts: { made: ReadonlySet<string>; memory: SchemaMemory }) => string | undefined;
}

const always = (why: string) => () => why;
/** A table made in the same migration is nobody's yet. */
const unlessMade =
  (why: string, group = 1): Rule['why'] =>
  (found, { made }) =>
    made.has(found[group]!) ? undefined : why;

const name = '("?[a-z_][\\w.]*"?)';
const statementRules: Rule[] = [
  {
    pattern: /^drop (table|view|materialized view|function|procedure|trigger|policy|schema|type|sequence|extension)\b/,
    why: (found) => `drops a ${found[1]} that the version before may use`,
  },
  {
    pattern: new RegExp(`^drop index (?:concurrently )?(?:if exists )?${name}`),
    why: (found, { memory }) => {
      const unique = memory.indexes.get(found[1]!);
      if (unique === undefined) return `drops the index ${found[1]}, which no migration made by that name`;
      return unique
        ? `drops the unique index ${found[1]}: an "on conflict" of the version before may need it`
        : undefined;
    },
  },
  {
    pattern: new RegExp(`^create unique index (?:concurrently )?(?:if not exists )?${name} on ${name}`),
    why: unlessMade('makes unique what the version before may write twice', 2),
  },
  { pattern: /^truncate\b/, why: always('empties a table') },
  { pattern: new RegExp(`^delete from ${name}`), why: unlessMade('deletes rows that the version before may read') },
  { pattern: new RegExp(`^update ${name}`), why: unlessMade('changes rows under the version before') },
  { pattern: /^revoke\b/, why: always('takes a right from the version before') },
  { pattern: /^alter (?!table\b)/, why: always('alters something other than a table') },
];

/** Of one action of `alter table`. */
const actionRules: Rule[] = [
  { pattern: /^rename\b/, why: always('renames what the version before calls by its old name') },
  { pattern: /^drop (?:column )?(?!constraint\b)/, why: always('drops a column that the version before may use') },
  { pattern: /^alter (?:column )?\S+ (?:set data )?type\b/, why: always('changes the type of a column') },
  { pattern: /^alter (?:column )?\S+ set not null/, why: always('forbids the nulls that the version before writes') },
  { pattern: /^alter (?:column )?\S+ drop default/, why: always('drops a default that the version before relies on') },
  {
    pattern: /^add (?:column )?(?:if not exists )?(?!constraint\b|check\b|unique\b|primary\b|foreign\b|exclude\b)/,
    why: (found) => {
      const column = found.input!;
      const mustBeFilled = /\bnot null\b|\bprimary key\b/.test(column) && !/\bdefault\b|\bgenerated\b/.test(column);
      return mustBeFilled ? 'adds a column that must be filled, and the version before does not' : undefined;
    },
  },
  { pattern: /^add (?:unique|primary|foreign|exclude|check)\b/, why: always('adds a constraint without a name') },
  { pattern: /^(?:enable|force) row level security/, why: always('hides rows from the version before') },
  { pattern: /^owner\b|^set schema\b/, why: always('moves the table from under the version before') },
];

/** Why each statement does not only expand; empty when all do. Adds to `memory` what they made. */
export function notExpanding(statements: readonly string[], memory: SchemaMemory): string[] {
  const all = statements.flatMap(split);
  const made = new Set(
    all.flatMap((sql) => /^create table (?:if not exists )?("?[a-z_][\w.]*"?)/.exec(sql)?.[1] ?? []),
  );
  const faults: string[] = [];
  const dropped = new Set<string>();
  for (const sql of all) {
    const say = (why: string | undefined) => why && faults.push(`${sql.slice(0, 80)}: ${why}`);
    for (const { pattern, why } of statementRules) {
      const found = sql.match(pattern);
      if (found) say(why(found, { made, memory }));
    }
    const table = /^alter table (?:if exists )?(?:only )?("?[a-z_][\w.]*"?) (.*)$/.exec(sql);
    if (table && !made.has(table[1]!)) {
      for (const action of splitOutside(table[2]!, ',')) {
        const drop = /^drop constraint (?:if exists )?(\w+)/.exec(action);
        const add = /^add constraint (\w+) (.*)$/.exec(action);
        if (drop) dropped.add(drop[1]!);
        else if (add) say(constraintFault(add[1]!, add[2]!, dropped.delete(add[1]!), memory));
        else
          for (const { pattern, why } of actionRules) {
            const found = action.match(pattern);
            if (found) say(why(found, { made, memory }));
          }
      }
    }
    remember(sql, memory);
  }
  for (const gone of dropped)
    faults.push(`constraint ${gone}: dropped for good (a rollback may rely on what it kept out)`);
  return faults;
}

/** A list of allowed values may grow: what the version before writes is still allowed. Nothing else can be judged. */
function constraintFault(
  named: string,
  definition: string,
  replaces: boolean,
  memory: SchemaMemory,
): string | undefined {
  if (!replaces) return `adds the constraint ${named}, which the version before does not know`;
  const before = memory.lists.get(named);
  const after = listOf(definition);
  if (!before || !after) return `replaces the constraint ${named} by one that cannot be compared with it`;
  const missing = [...before].filter((value) => !after.has(value));
  return missing.length > 0 ? `no longer allows ${missing.join(', ')} (${named})` : undefined;
}

function remember(sql: string, memory: SchemaMemory): void {
  const index = /^create (unique )?index (?:concurrently )?(?:if not exists )?(\w+) on/.exec(sql);
  if (index) memory.indexes.set(index[2]!, index[1] !== undefined);
  for (const [, named, definition] of sql.matchAll(/\bconstraint (\w+) (check \(\w+ in \([^)]*\)\))/g)) {
    const values = listOf(definition!);
    if (values) memory.lists.set(named!, values);
  }
}

function listOf(definition: string): Set<string> | undefined {
  const values = /^check \(\w+ in \(([^)]*)\)\)/.exec(definition)?.[1];
  return values === undefined ? undefined : new Set(values.split(',').map((value) => value.trim()));
}

/** Statements of a text: in lower case but for texts, without comments, blanks made one. */
function split(text: string): string[] {
  const bodies: string[] = [];
  // What a function does inside is not a change of the schema; its text may hold anything.
  const plain = text
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, (body) => `$body${bodies.push(body)}$`)
    .replace(/--[^\n]*/g, ' ')
    .replace(/\/\*[\s\S]*?\*\//g, ' ');
  return splitOutside(plain.replace(/\s+/g, ' '), ';').map((sql) =>
    sql.replace(/'[^']*'|[^']+/g, (part) => (part.startsWith("'") ? part : part.toLowerCase())),
  );
}

/** Splits where the separator stands outside of brackets and texts. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let part = '';
  for (const letter of text) {
    if (letter === "'") quoted = !quoted;
    else if (!quoted && letter === '(') depth++;
    else if (!quoted && letter === ')') depth--;
    if (letter === separator && depth === 0 && !quoted) {
      parts.push(part.trim());
      part = '';
    } else part += letter;
  }
  return [...parts, part.trim()].filter((one) => one !== '');
}
