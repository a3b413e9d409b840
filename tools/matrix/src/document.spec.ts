// The matrix as it is committed: every type, every act, no blank cell, every test that it names exists.
import { readFileSync } from 'node:fs';
import { acts, types } from './acts.js';
import { closingLine, matrixDocument } from './document.js';
import { whyImpossible } from './impossible.js';
import { allTests } from './stories.js';

const document = readFileSync('docs/lifecycle-matrix.md', 'utf8');
const table = document
  .split('\n## ')[0]!
  .split('\n')
  .filter((row) => row.startsWith('| ') && !row.startsWith('| |') && !row.startsWith('| ---'));
const cells = table.map((row) => row.slice(2, -2).split(' | '));

it('has a row for each of the forty types and a cell for each act', () => {
  expect(types).toHaveLength(40);
  expect(cells.map(([type]) => type)).toEqual(types);
  for (const row of cells) expect(row).toHaveLength(acts.length + 1);
});

it('has no blank cell and none that is broken', () => {
  const wrong = cells.flatMap(([type, ...row]) =>
    row.flatMap((cell, i) =>
      /^(carried \(.+\)|held: .+ \(.+\)|not possible: \[\d+\])$/.test(cell) ? [] : [`${type}/${acts[i]}: ${cell}`],
    ),
  );
  expect(wrong).toEqual([]);
});

it('names exactly the tests there are', () => {
  const named = cells.flatMap((row) =>
    row.flatMap((cell) => [...cell.matchAll(/[(\s]([A-Z][A-Za-z]+\/[a-z][\w:-]*)/g)].map(([, id]) => id!)),
  );
  expect(new Set(named)).toEqual(new Set(allTests().map(({ id }) => id)));
});

it('ends with the counts', () => {
  expect(document).toMatch(/\nmatrix: tested (\d+) of \1 cells, impossible \d+\n$/);
});

it('names what shows each impossibility, and carries every field that QuickBooks keeps', () => {
  const notes = document
    .split('## Why not possible')[1]!
    .split('\n## ')[0]!
    .trim()
    .split(/\n(?=\d+\. )/);
  for (const note of notes) expect(note).toMatch(/^\d+\. .+\n {3}- .+ \(.+\)/);
  expect(document).toMatch(/\nfields: carried (\d+) of \1 acts on \d+ fields/);
});

it('a broken cell is shown as broken and never counted as impossible', () => {
  const cellOf = (type: string, act: (typeof acts)[number]) => {
    const reason = whyImpossible(type, act);
    return reason === undefined
      ? ({ kind: 'broken', reason: 'planted', tests: ['a'] } as const)
      : ({ kind: 'not possible', reason } as const);
  };
  expect(matrixDocument(cellOf)).toContain('BROKEN: planted');
  expect(closingLine(cellOf)).toMatch(/^matrix: tested (\d+) of \1 cells/);
});
