// `npm run emulator -- [--port 8090] [--data DIR] [--clock real|virtual] [--quiet]`: starts the server, prints one ready
// line and runs until it is told to stop. `--app JSON` (again and again) registers an app as POST /_emulator/apps does;
// `--public-url` is how clients reach it. With --selfcheck it checks itself on a company of its own and ends.
import { parseArgs } from 'node:util';
import { startEmulator } from './http/server.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    host: { type: 'string', default: '127.0.0.1' },
    'public-url': { type: 'string' },
    app: { type: 'string', multiple: true, default: [] },
    data: { type: 'string' },
    clock: { type: 'string', default: 'real' },
    quiet: { type: 'boolean', default: false },
    selfcheck: { type: 'boolean', default: false },
  },
});

if (values.selfcheck) {
  const { selfcheck } = await import('./selfcheck.js');
  const { ok, line, problems } = await selfcheck();
  for (const problem of problems.slice(0, 50)) process.stderr.write(`${problem}\n`);
  process.stdout.write(`${line}\n`);
  process.exit(ok ? 0 : 1);
}
if (values.clock !== 'real' && values.clock !== 'virtual') {
  process.stderr.write(`--clock is real or virtual, not ${values.clock}\n`);
  process.exit(2);
}
const running = await startEmulator({
  port: Number(values.port),
  host: values.host,
  ...(values['public-url'] !== undefined && { publicUrl: values['public-url'] }),
  clock: values.clock,
  ...(values.data !== undefined && { dataDir: values.data }),
  ...(!values.quiet && { progress: (text: string) => void process.stderr.write(`${text}\n`) }),
});
running.emulator.logDefects = !values.quiet;
for (const app of values.app) {
  running.emulator.oauth.registerApp(JSON.parse(app) as Parameters<typeof running.emulator.oauth.registerApp>[0]);
}
// With a public address the port is said too: whoever started it must still find it.
const port = values['public-url'] === undefined ? '' : ` (port ${running.port})`;
process.stdout.write(`qbo-emulator listening on ${running.url}${port}\n`);

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await running.close();
  process.exit(0);
}
process.on('SIGINT', () => void stop());
process.on('SIGTERM', () => void stop());
