// The door to the people of the emulator's world: presets beyond the empty company and the person at work.
import type { Emulator, Seat } from '../emulator.js';
import type { Rec } from '../types.js';

type Furnish = (emulator: Emulator, seat: Seat, spec: Rec) => Promise<Rec | undefined>;

export const presets: Readonly<Record<string, Furnish>> = {};

export async function workAsPerson(_emulator: Emulator, _seat: Seat, _spec: Rec): Promise<Rec> {
  throw new RangeError('The person at work is not there yet.');
}
