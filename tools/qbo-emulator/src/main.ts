// `npm run emulator -- [--port 8090] [--data DIR] [--clock real|virtual] [--quiet]`: starts the server, prints one ready
// line and runs until it is told to stop.
import { parseArgs } from 'node:util';
import { startEmulator } from './http/server.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    host: { type: 'string', default: '127.0.0.1' },
    data: { type: 'string' },
    clock: { type: 'string', default: 'real' },
    quiet: { type: 'boolean', default: false },
    selfcheck: { type: 'boolean', default: false },
  },
});

if (values.clock !== 'real' && values.clock !== 'virtual') {
  process.stderr.write(`--clock is real or virtual, not ${values.clock}\n`);
  process.exit(2);
}
const running = await startEmulator({
  port: Number(values.port),
  host: values.host,
  clock: values.clock,
  ...(values.data !== undefined && { dataDir: values.data }),
});
running.emulator.logDefects = !values.quiet;
process.stdout.write(`qbo-emulator listening on ${running.url}\n`);

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await running.close();
  process.exit(0);
}
process.on('SIGINT', () => void stop());
process.on('SIGTERM', () => void stop());
