// The support bundle: what somebody who was not there needs to see, and nothing that belongs to the companies. Each part is
// made from a list of what may be in it (columns, fields, words), and the whole is masked once more at the end.
import { readFile, readdir } from 'node:fs/promises';
import { arch, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';
import { maskSecrets } from '#common/logging';
import type { SettingDescription } from '#common/config';
import { positionsOf } from './kafka-positions.js';
import { settingsSaid, troublesOf } from './log-lines.js';
import { statesOf } from './states.js';
import { vocabularyOf } from './wording.js';

export interface BundleSources {
  env: NodeJS.ProcessEnv;
  database?: { url: string; schema: string };
  kafka?: { brokers: string[]; prefix: string };
  /** app -> address of its HTTP server */
  apps: Record<string, string>;
  /** a folder of `*.log` files, one JSON line each */
  logs?: string;
  now: Date;
}

/** File name -> text. A part that cannot be had says so in its place; the others are there. */
export async function supportBundle(o: BundleSources): Promise<Map<string, string>> {
  const vocabulary = vocabularyOf('docs');
  const catalogue = JSON.parse(await readFile('deploy/settings.json', 'utf8')) as Record<string, SettingDescription[]>;
  const files = new Map<string, string>();
  const add = async (name: string, part: () => unknown) => {
    try {
      const content = await part();
      files.set(name, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
    } catch (error) {
      // Not the message: a driver's may repeat the address with its password.
      files.set(name, `not to be had: ${(error as Error).name} ${(error as { code?: string }).code ?? ''}\n`);
    }
  };
  await add('about.json', () => aboutOf(o.now));
  await add('configuration.json', () => ({
    note: 'of the shell that made this; what an app said at its start stands in apps/NAME.settings.json',
    ...configurationOf(catalogue, o.env),
  }));
  await add('states.json', () => (o.database ? statesOf(o.database, vocabulary) : 'no database named\n'));
  await add('kafka.json', () => (o.kafka ? positionsOf(o.kafka.brokers, o.kafka.prefix) : 'no brokers named\n'));
  for (const [app, url] of Object.entries(o.apps)) {
    await add(`apps/${app}.metrics.txt`, () => get(`${url}/metrics`));
    await add(`apps/${app}.ready.json`, () => get(`${url}/health/ready`));
  }
  if (o.logs !== undefined)
    for (const file of (await readdir(o.logs)).filter((name) => name.endsWith('.log'))) {
      const text = await readFile(join(o.logs, file), 'utf8');
      await add(`logs/${file}.json`, () => troublesOf(text, vocabulary));
      // The shell this runs in knows the settings of the apps only when it is theirs.
      const said = settingsSaid(text, catalogue[file.replace(/\.log$/, '')] ?? []);
      if (said) await add(`apps/${file.replace(/\.log$/, '')}.settings.json`, () => said);
    }
  const secrets = secretsOf(catalogue, o.env);
  return new Map([...files].map(([name, text]) => [name, masked(text, secrets)]));
}

async function aboutOf(now: Date): Promise<object> {
  const { version, dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as Record<string, unknown>;
  return {
    ...{ madeAt: now.toISOString(), version, node: process.version, platform: platform(), arch: arch() },
    ...{ cores: cpus().length, memoryBytes: totalmem(), dependencies },
  };
}

/** Only what the apps have: other variables of the shell are nobody's business. */
function configurationOf(catalogue: Record<string, SettingDescription[]>, env: NodeJS.ProcessEnv): object {
  return Object.fromEntries(
    Object.entries(catalogue).map(([app, settings]) => [
      app,
      Object.fromEntries(
        settings.map((setting) => {
          const value = env[setting.env];
          if (value === undefined || value === '')
            return [setting.env, setting.default === undefined ? '(not set here)' : `(default) ${setting.default}`];
          return [setting.env, setting.secret ? `******** (${value.length} characters)` : value];
        }),
      ),
    ]),
  );
}

/** Values of secret settings, and passwords inside addresses: looked for in everything that leaves. */
function secretsOf(catalogue: Record<string, SettingDescription[]>, env: NodeJS.ProcessEnv): string[] {
  const found = new Set<string>();
  for (const { env: name, secret } of Object.values(catalogue).flat()) {
    const value = env[name];
    if (!value) continue;
    if (secret) found.add(value);
    const password = URL.parse(value)?.password;
    if (password) found.add(password).add(decodeURIComponent(password));
  }
  // A shorter one would blank half of the bundle, and is no secret worth the name.
  return [...found].filter((value) => value.length >= 4);
}

function masked(text: string, secrets: readonly string[]): string {
  let clean = text.split('\n').map(maskSecrets).join('\n');
  for (const secret of secrets) clean = clean.replaceAll(secret, '[masked]');
  return clean.replace(/[\w.+-]+@[\w-]+\.[\w.-]+/g, '[address]');
}

async function get(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  return answer.text();
}
