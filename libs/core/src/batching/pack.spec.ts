// Packing as properties: what every pack keeps, and the choices between batch and single requests as tables.
import * as fc from 'fast-check';
import { CallCosts } from './costs.js';
import { packCalls, type Packable, type PackRoom } from './pack.js';

const open: PackRoom = {
  calls: 7,
  callsInAll: 7,
  batchesOnTheirWay: 0,
  batchesInLine: 0,
  batchSize: 30,
  touched: new Set(),
  backlog: true,
  callMs: 300,
  outlook: { singleInMs: 0, spacingMs: 120, batchInMs: 0, batchSpacingMs: 1_500, batches: 40 },
};

interface Row extends Packable {
  n: number;
}

const rows = (count: number, more: (n: number) => Partial<Row> = () => ({})): Row[] =>
  Array.from({ length: count }, (_, n) => ({
    n,
    keys: [`Invoice ${n}`],
    batchable: true,
    itemMs: 100,
    bytes: 800,
    ...more(n),
  }));

const anyRow = fc.record({
  keys: fc.uniqueArray(
    fc.integer({ min: 0, max: 40 }).map((n) => `Invoice ${n}`),
    { minLength: 1, maxLength: 3 },
  ),
  batchable: fc.boolean(),
  itemMs: fc.integer({ min: 1, max: 20_000 }),
  bytes: fc.integer({ min: 100, max: 100_000 }),
});
const anyRoom = fc.record({
  calls: fc.integer({ min: 0, max: 9 }),
  callsInAll: fc.constant(7),
  batchesOnTheirWay: fc.integer({ min: 0, max: 7 }),
  batchesInLine: fc.integer({ min: 0, max: 3 }),
  batchSize: fc.integer({ min: 1, max: 30 }),
  touched: fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map((n) => `Invoice ${n}`)).map((keys) => new Set(keys)),
  backlog: fc.boolean(),
  callMs: fc.integer({ min: 1, max: 5_000 }),
  outlook: fc.record({
    singleInMs: fc.integer({ min: 0, max: 60_000 }),
    spacingMs: fc.integer({ min: 0, max: 200 }),
    batchInMs: fc.integer({ min: 0, max: 60_000 }),
    batchSpacingMs: fc.integer({ min: 0, max: 1_500 }),
    batches: fc.integer({ min: 0, max: 40 }),
  }),
});

