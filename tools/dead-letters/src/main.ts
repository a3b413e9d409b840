// `npm run dead-letters`: what lies in dead.letters.v1, and why. `npm run dead-letters -- redrive PARTITION/OFFSET... --author NAME
// --reason TEXT` tries records again, each once and with an audit entry; `--code CODE` instead of places takes all of one cause.
// Places are the apps' own variables (SYNC_KAFKA_BROKERS, SYNC_REGISTRY_URL, SYNC_DATABASE_URL, SYNC_TOPIC_PREFIX,
// SYNC_DATABASE_SCHEMA).
import { parseArgs } from 'node:util';
import pg from 'pg';
import { KafkaClient } from '#kafka';
import { readLetters, redrive, redrivenBefore, type Owner } from './letters.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    code: { type: 'string' },
    author: { type: 'string' },
    reason: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const print = (text: string): void => void process.stdout.write(`${text}\n`);
function stop(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

const env = process.env;
const [command = 'list', ...places] = positionals;
if (!['list', 'redrive'].includes(command)) stop(`"${command}" is not known: list, or redrive PARTITION/OFFSET...`);
const brokers = (env.SYNC_KAFKA_BROKERS ?? '').split(',').filter(Boolean);
if (brokers.length === 0 || !env.SYNC_REGISTRY_URL)
  stop('SYNC_KAFKA_BROKERS and SYNC_REGISTRY_URL say where Kafka is.');
const client = await KafkaClient.connect({
  ...{
    brokers,
    registryUrl: env.SYNC_REGISTRY_URL!,
    topicPrefix: env.SYNC_TOPIC_PREFIX ?? '',
    clientId: 'dead-letters',
  },
});
try {
  const all = await readLetters(client);
  const chosen = all.filter(
    ({ place, code }) =>
      (values.code === undefined || code === values.code) && (places.length === 0 || places.includes(place)),
  );
  if (command === 'list') {
    const before = await redrivenBefore(client, chosen);
    for (const { place, topic, key, code, message, group, at, value } of chosen) {
      const facts = {
        place,
        at,
        topic,
        key,
        code,
        message,
        group,
        bytes: value?.length ?? 0,
        redriven: before.has(place),
      };
      if (values.json) print(JSON.stringify(facts));
      else
        print(
          `${place}  ${at.toISOString()}  ${topic}  ${key}  ${code}: ${message}${facts.redriven ? '  (redriven)' : ''}`,
        );
    }
    print(`dead-letters: ${chosen.length} of ${all.length}`);
  } else {
    const { author, reason } = values;
    if (!author || !reason) stop('A redrive is a decision: --author NAME and --reason TEXT.');
    if (places.length === 0 && values.code === undefined) stop('Say which: PARTITION/OFFSET..., or --code CODE.');
    if (!env.SYNC_DATABASE_URL) stop('SYNC_DATABASE_URL says whose companies these are.');
    const missing = places.filter((place) => !all.some((letter) => letter.place === place));
    if (missing.length > 0) stop(`there is no letter at ${missing.join(', ')}`);
    const pool = new pg.Pool({ connectionString: env.SYNC_DATABASE_URL, max: 1 });
    const schema = pg.escapeIdentifier(env.SYNC_DATABASE_SCHEMA ?? 'public');
    const organizationOf = async (owner: Owner): Promise<string | undefined> => {
      if ('organizationId' in owner) return owner.organizationId;
      const { rows } = await pool.query<{ organization_id: string }>(
        `select organization_id from ${schema}.companies where realm_id = $1`,
        [owner.realmId],
      );
      return rows[0]?.organization_id;
    };
    const outcomes = await redrive(client, chosen, { author, reason }, { organizationOf, now: () => new Date() });
    await pool.end();
    for (const one of outcomes)
      print(`${one.letter.place}  ${one.kind}${one.kind === 'refused' ? `: ${one.why}` : ` to ${one.letter.topic}`}`);
    const done = outcomes.filter(({ kind }) => kind === 'redriven').length;
    print(`dead-letters: redriven ${done} of ${outcomes.length}`);
    process.exitCode = done === outcomes.length ? 0 : 1;
  }
} finally {
  await client.close();
}
