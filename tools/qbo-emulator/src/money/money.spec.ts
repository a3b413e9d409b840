// Exactness of the money kernel, against decimal.js and against the text of the numbers.
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import {
  cents,
  centsNumber,
  centsText,
  netOfGross,
  percentOf,
  plus,
  product,
  sevenDecimals,
  share,
  spread,
  spreadRunning,
  times,
  unitPrice,
  units,
  unitsText,
} from './index.js';

const Exact = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP });
const amount = fc.integer({ min: -1e12, max: 1e12 });
const factor = fc
  .tuple(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 0, max: 7 }))
  .map(([n, places]) => n / 10 ** places);
const twoPlaces = (value: Decimal): string => {
  const text = value.toFixed(2, Decimal.ROUND_HALF_UP);
  return text === '-0.00' ? '0.00' : text;
};

describe('cents', () => {
  it.each<[unknown, string]>([
    [1.005, '1.01'],
    [1.335, '1.34'],
    [-1.335, '-1.34'],
    [0.1 + 0.2, '0.30'],
    ['12.344999', '12.34'],
    ['1e3', '1000.00'],
    ['', '0.00'],
    [null, '0.00'],
    ['12,5', '0.00'],
    [-0, '0.00'],
    [9_999_999_999.99, '9999999999.99'],
  ])('of %p are %s', (value, text) => {
    expect(centsText(cents(value))).toBe(text);
  });

  it('survive the way to a JSON number and back', () => {
    fc.assert(
      fc.property(
        amount,
        (c) =>
          cents(centsNumber(c)) === c &&
          cents(centsText(c)) === c &&
          cents(JSON.parse(JSON.stringify(centsNumber(c)))) === c,
      ),
    );
  });

  it('refuse what could no longer be exact instead of rounding it', () => {
    expect(() => cents('1e20')).toThrow(expect.objectContaining({ code: '6000' }));
    expect(() => plus(Number.MAX_SAFE_INTEGER, 1)).toThrow(expect.objectContaining({ code: '6000' }));
    expect(() => times(1e13, 1e9)).toThrow(expect.objectContaining({ code: '6000' }));
    expect(cents('9'.repeat(500))).toBe(0);
  });
});

describe('products and quotients', () => {
  it('round once, half up on the magnitude, like exact decimals', () => {
    fc.assert(
      fc.property(amount, factor, (c, f) => {
        // Beyond that the product is refused, not rounded: the claim above.
        fc.pre(Math.abs(c) * f < Number.MAX_SAFE_INTEGER / 10);
        const base = new Exact(c).div(100);
        expect(centsText(times(c, f))).toBe(twoPlaces(base.times(String(f))));
        expect(centsText(percentOf(c, f))).toBe(twoPlaces(base.times(String(f)).div(100)));
        expect(centsText(product(centsText(c), f))).toBe(twoPlaces(base.times(String(f))));
      }),
    );
  });

  it('split a gross into a net that is within half a cent', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 0, max: 30_000 }), (gross, thousandths) => {
        const percent = thousandths / 1000;
        const net = new Exact(gross).div(100).div(new Exact(String(percent)).div(100).plus(1));
        expect(centsText(netOfGross(gross, [percent]))).toBe(twoPlaces(net));
      }),
    );
  });

  it('share exactly whatever the size of the product', () => {
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: 1, max: 1e12 }), (value, part, whole) => {
        fc.pre(Math.abs(part) <= whole);
        expect(String(share(value, part, whole))).toBe(
          new Exact(value).times(part).div(whole).toFixed(0).replace(/^-0$/, '0'),
        );
      }),
    );
  });

  it('spread parts that always add up', () => {
    fc.assert(
      fc.property(
        amount,
        fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 20 }),
        (total, weights) => {
          fc.pre(weights.some((w) => w > 0));
          expect(spread(total, weights).reduce(plus, 0)).toBe(total);
          expect(spreadRunning(total, weights).reduce(plus, 0)).toBe(total);
        },
      ),
    );
  });
});

describe('quantities', () => {
  it('keep seven decimals and cut off the rest', () => {
    expect(unitsText(units('3.33333339'))).toBe('3.3333333');
    expect(unitsText(units(-0.5))).toBe('-0.5');
    expect(unitsText(units(1e-7))).toBe('0.0000001');
    expect(sevenDecimals(33.333333333)).toBe(33.3333333);
    expect(sevenDecimals('12')).toBe(12);
    expect(unitPrice(1049905, 3)).toBe(3499.6833333);
  });
});
