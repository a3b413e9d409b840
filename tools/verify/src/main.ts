// `npm run verify`: the thirteen invariants of a running installation, one line each.
import { readArguments, usage } from './arguments.js';
import { verify } from './verify.js';

async function main(): Promise<number> {
  const asked = readArguments(process.argv.slice(2), process.env);
  if (asked === 'help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (asked === 'selftest') {
    // Loaded only here: it starts everything.
    const { selfTest } = await import('./self-test/self-test.js');
    return (await selfTest((line) => void process.stdout.write(`${line}\n`))) ? 0 : 1;
  }
  const report = await verify(asked.places, asked.options);
  process.stdout.write(`${report.lines.join('\n')}\n`);
  return report.ok ? 0 : 1;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`verify: ${(error as Error).message}\n${usage}\n`);
  process.exit(2);
}