describe('a pack of calls', () => {
  it('loses no row and doubles none', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 80 }), anyRoom, (some, room) => {
        const all = some.map((row, n) => ({ ...row, n }));
        const { calls, left } = packCalls(all, room);
        expect([...calls.flat(), ...left].map((row) => row.n).sort((a, b) => a - b)).toEqual(all.map((row) => row.n));
        expect(left.map((row) => row.n)).toEqual([...left.map((row) => row.n)].sort((a, b) => a - b));
      }),
    );
  });

  it('has no two rows on their way that touch the same, nor one that touches what is on its way already', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 80 }), anyRoom, (some, room) => {
        const keys = packCalls(some, room)
          .calls.flat()
          .flatMap((row) => row.keys);
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.filter((key) => room.touched.has(key))).toEqual([]);
      }),
    );
  });

  it('never lets a row pass an earlier one that touches the same', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 80 }), anyRoom, (some, room) => {
        const all = some.map((row, n) => ({ ...row, n }));
        const { calls, left } = packCalls(all, room);
        for (const sent of calls.flat()) {
          const passed = left.filter((row) => row.n < sent.n && row.keys.some((key) => sent.keys.includes(key)));
          expect(passed).toEqual([]);
        }
      }),
    );
  });

  it('keeps to the room: calls, items in a batch, batches the quota gives, and a minute at QBO', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 80 }), anyRoom, (some, room) => {
        const { calls } = packCalls(some, room);
        expect(calls.length).toBeLessThanOrEqual(room.calls);
        for (const call of calls) {
          expect(call.length).toBeLessThanOrEqual(room.batchSize);
          if (call.length === 1) continue;
          expect(call.every((row) => row.batchable)).toBe(true);
          expect(call.reduce((sum, row) => sum + row.itemMs, 0)).toBeLessThanOrEqual(60_000);
        }
        expect(calls.filter((call) => call.length > 1).length).toBeLessThanOrEqual(room.outlook.batches);
      }),
    );
  });

  it('starts something whenever something may start', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 80 }), anyRoom, (some, room) => {
        const isFree = some.some((row) => !row.keys.some((key) => room.touched.has(key)));
        // A row behind a blocked one that touches the same is not free; the first free one in order always is.
        const first = some.find((row, n) => {
          const before = new Set([...room.touched, ...some.slice(0, n).flatMap((one) => one.keys)]);
          return !row.keys.some((key) => before.has(key));
        });
        expect(packCalls(some, room).calls.length > 0).toBe(room.calls > 0 && isFree && first !== undefined);
      }),
    );
  });

  const sizes = (some: Row[], room: Partial<PackRoom>) =>
    packCalls(some, { ...open, ...room }).calls.map((call) => call.length);

  it.each([
    ['a backlog goes in full batches while the quota has them', rows(90), {}, [30, 30, 30]],
    [
      'and alone, in every free call, once the batches of the minute are spent',
      rows(90),
      { outlook: { ...open.outlook, batchInMs: 20_000 } },
      [1, 1, 1, 1, 1, 1, 1],
    ],
    [
      'yet not in every call: four singles on their way at once use the requests that batches leave',
      rows(240),
      {},
      [30, 30, 30, 1, 1, 1, 1],
    ],
    ['batches on their way count', rows(240), { calls: 5, batchesOnTheirWay: 2 }, [30, 1, 1, 1, 1]],
    [
      'and so do batches that stand in line for the last slots: nothing is packed to wait a minute with them',
      rows(240),
      { calls: 3, batchesOnTheirWay: 1, batchesInLine: 1, outlook: { ...open.outlook, batches: 1 } },
      [1, 1, 1],
    ],
    [
      'slow batches take all calls there are: fewer would not spend the batches of the minute',
      rows(240, () => ({ itemMs: 500 })),
      {},
      [30, 30, 30, 30, 30, 30, 30],
    ],
    [
      'only as many batches as are left',
      rows(90),
      { outlook: { ...open.outlook, batches: 1 } },
      [30, 1, 1, 1, 1, 1, 1],
    ],
    [
      'two rows and no backlog are done sooner as two requests',
      rows(2, () => ({ itemMs: 300 })),
      { backlog: false },
      [1, 1],
    ],
    ['but not when their items are quicker than the spacing of requests', rows(2), { backlog: false }, [2]],
    ['ten of them are not', rows(10), { backlog: false }, [10]],
    [
      'slow ones are, though they are ten',
      rows(7, () => ({ itemMs: 2_000 })),
      { backlog: false },
      [1, 1, 1, 1, 1, 1, 1],
    ],
    ['two rows with one call left go together', rows(2), { backlog: false, calls: 1 }, [2]],
    [
      'rows of a large body go apart from the others',
      rows(60, (n) => ({ bytes: n % 2 === 0 ? 800 : 60_000 })),
      {},
      [30, 30],
    ],
    ['slow ones too', rows(60, (n) => ({ itemMs: n < 30 ? 50 : 900 })), {}, [30, 30]],
    ['a batch of slow ones is cut so that it ends within a minute', rows(30, () => ({ itemMs: 4_000 })), {}, [15, 15]],
    ['what no batch can say goes alone', rows(4, (n) => ({ batchable: n > 0 })), { backlog: false }, [1, 3]],
    [
      'the rest of a stock that is being filled goes alone: a short batch costs as much',
      rows(50),
      {},
      [30, 1, 1, 1, 1, 1, 1],
    ],
  ] as [string, Row[], Partial<PackRoom>, number[]][])('%s', (_, some, room, expected) => {
    expect(sizes(some, room)).toEqual(expected);
  });
});

describe('what calls cost', () => {
  it('is learned from batches and lone calls, type by type', () => {
    const costs = new CallCosts();
    for (let n = 0; n < 60; n++) {
      costs.learn(
        Array.from({ length: 30 }, () => 'Invoice'),
        400 + 30 * 200,
      );
      costs.learn(['Invoice'], 600);
      costs.learn(
        Array.from({ length: 30 }, () => 'Bill'),
        400 + 30 * 20,
      );
    }
    expect(costs.perCallMs).toBeGreaterThan(250);
    expect(costs.perCallMs).toBeLessThan(550);
    expect(costs.itemOf('Invoice')).toBeGreaterThan(150);
    expect(costs.itemOf('Bill')).toBeLessThan(40);
    expect(costs.itemOf('Estimate')).toBe(100);
  });
});
