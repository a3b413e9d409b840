// Figures in the units of our boards, as people read them.
import { inUnit } from './units.js';

it.each([
  [0.9934, 'percentunit', '99.3 %'],
  [12.345, 'ops', '12.3/s'],
  [10_485_760, 'bytes', '10 MiB'],
  [2048, 'bytes', '2 KiB'],
  [383, 'short', '383'],
  [12_345, 'short', '12.3 K'],
  [0, 's', '0 s'],
  [0.0042, 's', '4.2 ms'],
  [7.35, 's', '7.35 s'],
  [600, 's', '10 min'],
  [8_640_000, 's', '100 days'],
])('%p in %s is %s', (value, unit, said) => {
  expect(inUnit(value, unit)).toBe(said);
});
