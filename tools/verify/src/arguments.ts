// What `npm run verify -- ...` understands. Addresses come from options, from the apps' own variables, or from the file that
// a running demo leaves.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Places, VerifyOptions } from './verify.js';
import { defaultRestMs } from './verify.js';

export const usage = `npm run verify -- [--emulator URL] [--brokers HOST:PORT,...] [--database URL] [--schema NAME] [--topic-prefix TEXT]
  [--control URL --admin-key KEY] [--client-id ID] [--rest-seconds 60] [--kills N] [--only I-01,I-02] [--read-only]
npm run verify -- --selftest
Judges the thirteen invariants of a running installation from its topics and tables and from the emulator's journals. Without
options it takes the apps' variables (SYNC_KAFKA_BROKERS, SYNC_DATABASE_URL, SYNC_QBO_ENVIRONMENT, SYNC_TOKEN_KEY, ...), and
without those the installation that "npm run demo -- --stay" leaves running in this checkout.
With the control API it replays every sync once (I-12); --read-only leaves that out. --kills says how many processes were killed.
--selftest starts a small installation of its own, plants mistakes into its QuickBooks, tables and topics, and says which it names.
Exit 0 only when all were judged and all hold.`;

export const installationFile = '.cache/installation.json';

/** @throws TypeError with a sentence for a person */
export function readArguments(
  args: string[],
  env: NodeJS.ProcessEnv,
): { places: Places; options: VerifyOptions } | 'help' | 'selftest' {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      'read-only': { type: 'boolean', default: false },
      selftest: { type: 'boolean', default: false },
      'rest-seconds': { type: 'string', default: String(defaultRestMs / 1000) },
      kills: { type: 'string', default: '0' },
      ...Object.fromEntries(
        [
          'emulator',
          'brokers',
          'database',
          'schema',
          'topic-prefix',
          'control',
          'audit',
          'admin-key',
          'client-id',
          'only',
        ].map((name) => [name, { type: 'string' as const }]),
      ),
    },
  }) as { values: Record<string, string | boolean | undefined> };
  if (values.help) return 'help';
  if (values.selftest === true) return 'selftest';
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const named = text('emulator') !== undefined || text('database') !== undefined || env.SYNC_DATABASE_URL !== undefined;
  const places: Places = {
    ...(named ? fromEnvironment(env) : fromFile()),
    ...defined({
      brokers: text('brokers')?.split(','),
      databaseUrl: text('database'),
      databaseSchema: text('schema'),
      topicPrefix: text('topic-prefix'),
      emulatorUrl: text('emulator'),
      clientId: text('client-id'),
    }),
  };
  const url = text('control') ?? places.control?.url;
  const adminKey = text('admin-key') ?? places.control?.adminKey ?? env.SYNC_ADMIN_KEY;
  if (url !== undefined && adminKey !== undefined)
    places.control = { url, auditUrl: text('audit') ?? places.control?.auditUrl ?? url, adminKey };
  for (const [name, value] of Object.entries({
    brokers: places.brokers,
    database: places.databaseUrl,
    emulator: places.emulatorUrl,
  }))
    if (value.length === 0) throw new TypeError(`--${name} is not known, and no demo runs from this checkout`);
  const restSeconds = Number(values['rest-seconds']);
  const kills = Number(values.kills);
  if (!(restSeconds > 0)) throw new TypeError('--rest-seconds takes a number of seconds');
  if (!Number.isSafeInteger(kills) || kills < 0) throw new TypeError('--kills takes a whole number');
  return {
    places,
    options: {
      ...{ restMs: restSeconds * 1000, interruptions: kills, only: text('only')?.split(',') },
      ...(values['read-only'] && { replay: 'skip' as const }),
    },
  };
}

function fromEnvironment(env: NodeJS.ProcessEnv): Places {
  return {
    brokers: (env.SYNC_KAFKA_BROKERS ?? '').split(',').filter((broker) => broker !== ''),
    topicPrefix: env.SYNC_TOPIC_PREFIX ?? '',
    databaseUrl: env.SYNC_DATABASE_URL ?? '',
    databaseSchema: env.SYNC_DATABASE_SCHEMA ?? 'public',
    emulatorUrl: env.SYNC_QBO_ENVIRONMENT ?? '',
    clientId: env.SYNC_QBO_CLIENT_ID,
    tokenKey: env.SYNC_TOKEN_KEY,
  };
}

function fromFile(): Places {
  try {
    return JSON.parse(readFileSync(installationFile, 'utf8')) as Places;
  } catch {
    return fromEnvironment({});
  }
}

const defined = <T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
