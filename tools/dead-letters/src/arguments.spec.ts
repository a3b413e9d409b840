// Whoever types something wrong is told what is right; nothing is chosen by accident.
import { readArguments } from './arguments.js';

const decided = ['--author', 'ann', '--reason', 'mended'];

it('lists by itself, and takes places, causes and topics', () => {
  const nothing = { code: undefined, topic: undefined, json: false, decision: undefined };
  expect(readArguments([])).toEqual({ command: 'list', places: [], ...nothing });
  expect(readArguments(['show', '0/12', '3/4'])).toEqual({ command: 'show', places: ['0/12', '3/4'], ...nothing });
  expect(readArguments(['redrive', '--code', 'VALUE.INVALID', '--topic', 'qbo.changes.v1', ...decided])).toEqual({
    ...{ command: 'redrive', places: [], code: 'VALUE.INVALID', topic: 'qbo.changes.v1', json: false },
    decision: { author: 'ann', reason: 'mended' },
  });
  expect(readArguments(['redrive', '--help'])).toBe('help');
});

it.each<[what: string, args: string[], says: RegExp]>([
  ['an unknown command', ['remove'], /"remove" is not known: list, show or redrive/],
  ['an unknown option', ['--all'], /Unknown option '--all'/],
  ['what is no place', ['show', '12'], /"12" is no place: PARTITION\/OFFSET/],
  ['an unknown topic', ['list', '--topic', 'changes'], /no topic "changes" is in the catalogue: .*qbo\.changes\.v1/],
  ['a redrive of everything', ['redrive', ...decided], /Say which/],
  ['a redrive by nobody', ['redrive', '0/1', '--reason', 'mended'], /A redrive is a decision/],
  ['a redrive without a reason', ['redrive', '0/1', '--author', 'ann'], /A redrive is a decision/],
])('refuses %s', (_what, args, says) => {
  expect(() => readArguments(args)).toThrow(says);
});
