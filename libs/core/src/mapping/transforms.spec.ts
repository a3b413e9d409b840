import * as fc from 'fast-check';
import { MappingFailure } from './failure.js';
import { formatDate } from './dates.js';
import type { Transform } from './rules.js';
import { applyTransforms } from './transforms.js';

const apply = (value: unknown, ...transforms: Transform[]) => applyTransforms(value, transforms, 'a -> b');
const code = (value: unknown, ...transforms: Transform[]): string => {
  try {
    return `no failure: ${String(apply(value, ...transforms))}`;
  } catch (error) {
    return error instanceof MappingFailure ? error.code : `another error: ${String(error)}`;
  }
};

describe('a transform', () => {
  const table: [string, unknown, Transform[], unknown][] = [
    ['toString of a number', 12.5, [{ use: 'toString' }], '12.5'],
    ['toString of a truth value', false, [{ use: 'toString' }], 'false'],
    ['toNumber', ' 1250.75 ', [{ use: 'toNumber' }], 1250.75],
    ['toNumber of a number', 3, [{ use: 'toNumber' }], 3],
    ['toNumber of minus zero', '-0.00', [{ use: 'toNumber' }], 0],
    ['toUpperCase', 'straße', [{ use: 'toUpperCase' }], 'STRASSE'],
    ['toLowerCase', 'ÅNGSTRÖM', [{ use: 'toLowerCase' }], 'ångström'],
    ['titleCase', "ANNE-MARIE o'neil  & co", [{ use: 'titleCase' }], "Anne-Marie O'neil  & Co"],
    ['trim', '  a b ', [{ use: 'trim' }], 'a b'],
    ['formatDate from ISO', '2026-03-09', [{ use: 'formatDate', to: 'DD/MM/YYYY' }], '09/03/2026'],
    ['formatDate of a moment', '2026-03-09T10:00:00-08:00', [{ use: 'formatDate', to: 'M/D/YY' }], '3/9/26'],
    ['formatDate to ISO', '9.3.2026', [{ use: 'formatDate', from: 'D.M.YYYY', to: 'YYYY-MM-DD' }], '2026-03-09'],
    ['multiply, exact', 0.1, [{ use: 'multiply', by: 3 }], 0.3],
    ['multiply by a text', '19.99', [{ use: 'multiply', by: '100' }], 1999],
    ['substring', '😀abc', [{ use: 'substring', start: 0, end: 2 }], '😀a'],
    ['substring to the end', 'INV-1001', [{ use: 'substring', start: 4 }], '1001'],
    ['replace, every one, literally', 'a.b.c', [{ use: 'replace', find: '.', with: '$&' }], 'a$&b$&c'],
    ['default of nothing', undefined, [{ use: 'default', value: 'x' }], 'x'],
    ['default of something', 0, [{ use: 'default', value: 'x' }], 0],
    ['split', 'Acme:West:7', [{ use: 'split', separator: ':', index: 1 }], 'West'],
    ['split from the end', 'Acme:West:7', [{ use: 'split', separator: ':', index: -1 }], '7'],
    ['split beyond the parts', 'Acme', [{ use: 'split', separator: ':', index: 3 }], undefined],
    ['abs', -5.25, [{ use: 'abs' }], 5.25],
    ['round half away from zero', 2.675, [{ use: 'round', places: 2 }], 2.68],
    ['round a negative half', -2.675, [{ use: 'round', places: 2 }], -2.68],
    ['round to whole numbers', '2.5', [{ use: 'round', places: 0 }], 3],
    [
      'several, in order',
      ' 10.005 ',
      [{ use: 'toNumber' }, { use: 'multiply', by: 2 }, { use: 'round', places: 1 }],
      20,
    ],
    ['nothing stays nothing', undefined, [{ use: 'trim' }, { use: 'toNumber' }], undefined],
  ];
  it.each(table)('%s', (_, value, transforms, expected) => {
    expect(apply(value, ...transforms)).toEqual(expected);
  });

  it('concat puts texts, other fields and the value itself together, and leaves out what is empty', () => {
    const source = { CustomerRef: { value: '7', name: 'Amy' }, Note: '' };
    const concat: Transform = {
      use: 'concat',
      parts: [{ field: 'CustomerRef.name' }, { field: 'Note' }, { value: true }, 'end'],
      separator: ' / ',
    };
    expect(applyTransforms('12', [concat], 'r', source)).toBe('Amy / 12 / end');
    expect(applyTransforms(undefined, [{ use: 'concat', parts: [{ field: 'None' }] }], 'r', source)).toBeUndefined();
  });

  const refused: [string, unknown, Transform, string][] = [
    ['a number with a comma', '1,250.75', { use: 'toNumber' }, 'MAPPING.NOT_ALLOWED'],
    ['no number at all', 'twelve', { use: 'abs' }, 'MAPPING.NOT_ALLOWED'],
    ['hexadecimal', '0x10', { use: 'toNumber' }, 'MAPPING.NOT_ALLOWED'],
    ['infinity', 'Infinity', { use: 'toNumber' }, 'MAPPING.NOT_ALLOWED'],
    ['more digits than JSON can carry', '12345678901234567.89', { use: 'toNumber' }, 'MAPPING.NOT_ALLOWED'],
    ['a day on no calendar', '2026-02-30', { use: 'formatDate', to: 'D.M.YYYY' }, 'MAPPING.NOT_ALLOWED'],
    ['a date in another form', '02/03/2026', { use: 'formatDate', to: 'D.M.YYYY' }, 'MAPPING.NOT_ALLOWED'],
    ['a date pattern without a year', '1.2.', { use: 'formatDate', from: 'D.M.', to: 'YYYY' }, 'MAPPING.BAD_RULE'],
    ['negative places', 1, { use: 'round', places: -1 }, 'MAPPING.BAD_RULE'],
    ['a factor that is none', 1, { use: 'multiply', by: true as never }, 'MAPPING.BAD_RULE'],
    ['no separator', 'a', { use: 'split', separator: '', index: 0 }, 'MAPPING.BAD_RULE'],
    ['no parts', 'a', { use: 'concat', parts: 'x' as never }, 'MAPPING.BAD_RULE'],
    ['an object as value', { value: '1' }, { use: 'toString' }, 'MAPPING.BAD_RULE'],
    ['a transform that does not exist', 'a', { use: 'eval' } as never, 'MAPPING.BAD_RULE'],
  ];
  it.each(refused)('refuses %s by name', (_, value, transform, expected) => {
    expect(code(value, transform)).toBe(expected);
  });

  it('multiplies and rounds cents as integers would', () => {
    const cents = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 });
    fc.assert(
      fc.property(cents, fc.integer({ min: -1000, max: 1000 }), (amount, by) => {
        const text = `${amount < 0 ? '-' : ''}${Math.trunc(Math.abs(amount) / 100)}.${String(Math.abs(amount) % 100).padStart(2, '0')}`;
        const product = apply(text, { use: 'multiply', by }, { use: 'round', places: 2 }) as number;
        return Math.round(product * 100) === amount * by || Math.abs(amount * by) > 2 ** 50;
      }),
    );
  });

  it('is total: whatever value and rule, a value or a named failure', () => {
    const uses = fc.constantFrom(
      'toNumber',
      'round',
      'split',
      'substring',
      'formatDate',
      'concat',
      'multiply',
      'titleCase',
      'table',
    );
    fc.assert(
      fc.property(
        fc.jsonValue(),
        uses,
        fc.dictionary(
          fc.constantFrom('by', 'places', 'to', 'from', 'parts', 'index', 'start', 'separator', 'entries'),
          fc.jsonValue(),
        ),
        (value, use, more) => {
          return !code(value, { ...more, use } as never).startsWith('another error');
        },
      ),
    );
  });

  it('reads back every date it writes', () => {
    const days = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(days, fc.constantFrom('DD.MM.YYYY', 'M/D/YY', 'YYYYMMDD'), (day, form) => {
        const iso = day.toISOString().slice(0, 10);
        const there = formatDate(iso, undefined, form);
        return (
          there.kind === 'done' &&
          JSON.stringify(formatDate(there.text, form, 'YYYY-MM-DD')) === JSON.stringify({ kind: 'done', text: iso })
        );
      }),
    );
  });
});
