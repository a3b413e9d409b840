// How the steering API reaches the people: presets by name and the person at work, on one seat of the emulator. Their
// writes bypass quotas; edits fire webhooks like any other write, presets do not (nobody is connected yet).
import type { Emulator, Seat } from '../emulator.js';
import type { Rec } from '../types.js';
import { type Actor, actorOn } from './actor.js';
import { type EditsOptions, workAsPerson as work } from './edits.js';
import { type Furnished, generate } from './generated.js';
import { furnishSample } from './sample.js';

type Furnish = (emulator: Emulator, seat: Seat, spec: Rec) => Promise<Rec | undefined>;

// The log is written in slices: one line of all changes of a large company would not fit into a string.
const keepEvery = 250;

function actorAt(emulator: Emulator, seat: Seat, announced: boolean): Actor {
  let writes = 0;
  return actorOn(seat.engine, {
    written: (written) => {
      if (announced) {
        if (written.act === 'create') emulator.noteCreated(seat, written.type, written.id, undefined);
        emulator.announce(seat, written.happenings);
      }
      if (++writes % keepEvery === 0) emulator.keep(seat);
    },
    keepFile: (attachable, content) => {
      const id = attachable['Id'] as string;
      attachable['FileAccessUri'] = `/v3/company/${seat.company.realmId}/download/${id}`;
      seat.files.set(id, content);
      emulator.store?.saveFile(seat, id, content);
    },
  });
}

const whole = (spec: Rec, name: string, fallback: number, most: number): number => {
  const value: unknown = spec[name] ?? fallback;
  if (typeof value !== 'number' || !(value >= 0 && value <= most))
    throw new RangeError(`'${name}' takes a number from 0 to ${most}.`);
  return value;
};

function foreignCurrency(seat: Seat): string | undefined {
  if (!seat.company.multicurrency()) return undefined;
  return seat.company.homeCurrency() === 'EUR' ? 'USD' : 'EUR';
}

const told = ({ refused }: Furnished): Rec => (refused.length > 0 ? { leftOut: refused } : {});

export const presets: Readonly<Record<string, Furnish>> = {
  sample: async (emulator, seat) => told(furnishSample(actorAt(emulator, seat, false), foreignCurrency(seat))),
  generated: async (emulator, seat, spec) =>
    told(
      generate(actorAt(emulator, seat, false), {
        seed: whole(spec, 'seed', 1, Number.MAX_SAFE_INTEGER),
        transactions: whole(spec, 'transactions', 1_000, 1_000_000),
        years: whole(spec, 'years', 2, 30),
        currency: foreignCurrency(seat),
      }),
    ),
};

export async function workAsPerson(emulator: Emulator, seat: Seat, spec: Rec): Promise<Rec> {
  const options: EditsOptions = {
    count: whole(spec, 'count', 1, 1_000_000),
    seed: whole(spec, 'seed', 1, Number.MAX_SAFE_INTEGER),
    mix: spec['mix'] ?? undefined,
  };
  return { ...work(actorAt(emulator, seat, true), options) };
}
