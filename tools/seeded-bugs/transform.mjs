// Compiles for Jest as always, and plants one seeded bug while it does. Only tools/seeded-bugs/jest.config.mjs names it, and
// SYNC_SEEDED_BUG says which one; without that variable nothing is planted. Notes in SYNC_SEEDED_BUG_NOTES which files were
// planted and loaded, so that a bug that no test even loads is no bug caught.
import swcJest from '@swc/jest';
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';

// Built before Jest starts, and by an address: in a fresh tree there is no such file to resolve.
const { planted, seededBugs } = await import(new URL('../../dist/tools/seeded-bugs/src/bugs.js', import.meta.url).href);

const { SYNC_SEEDED_BUG: wanted, SYNC_SEEDED_BUG_NOTES: notes } = process.env;
const bug = wanted ? seededBugs.find(({ name }) => name === wanted) : undefined;
if (wanted && !bug) throw new Error(`there is no seeded bug "${wanted}"`);

function sourceOf(text, path, rootDir) {
  const file = relative(rootDir, path);
  if (!bug?.edits.some((edit) => edit.file === file)) return text;
  const wrong = planted(bug, file, text);
  if (notes) appendFileSync(notes, `${file}\n`);
  return wrong;
}

export default {
  createTransformer(options) {
    const plain = swcJest.createTransformer(options);
    return {
      canInstrument: plain.canInstrument,
      // Asked for every file that is loaded, cached or not: here it is known what was loaded.
      getCacheKey: (text, path, o) => plain.getCacheKey(sourceOf(text, path, o.config.rootDir), path, o),
      process: (text, path, o) => plain.process(sourceOf(text, path, o.config.rootDir), path, o),
    };
  },
};
