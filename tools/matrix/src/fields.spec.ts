// Every writable field that the catalogue knows is tried, belongs to another column, or is left out by the registry on
// purpose; and what is tried goes through mapper and plan: set, changed and cleared, each an update that says the field.
import {
  bindReferences,
  defaultTemplate,
  defaultWritePolicy,
  definitionOf,
  mapChange,
  mergeLayers,
  planWrite,
  type Json,
  type Link,
} from '#core';
import type { Bench } from './bench.js';
import { catalogue } from './catalogue.js';
import { byOtherActs, fieldStories, isLeftOut, kinds, type FieldStory } from './fields.js';

/** A bench of names only: whatever record is asked for has an id of its own. */
const ids = new Map<PropertyKey, string>();
const bench = new Proxy({} as Bench, {
  get: (_, name) => ({ Id: ids.get(name) ?? ids.set(name, String(100 + ids.size)).get(name)! }),
});
const rules = mergeLayers([defaultTemplate]);
const resolve = (_type: string, sourceId: string): string => `t${sourceId}`;
// Files go another way (apps/attachment-worker).
const stories = fieldStories()
  .filter(({ type }) => type !== 'Attachable')
  .map((story): [string, FieldStory] => [`${story.type}.${story.field}`, story]);

const mapped = (type: string, fields: Json) => {
  const snapshot = { Id: '1', SyncToken: '0', MetaData: { LastUpdatedTime: '2026-01-01T00:00:00Z' }, ...fields };
  const result = mapChange({ realmId: '1', entityType: type, id: '1', version: 'v', deleted: false, snapshot }, rules);
  if (result.kind !== 'write') throw new Error(`${type}: ${JSON.stringify(result)}`);
  const { payload, references } = result.write;
  const bound = bindReferences(payload!, references, resolve);
  if (bound.kind !== 'bound') throw new Error('not bound');
  return { payload: payload!, references, body: bound.body };
};

/** What is sent when a record that was like this shall be like that. */
const sent = (type: string, before: Json, after: Json): Json => {
  const [was, becomes] = [mapped(type, before), mapped(type, after)];
  const link: Link = {
    entityType: type,
    sourceId: '1',
    state: { kind: 'ready' },
    desired: { version: 'v2', hash: 'h2', op: 'upsert', payload: becomes.payload, references: becomes.references },
    applied: { version: 'v1', hash: 'h1', payload: was.body },
    target: { id: '7', syncToken: '3', deleted: false },
    generation: 0,
    attempts: 0,
  };
  const plan = planWrite(link, { resolve, policy: defaultWritePolicy });
  return plan.kind === 'update' ? plan.body : { nothing: plan.kind };
};

it('leaves no writable field of the catalogue unmentioned', () => {
  const tried = new Set(stories.map(([name]) => name));
  const forgotten = [...new Set(stories.map(([, { type }]) => type))].flatMap((type) =>
    catalogue(type)
      .fields.filter(({ readOnly, writeOnCreateOnly }) => !readOnly && !writeOnCreateOnly)
      .filter(({ name }) => !tried.has(`${type}.${name}`) && !byOtherActs.has(name) && !kinds.has(name))
      .filter((field) => !isLeftOut(type, field))
      .map(({ name }) => `${type}.${name}`),
  );
  expect(stories.length).toBeGreaterThan(200);
  expect(forgotten).toEqual([]);
});

it.each(stories)('%s is sent when it is set, changed and cleared', (_, { type, field, values }) => {
  const [first, other] = values(bench) ?? [{ value: '201' }, { value: '202' }];
  const base = { Line: [] };
  expect(Object.keys(sent(type, base, { ...base, [field]: first }))).toContain(field);
  // One account for both: nothing to change.
  if (JSON.stringify(first) !== JSON.stringify(other))
    expect(Object.keys(sent(type, { ...base, [field]: first }, { ...base, [field]: other }))).toContain(field);
  const cleared = sent(type, { ...base, [field]: first }, base);
  const madeByLinks = definitionOf(type).specialCases.find(({ when, unlinked }) => unlinked && when[field] === first);
  // Closed by a person before and by a link now: a closed copy would not take that link, so it is opened first.
  if (madeByLinks) expect(cleared[field]).toEqual(madeByLinks.unlinked![field]);
  else if (definitionOf(type).notClearable.includes(field)) expect(cleared).not.toHaveProperty(field);
  else expect(Object.keys(cleared)).toContain(field);
});
