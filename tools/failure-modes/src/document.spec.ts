// The document says what the code does: it is current, and every code that the sources say has its entry.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureModes } from './document.js';
import { ownCodes } from './own-codes.js';

const root = process.cwd();

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && entry.name !== 'node_modules' && entry.name !== 'test') yield* sources(path);
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('spec.ts')) yield path;
  }
}

/** Literals that look like a code: 'WORD.WORD', or a single word after `code:`. */
function codesSaid(): Map<string, string> {
  const said = new Map<string, string>();
  for (const folder of ['libs', 'apps']) {
    for (const path of sources(folder)) {
      const text = readFileSync(join(root, path), 'utf8');
      const found = [
        ...text.matchAll(/'([A-Z][A-Z_]+(?:\.[A-Z][A-Z_]+)+)'/g),
        ...text.matchAll(/\bcode: '([A-Z][A-Z_]+)'/g),
      ];
      for (const [, code] of found) if (!said.has(code!)) said.set(code!, path);
    }
  }
  return said;
}

const family = (code: string): RegExp => new RegExp(`^${code.replaceAll('.', '\\.').replaceAll('*', '[A-Z_.]+')}$`);

it('docs/failure-modes.md is current (npm run failure-modes writes it)', () => {
  expect(readFileSync(join(root, 'docs/failure-modes.md'), 'utf8')).toBe(failureModes());
});

it('every code in the sources has an entry in tools/failure-modes/src/own-codes.ts', () => {
  const patterns = ownCodes.map(({ code }) => family(code));
  const without = [...codesSaid()].filter(([code]) => !patterns.some((pattern) => pattern.test(code)));
  expect(without).toEqual([]);
});

it('every entry is said somewhere', () => {
  const all = [...sources('libs'), ...sources('apps')].map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
  // Some are put together: `${side}.RECONNECT_NEEDED`.
  const unsaid = ownCodes.filter(({ code }) => !all.includes(code.replace('*', '').replace(/^.*\.(?=RECONNECT)/, '')));
  expect(unsaid.map(({ code }) => code)).toEqual([]);
});
