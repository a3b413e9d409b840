// `npm run dead-letters`: what lies in dead.letters.v1 and why, all of one letter, and "try again"; see usage (arguments.ts).
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { databaseSettings, kafkaSettings, loadConfig, type Environment } from '#common/config';
import { systemClock } from '#common/clock';
import { StoppedWaiting } from '#common/lifecycle';
import { configureLogging, createLog } from '#common/logging';
import { topics } from '#contracts';
import { KafkaClient, KafkajsLog, credentialsOf } from '#kafka';
import { installationFile } from '../../verify/src/arguments.js';
import type { Places } from '../../verify/src/verify.js';
import { readArguments, usage, type Wishes } from './arguments.js';
import { readLetters, redrive, redrivenBefore, type Letter, type Owner, type Redriven } from './letters.js';

/** A person waits for the answer: longer than an election takes, and then the addresses are wrong. */
const patienceMs = 15_000;
/** Of a record that is not JSON: enough to see what it is. */
const shownBytes = 400;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** The apps' own variables, or the installation that the demo leaves running here. */
async function environment(): Promise<Environment> {
  if (process.env.SYNC_KAFKA_BROKERS) return process.env;
  const text = await readFile(installationFile, 'utf8').catch(() => undefined);
  if (text === undefined) return process.env;
  const { brokers, registryUrl, topicPrefix, databaseUrl, databaseSchema } = JSON.parse(text) as Places;
  return {
    ...process.env,
    SYNC_KAFKA_BROKERS: brokers.join(','),
    SYNC_REGISTRY_URL: registryUrl,
    SYNC_TOPIC_PREFIX: topicPrefix,
    SYNC_DATABASE_URL: databaseUrl,
    SYNC_DATABASE_SCHEMA: databaseSchema,
  };
}

/** @throws Error with a sentence for a person: who did not answer, or what is not there */
async function connect(env: Environment): Promise<KafkaClient> {
  const kafka = loadConfig(kafkaSettings, env);
  const clientId = 'dead-letters';
  const port = new KafkajsLog({
    ...{ brokers: kafka.brokers, clientId, log: createLog(clientId), clock: systemClock },
    ...(await credentialsOf(kafka)),
  });
  const topic = kafka.topicPrefix + topics.deadLetters.name;
  const found = await within(port.describeTopics([topic]), `no broker answers at ${kafka.brokers.join(', ')}`);
  // Connecting as an app does would make the topics of whatever prefix was typed.
  if (found.length === 0)
    throw new Error(`there is no topic ${topic} at ${kafka.brokers.join(', ')}: is SYNC_TOPIC_PREFIX right?`);
  try {
    return await KafkaClient.connect({ ...kafka, clientId }, { port, signal: AbortSignal.timeout(patienceMs) });
  } catch (error) {
    if (!(error instanceof StoppedWaiting)) throw error;
    const reason = (error.cause as Error | undefined)?.message ?? 'no answer';
    throw new Error(`no schema registry answers at ${kafka.registryUrl}: ${reason}`, { cause: error });
  }
}

