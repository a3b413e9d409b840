// `node tools/dev/run.mjs tools/qbo-emulator/src/bench-main [--quick]`: the emulator's benchmark on its own.
import { fileURLToPath } from 'node:url';
import { benchEmulator, benchLine } from './bench.js';

const main = fileURLToPath(new URL('./main.js', import.meta.url));
const figures = await benchEmulator({
  quick: process.argv.includes('--quick'),
  command: [process.execPath, main],
  log: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${benchLine(figures)}\n`);
