// The door to the people of the emulator's world: presets beyond the empty company and the person at work. Whatever they
// do passes through the engine's own write path, is kept like any other write, and bypasses quotas only.
import type { Emulator } from '../emulator.js';
import type { Seat } from '../seat.js';
import { actorOn, furnishSample, generate, workAsPerson as work, type Actor } from '../people/index.js';
import type { Rec } from '../types.js';

export function actorFor(emulator: Emulator, seat: Seat, announced: boolean): Actor {
  return actorOn(seat.engine, {
    written: (written) => {
      if (announced) emulator.announce(seat, written.happenings);
      emulator.keep(seat);
    },
    keepFile: (attachable, content) => emulator.keepFile(seat, attachable, content),
  });
}

type Furnish = (emulator: Emulator, seat: Seat, spec: Rec) => Rec;

function foreignCurrency(seat: Seat, spec: Rec): string | undefined {
  if (!seat.company.multicurrency()) return undefined;
  return spec['currency'] === undefined
    ? seat.company.homeCurrency() === 'EUR'
      ? 'USD'
      : 'EUR'
    : String(spec['currency']);
}

export const presets: Readonly<Record<string, Furnish>> = {
  sample: (emulator, seat, spec) => {
    const { refused } = furnishSample(actorFor(emulator, seat, false), foreignCurrency(seat, spec));
    return { refused };
  },
  generated: (emulator, seat, spec) => {
    const currency = foreignCurrency(seat, spec);
    const { refused } = generate(actorFor(emulator, seat, false), {
      ...(spec['seed'] !== undefined && { seed: Number(spec['seed']) }),
      ...(spec['transactions'] !== undefined && { transactions: Number(spec['transactions']) }),
      ...(spec['years'] !== undefined && { years: Number(spec['years']) }),
      ...(currency !== undefined && { currency }),
      movingPrices: spec['movingPrices'] === true,
    });
    return { refused };
  },
};

/** Two names become one, as in the product's own screen: no API call does it. */
export function mergeAsPerson(emulator: Emulator, seat: Seat, type: string, winnerId: string, loserId: string): void {
  actorFor(emulator, seat, true).merge(type, winnerId, loserId);
}

/** "Adjust starting value" of an inventory item, as in the product's own screen: no API call does it. */
export function adjustStartingValue(emulator: Emulator, seat: Seat, spec: Rec): void {
  const item = seat.company.get('Item', String(spec['itemId'] ?? ''));
  const [quantity, value] = [Number(spec['quantity']), Number(spec['value'])];
  if (item?.['Type'] !== 'Inventory') throw new RangeError('itemId is the id of an inventory item.');
  if (!Number.isFinite(quantity) || !Number.isFinite(value)) throw new RangeError('quantity and value are numbers.');
  seat.company.restartInventory(item, { quantity, value: value.toFixed(2) });
  emulator.announce(seat, [{ type: 'Item', id: item['Id'] as string, act: 'update' }]);
}

export function workAsPerson(emulator: Emulator, seat: Seat, spec: Rec): Rec {
  const count = Number(spec['count'] ?? 1);
  if (!Number.isInteger(count) || count < 0 || count > 1_000_000)
    throw new RangeError('count is a whole number from 0 up.');
  return work(actorFor(emulator, seat, true), {
    count,
    ...(spec['seed'] !== undefined && { seed: Number(spec['seed']) }),
    ...(spec['mix'] !== undefined && { mix: spec['mix'] as Record<string, number> }),
    movingPrices: spec['movingPrices'] === true,
    awkward: spec['awkward'] === true,
  });
}
