// `node tools/dev/run.mjs tools/x/src/main [args]`: brings dist/ up to date, then becomes that program in this process.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, root } from './build.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major !== 24 || minor < 15) {
  process.stderr.write(
    `This needs Node 24.15 or newer of the 24 line; found ${process.versions.node}. Run it by its npm script after "npm ci", which brings its own Node.\n`,
  );
  process.exit(1);
}
const [entry, ...args] = process.argv.slice(2);
await build();
const file = join(root, 'dist', `${entry}.js`);
process.argv = [process.argv[0], file, ...args];
await import(pathToFileURL(file).href);
