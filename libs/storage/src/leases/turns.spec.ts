// A company's seat may be taken again while a turn of the seat before is still running: a process that slept through its lease
// and got it back.
import { ManualClock } from '#common/clock';
import { Turns } from './turns.js';

it('a turn that ends after its seat was left counts for nobody, also when the company has a new seat', async () => {
  const turns = new Turns(new ManualClock(), { atOnce: 2, rowsInHand: 100 });
  const seat = turns.join('1');
  const late = (await seat.next())!;
  seat.leave();
  const again = turns.join('1');
  // The new seat rests until it is woken.
  (await again.next())!.end({ spent: 0 });
  expect(() => late.end({ spent: 5, again: 'bulk' })).not.toThrow();
  again.wake('live');
  expect((await again.next())!.lane).toBe('live');
});

it('a late end does not end the turn of the new seat, and both places are free again', async () => {
  const turns = new Turns(new ManualClock(), { atOnce: 2, rowsInHand: 100 });
  const seat = turns.join('1');
  const late = (await seat.next())!;
  seat.leave();
  const again = turns.join('1');
  const now = (await again.next())!;
  late.end({ spent: 0 });
  expect(() => now.end({ spent: 1 })).not.toThrow();
  const others = [turns.join('2'), turns.join('3')];
  expect((await Promise.all(others.map((one) => one.next()))).map((turn) => turn?.lane)).toEqual(['bulk', 'bulk']);
});