async function within<T>(question: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), patienceMs);
  });
  try {
    return await Promise.race([question, late]);
  } catch (error) {
    throw new Error(`${otherwise}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function list(client: KafkaClient, letters: readonly Letter[], json: boolean): Promise<void> {
  const before = await redrivenBefore(client, letters);
  for (const { value, headers: _, ...facts } of letters) {
    const { place, at, topic, key, group, code, message } = facts;
    const redriven = before.has(place);
    if (json) print(JSON.stringify({ ...facts, bytes: value?.length ?? 0, redriven }));
    else
      print(
        `${place}  ${at.toISOString()}  ${topic}  ${key}  ${group}  ${code}: ${message}${redriven ? '  (redriven)' : ''}`,
      );
  }
}

async function show(client: KafkaClient, letters: readonly Letter[], json: boolean): Promise<void> {
  const before = await redrivenBefore(client, letters);
  for (const { value, headers, ...facts } of letters) {
    const said = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)]));
    const record = recordOf(value);
    const whole = { ...facts, at: facts.at.toISOString(), redriven: before.has(facts.place), headers: said, ...record };
    print(json ? JSON.stringify(whole) : JSON.stringify(whole, null, 2));
  }
}

/** The value as it can be read: JSON behind the schema's five bytes, or the first bytes of whatever it is. */
function recordOf(value: Buffer | null): { bytes: number; schemaId?: number; record?: unknown; text?: string } {
  if (value === null) return { bytes: 0, record: null };
  const bytes = value.length;
  const framed = value[0] === 0 && bytes > 5;
  const schemaId = framed ? value.readUInt32BE(1) : undefined;
  const body = (framed ? value.subarray(5) : value).toString('utf8');
  try {
    return { bytes, ...(schemaId !== undefined && { schemaId }), record: JSON.parse(body) as unknown };
  } catch {
    return { bytes, ...(schemaId !== undefined && { schemaId }), text: body.slice(0, shownBytes) };
  }
}

async function tryAgain(
  client: KafkaClient,
  chosen: readonly Letter[],
  decision: NonNullable<Wishes['decision']>,
  env: Environment,
): Promise<number> {
  const { databaseUrl, databaseSchema } = loadConfig(databaseSettings, env);
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, connectionTimeoutMillis: patienceMs });
  try {
    const companies = `${pg.escapeIdentifier(databaseSchema)}.companies`;
    const organizationOf = async (owner: Owner): Promise<string | undefined> => {
      if ('organizationId' in owner) return owner.organizationId;
      const { rows } = await pool.query<{ organization_id: string }>(
        `select organization_id from ${companies} where realm_id = $1`,
        [owner.realmId],
      );
      return rows[0]?.organization_id;
    };
    await pool.query(`select from ${companies} limit 1`).catch((error: unknown) => {
      throw new Error(`PostgreSQL does not say whose companies these are: ${(error as Error).message}`, {
        cause: error,
      });
    });
    const outcomes = await redrive(client, chosen, decision, { organizationOf, now: () => new Date() });
    for (const one of outcomes) print(`${one.letter.place}  ${wordsOf(one)}`);
    const done = outcomes.filter(({ kind }) => kind !== 'refused').length;
    print(`dead-letters: redriven ${done} of ${outcomes.length}`);
    return done === outcomes.length ? 0 : 1;
  } finally {
    await pool.end();
  }
}

function wordsOf(one: Redriven): string {
  switch (one.kind) {
    case 'refused':
      return `refused: ${one.why}`;
    case 'redriven with':
      return `redriven with ${one.place}: the same record, put aside by ${one.letter.group} too`;
    case 'redriven':
      return `redriven to ${one.letter.topic}`;
    default:
      return one satisfies never;
  }
}

async function main(): Promise<number> {
  const asked = readArguments(process.argv.slice(2));
  if (asked === 'help') return (print(usage), 0);
  // What the client says to itself while it waits is not for the reader of a list.
  configureLogging({ service: 'dead-letters', level: 'silent' });
  const env = await environment();
  const client = await connect(env);
  try {
    const all = await readLetters(client);
    const missing = asked.places.filter((place) => !all.some((letter) => letter.place === place));
    if (missing.length > 0) throw new TypeError(`there is no letter at ${missing.join(', ')}`);
    const chosen = all.filter(
      ({ place, code, topic }) =>
        (asked.code === undefined || code === asked.code) &&
        (asked.topic === undefined || topic === asked.topic) &&
        (asked.places.length === 0 || asked.places.includes(place)),
    );
    if (asked.command === 'redrive') return await tryAgain(client, chosen, asked.decision!, env);
    if (asked.command === 'list') await list(client, chosen, asked.json);
    else await show(client, chosen, asked.json);
    if (!asked.json) print(`dead-letters: ${chosen.length} of ${all.length}`);
    return 0;
  } finally {
    await client.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const usageToo = error instanceof TypeError ? `\n${usage}` : '';
  process.stderr.write(`dead-letters: ${(error as Error).message}${usageToo}\n`);
  // A client that never connected goes on trying.
  process.exit(2);
}
