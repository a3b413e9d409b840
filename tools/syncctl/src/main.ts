// `npm run syncctl -- help`: a command line over the HTTP API.
import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  write: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
});
