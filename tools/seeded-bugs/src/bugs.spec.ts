// The bugs can still be planted: a product that moved on must not leave the proof behind without a word.
import { transformSync } from '@swc/core';
import { readFileSync } from 'node:fs';
import { planted, seededBugs, takenOutRules } from './bugs.js';

const read = (file: string): string => readFileSync(file, 'utf8');

it.each([...seededBugs, ...takenOutRules].map((bug) => [bug.name, bug] as const))(
  '%s can be planted, and compiles',
  (_, bug) => {
    for (const { file } of bug.edits) {
      const source = read(file);
      const wrong = planted(bug, file, source);
      expect(wrong).not.toBe(source);
      transformSync(wrong, { jsc: { parser: { syntax: 'typescript', decorators: true } } });
    }
  },
);

it.each(seededBugs.map((bug) => [bug.name, bug.caughtBy] as const))('%s has a test that must notice', (_, by) => {
  // A title of a table holds its place; the part before it is what stands in the file.
  expect(read(by.spec)).toContain(by.test);
});

it('a text that is gone, or there twice, is said loudly', () => {
  const [bug] = seededBugs;
  const [edit] = bug!.edits;
  expect(() => planted(bug!, edit!.file, 'moved on')).toThrow(/0 times/);
  expect(() => planted(bug!, edit!.file, edit!.from + edit!.from)).toThrow(/2 times/);
});

it('has at least twelve, each with a name of its own', () => {
  expect(new Set(seededBugs.map(({ name }) => name)).size).toBeGreaterThanOrEqual(12);
});
