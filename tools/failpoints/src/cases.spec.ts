// The order of the matrix leaves nothing out and strikes elsewhere while a process starts again.
import { failpointActions, failpointNames } from '#common/failpoints';
import { casesOf, nameOf, spread } from './cases.js';

const whole = casesOf({ quick: false });

it('the matrix has every point with every action, in its order too', () => {
  const names = failpointNames.flatMap((point) => failpointActions.map((action) => nameOf({ point, action })));
  expect(whole.map(nameOf)).toEqual(names);
  expect(new Set(spread(whole).map(nameOf))).toEqual(new Set(names));
});

it('any twelve neighbours strike at the writer, at ingest and beside them', () => {
  const order = spread(whole).map(({ point }) => point.split('.')[0]!);
  for (let at = 0; at + 12 <= order.length; at++) {
    const twelve = new Set(order.slice(at, at + 12));
    for (const place of [
      ['writer', 'outbox', 'qbo', 'token'],
      ['door', 'notified', 'look', 'capture', 'backfill'],
      ['audit', 'control', 'upload'],
    ])
      expect(place.some((prefix) => twelve.has(prefix))).toBe(true);
  }
});
