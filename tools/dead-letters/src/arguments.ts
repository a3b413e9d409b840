// What `npm run dead-letters -- ...` understands. Pure.
import { parseArgs } from 'node:util';
import { topicNamed, topics } from '#contracts';

export const usage = `npm run dead-letters [-- list|show PLACE...|redrive PLACE...] [--code CODE] [--topic TOPIC] [--json]
  [--author NAME --reason TEXT]
Records that no consumer could take lie in dead.letters.v1, byte for byte, with the reason.
  list      what lies there and why, one line each (the default)
  show      all of it: headers and the record itself
  redrive   tries records again, each once and with an audit entry; --author and --reason say who decided, and why
PLACE is PARTITION/OFFSET, as the list says it; --code and --topic choose by cause and by where the record was. Addresses come from
the apps' variables (SYNC_KAFKA_BROKERS, SYNC_REGISTRY_URL, SYNC_DATABASE_URL, ...), and without those from the installation that
"npm run demo -- --stay" leaves running in this checkout.`;

export interface Wishes {
  command: 'list' | 'show' | 'redrive';
  places: string[];
  code: string | undefined;
  topic: string | undefined;
  json: boolean;
  /** of a redrive */
  decision: { author: string; reason: string } | undefined;
}

const commands: readonly string[] = ['list', 'show', 'redrive'] satisfies Wishes['command'][];

/** @throws TypeError with a sentence for a person */
export function readArguments(args: string[]): Wishes | 'help' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      code: { type: 'string' },
      topic: { type: 'string' },
      author: { type: 'string' },
      reason: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const [command = 'list', ...places] = positionals;
  if (!isCommand(command)) throw new TypeError(`"${command}" is not known: list, show or redrive`);
  const odd = places.find((place) => !/^\d+\/\d+$/.test(place));
  if (odd !== undefined) throw new TypeError(`"${odd}" is no place: PARTITION/OFFSET, as the list says it`);
  const { code, topic, author, reason, json } = values;
  if (topic !== undefined && !topicNamed(topic)) {
    const known = Object.values(topics).map(({ name }) => name);
    throw new TypeError(`no topic "${topic}" is in the catalogue: ${known.join(', ')}`);
  }
  const chosen = places.length > 0 || code !== undefined || topic !== undefined;
  if (command !== 'list' && !chosen)
    throw new TypeError('Say which: PARTITION/OFFSET..., --code CODE or --topic TOPIC');
  if (command === 'redrive' && (!author || !reason))
    throw new TypeError('A redrive is a decision: --author NAME and --reason TEXT');
  const decision = author && reason ? { author, reason } : undefined;
  return { command, places, code, topic, json, decision };
}

const isCommand = (text: string): text is Wishes['command'] => commands.includes(text);
