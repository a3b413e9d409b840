// `npm run support-bundle -- [--app NAME=URL]... [--logs FOLDER] [--out FILE]`: one tar.gz to send to whoever helps.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { installationFile } from '../../verify/src/arguments.js';
import type { Places } from '../../verify/src/verify.js';
import { supportBundle } from './bundle.js';

const usage = `npm run support-bundle -- [--app NAME=URL]... [--logs FOLDER] [--out FILE]
Versions, configuration (masked), states, last errors, topic positions, and the metrics of the apps named. Addresses come from the
apps' own variables, or from the installation that "npm run demo -- --stay" leaves running in this checkout. Nothing of the books,
no token and no key is in it; open it and look before you send it.`;

const { values } = parseArgs({
  options: {
    app: { type: 'string', multiple: true, default: [] },
    logs: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const { env } = process;
  const demo = env.SYNC_DATABASE_URL ? undefined : await runningDemo();
  const url = env.SYNC_DATABASE_URL || demo?.databaseUrl;
  const brokers = env.SYNC_KAFKA_BROKERS?.split(',') ?? demo?.brokers;
  const apps = Object.fromEntries(values.app.map((one) => one.split(/=(.*)/s).slice(0, 2) as [string, string]));
  if (demo?.apps) Object.assign(apps, demo.apps);
  const logs = values.logs ?? demo?.logs;
  const now = new Date();
  const files = await supportBundle({
    env,
    apps,
    now,
    ...(url ? { database: { url, schema: env.SYNC_DATABASE_SCHEMA || demo?.databaseSchema || 'public' } } : {}),
    ...(brokers ? { kafka: { brokers, prefix: env.SYNC_TOPIC_PREFIX ?? demo?.topicPrefix ?? '' } } : {}),
    ...(logs === undefined ? {} : { logs }),
  });
  const name = `support-${now.toISOString().replace(/[:.]/g, '-')}`;
  const out = resolve(values.out ?? `${name}.tar.gz`);
  const folder = await mkdtemp(join(tmpdir(), 'support-'));
  try {
    for (const [file, text] of files) {
      const path = join(folder, name, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    await promisify(execFile)('tar', ['-czf', out, '-C', folder, name]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.stdout.write(`support: ${out} files=${files.size}\n`);
}

async function runningDemo(): Promise<Places | undefined> {
  try {
    return JSON.parse(await readFile(installationFile, 'utf8')) as Places;
  } catch {
    return undefined;
  }
}

main().catch((error: Error) => {
  process.stderr.write(`support: ${error.message}\n`);
  process.exitCode = 1;
});
