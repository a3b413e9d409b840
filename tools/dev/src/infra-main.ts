// `npm run infra -- [--data DIR] [--nodes 3] [--json] [--until-eof]`: starts Kafka, registry and PostgreSQL, prints where
// they are and stays until Ctrl-C. `--json` prints one line for programs; with `--until-eof` closing standard input ends
// it too, so whoever started it need only die. Then lines on standard input are orders, for tests that break things:
// `kill kafka-1` (SIGKILL), `start kafka-1`, the same for kafka-2, kafka-3 and postgresql; each is answered by one line.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { SetupError, startInfrastructure } from './infrastructure.js';
import type { Infrastructure } from './infrastructure.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    nodes: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    'until-eof': { type: 'boolean', default: false },
  },
});

// Signals may come while things start: the wish to stop is kept and the start's end acts on it.
let infrastructure: Infrastructure | undefined;
let stopWanted = false;
let stopping: Promise<void> | undefined;
function leave(): void {
  stopWanted = true;
  if (!infrastructure) return;
  stopping ??= infrastructure.stop().then(() => process.exit(0));
}
let signals = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // The second signal leaves at once; the guard ends the children.
  process.on(signal, () => (++signals > 1 ? process.exit(1) : leave()));
}
if (values['until-eof']) {
  const orders = createInterface({ input: process.stdin });
  // One after the other: an order may depend on the one before.
  let last = Promise.resolve();
  orders.on('line', (line) => (last = last.then(() => obey(line))));
  orders.on('close', leave);
}

async function obey(line: string): Promise<void> {
  const [verb, name] = line.trim().split(' ');
  const target =
    name === 'postgresql' ? infrastructure?.postgres : infrastructure?.kafka[Number(name?.split('-')[1]) - 1];
  let answer = `unknown order "${line}"`;
  try {
    if (target && (verb === 'kill' || verb === 'start')) {
      await target[verb]();
      answer = 'done';
    }
  } catch (error) {
    answer = (error as Error).message;
  }
  process.stdout.write(`${JSON.stringify({ order: line, answer })}\n`);
}

const startedMs = performance.now();
try {
  infrastructure = await startInfrastructure({
    data: values.data,
    nodes: values.nodes === '3' ? 3 : 1,
    say: (text) => process.stderr.write(`infra: ${text}\n`),
  });
} catch (error) {
  process.stderr.write(`infra: ${error instanceof SetupError ? error.message : String((error as Error).stack)}\n`);
  process.exit(1);
}
if (stopWanted) leave();
else print(infrastructure);

function print({ addresses, folder, given }: Infrastructure): void {
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ ...addresses, folder })}\n`);
    return;
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const lines = Object.entries(addresses).map(([name, value]) => {
    return `export ${name}='${value}'${given.some((g) => g === name) ? '   # given' : ''}`;
  });
  process.stdout.write(`${lines.join('\n')}\n# up in ${seconds} s; data in ${folder ?? '(not ours)'}; Ctrl-C stops\n`);
}
// Nothing of ours may keep the loop alive by accident; this does it on purpose.
setInterval(() => undefined, 1 << 30);
