import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { firstForm } from './beginnings.js';

describe('the first form of a record', () => {
  it.each<[string, Json, Json, boolean]>([
    ['is the record itself', { Name: 'Rent' }, { Name: 'Rent' }, false],
    [
      'is active when the record is to be inactive',
      { Name: 'Rent', Active: false },
      { Name: 'Rent', Active: true },
      true,
    ],
    [
      'has the present cost where that gives the value it began with',
      { Name: 'Pump', QtyOnHand: 25, PurchaseCost: 10, StartingValue: 250 },
      { Name: 'Pump', QtyOnHand: 25, PurchaseCost: 10 },
      false,
    ],
    [
      'has the cost of the beginning where it was edited since',
      { Name: 'Pump', QtyOnHand: 25, PurchaseCost: 12.5, StartingValue: 250 },
      { Name: 'Pump', QtyOnHand: 25, PurchaseCost: 10 },
      true,
    ],
    [
      'has a cost where it was taken away since',
      { Name: 'Pump', QtyOnHand: 3, StartingValue: 10 },
      { Name: 'Pump', QtyOnHand: 3, PurchaseCost: 3.3333333 },
      true,
    ],
    [
      'had no value at the beginning',
      { Name: 'Pump', QtyOnHand: 3, PurchaseCost: 7, StartingValue: 0 },
      { Name: 'Pump', QtyOnHand: 3, PurchaseCost: 0 },
      true,
    ],
    [
      'began with nothing',
      { Name: 'Pump', QtyOnHand: 0, PurchaseCost: 7, StartingValue: 0 },
      { Name: 'Pump', QtyOnHand: 0, PurchaseCost: 7 },
      false,
    ],
    [
      'leaves a value alone that no cost explains',
      { Name: 'Pump', QtyOnHand: 3, PurchaseCost: 7, StartingValue: -21 },
      { Name: 'Pump', QtyOnHand: 3, PurchaseCost: 7 },
      false,
    ],
  ])('%s', (_what, desired, body, unfinished) => {
    const { StartingValue } = desired;
    const applied = StartingValue === undefined ? body : { ...body, StartingValue };
    expect(firstForm(desired)).toMatchObject({ body, unfinished });
    expect(firstForm(desired).body).not.toHaveProperty('StartingValue');
    expect({
      ...firstForm(desired).applied,
      StartingValue: Number(firstForm(desired).applied.StartingValue ?? NaN),
    }).toEqual({
      ...applied,
      StartingValue: Number(StartingValue ?? NaN),
    });
  });

  it('posts the value of the beginning to the cent, whatever the cost is now', () => {
    const cents = fc.integer({ min: 0, max: 10_000_000 }).map((n) => n / 100);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90_000 }), cents, cents, (QtyOnHand, StartingValue, PurchaseCost) => {
        const { body } = firstForm({ QtyOnHand, PurchaseCost, StartingValue });
        expect(Math.round(QtyOnHand * Number(body.PurchaseCost) * 100) / 100).toBeCloseTo(StartingValue, 2);
      }),
    );
  });
});
