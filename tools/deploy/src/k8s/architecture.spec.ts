// The arrows that policies and rights are written from, against the code: an app that reads or writes another topic, or asks
// for the QuickBooks settings, makes this fail. And what is generated is current.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { topics } from '#contracts';
import { appNames } from '../../../dev/src/apps.js';
import { settingsOf } from '../settings.js';
import { parts } from './architecture.js';
import type { Topic } from './architecture.js';
import { generated, generatedFolder } from './generate.js';
import { overlays, rendered, sourcesFingerprint } from './rendering.js';

const sourceOf = (app: string): string =>
  readdirSync(`apps/${app}/src`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!spec)\.ts$/.test(entry.name))
    // The status page looks at every topic and takes nothing out of it.
    .filter((entry) => entry.name !== 'kafka-lag.ts')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
const namedIn = (source: string, pattern: RegExp): Topic[] =>
  [...new Set([...source.matchAll(pattern)].map(([, name]) => name as Topic))].sort();

it.each(appNames)('%s reads exactly the topics that its handlers are bound to', (app) => {
  expect([...parts[app].reads].sort()).toEqual(namedIn(sourceOf(app), /EventPattern<string>\(topics\.(\w+)\.name/g));
});

it.each(appNames)('%s may write every topic that its code names, and what every consumer or relay writes', (app) => {
  const source = sourceOf(app);
  const named = namedIn(source, /topics\.(\w+)\.name/g);
  const { reads, writes, group } = parts[app];
  expect(named.filter((name) => !reads.includes(name) && !writes.includes(name))).toEqual([]);
  expect(writes.includes('deadLetters')).toBe(group !== undefined);
  expect(writes.includes('results') && writes.includes('audit')).toBe(/\bOutboxRelay\b/.test(source));
  const unused = writes.filter((name) => !named.includes(name) && !['deadLetters', 'results', 'audit'].includes(name));
  expect(unused).toEqual([]);
});

it.each(appNames)('%s: group, second readings and QuickBooks are as the code has them', (app) => {
  const source = sourceOf(app);
  const { group, rereads = false, callsQuickBooks } = parts[app];
  if (group === undefined) expect(source).not.toContain('new BatchServer');
  else expect(source).toContain(`'${group}'`);
  expect(/\bTopicReader\b/.test(source)).toBe(rereads);
  expect(settingsOf(app).some(({ env }) => env === 'SYNC_QBO_CLIENT_SECRET')).toBe(callsQuickBooks);
});

it('every topic has a writer and a reader, letters that nobody could read excepted', () => {
  for (const name of Object.keys(topics) as Topic[]) {
    expect([name, appNames.some((app) => parts[app].writes.includes(name))]).toEqual([name, true]);
    if (name !== 'deadLetters')
      expect([name, appNames.some((app) => parts[app].reads.includes(name))]).toEqual([name, true]);
  }
});

it('k8s/base/generated is what "npm run k8s:generate" writes', () => {
  const files = generated();
  expect(readdirSync(generatedFolder).sort()).toEqual([...files.keys()].sort());
  for (const [name, text] of files) expect(readFileSync(join(generatedFolder, name), 'utf8')).toBe(text);
});

it.each(overlays)('k8s/rendered/%s.yaml was made from what is here now', (overlay) => {
  expect(rendered(overlay).text).toContain(`# sources: ${sourcesFingerprint()}\n`);
});
