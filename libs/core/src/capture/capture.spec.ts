// Decisions of capture as tables of facts and properties.
import * as fc from 'fast-check';
import { definitionOf, typesInRankOrder } from '../registry/index.js';
import type { Json } from '../model/json.js';
import {
  canVanish,
  defaultLookPolicy,
  judgeAnswer,
  judgeReading,
  nextCursor,
  nextDue,
  nextWindowPage,
  pageSize,
  planLook,
  readDelivery,
  readingOf,
  statementOfAll,
  statementOfCount,
  statementOfIds,
  statementOfWindow,
} from './index.js';
import type { Captured, Reading } from './index.js';

const now = Date.parse('2026-11-20T12:00:00.000Z');
const day = 24 * 60 * 60 * 1000;

describe('a look', () => {
  it('reads from the cursor less the overlap, all types of CDC in one call', () => {
    const plan = planLook(new Date(now - 60_000), now, typesInRankOrder());
    expect(plan).toMatchObject({ kind: 'changes', since: '2026-11-20T11:57:00.000Z' });
    expect(plan.types).toContain('Invoice');
    expect(plan.types).toContain('Attachable');
    expect(plan.types).not.toContain('TaxCode');
  });

  it.each([
    [29 * day, 'changes'],
    [30 * day, 'compare-all'],
    [400 * day, 'compare-all'],
  ])('of a cursor %d ms old is planned as %s: CDC looks back 30 days', (age, kind) => {
    expect(planLook(new Date(now - age), now, typesInRankOrder()).kind).toBe(kind);
  });

  it.each([
    [0, 12, 'whole'],
    [999, 12, 'whole'],
    [1000, 12, 'by-type'],
    [1000, 1, 'by-pages'],
    [999, 1, 'whole'],
  ])('takes an answer of %d objects for %d types as %s', (objects, types, kind) => {
    expect(judgeAnswer(objects, types).kind).toBe(kind);
  });

  it('never moves the cursor backwards, and prefers the answer`s own time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2e12 }),
        fc.option(fc.integer({ min: 0, max: 2e12 })),
        (cursorMs, answeredMs) => {
          const cursor = new Date(cursorMs);
          const answered = answeredMs === null ? undefined : new Date(answeredMs).toISOString();
          const next = nextCursor(cursor, answered, new Date(now));
          expect(next >= cursor).toBe(true);
          expect([cursorMs, answeredMs ?? now]).toContain(next.getTime());
        },
      ),
    );
    expect(nextCursor(new Date(0), 'rubbish', new Date(now))).toEqual(new Date(now));
  });

  it('is due again after the coalescing pause when something came meanwhile, else after the interval', () => {
    const policy = { coalesceMs: 500, intervalMs: 300_000 };
    expect(nextDue({ requested: 4n, done: 3n, nowMs: now }, policy).getTime()).toBe(now + 500);
    expect(nextDue({ requested: 3n, done: 3n, nowMs: now }, policy).getTime()).toBe(now + 300_000);
  });

  it('of a live edit begins within the window after it or when the look before it ends, and a burst costs one', () => {
    const policy = { coalesceMs: 500, intervalMs: 300_000 };
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 3_000 }),
        (announced, lookMs) => {
          const edits = [...announced].sort((a, b) => a - b);
          const looks: number[] = [];
          // What ingest does: an announcement makes the company due at the end of its window unless it is due sooner; a look
          // takes what was announced until it began, and `nextDue` says when the next one is.
          let due = Infinity;
          let done = 0n;
          let next = 0;
          for (;;) {
            while (next < edits.length && edits[next]! < due) {
              due = Math.min(due, edits[next]! + policy.coalesceMs);
              next += 1;
            }
            if (next === edits.length && done === BigInt(edits.length)) break;
            const begun = due;
            looks.push(begun);
            done = BigInt(next);
            const ended = begun + lookMs;
            while (next < edits.length && edits[next]! <= ended) next += 1;
            due = nextDue({ requested: BigInt(next), done, nowMs: ended }, policy).getTime();
          }
          for (const edit of edits) {
            const covering = looks.find((begun) => begun >= edit)!;
            expect(covering).toBeLessThanOrEqual(edit + lookMs + policy.coalesceMs);
          }
          // Never two looks within one window.
          for (const [n, begun] of looks.entries())
            if (n > 0) expect(begun - looks[n - 1]!).toBeGreaterThanOrEqual(policy.coalesceMs);
          expect(looks.length).toBeLessThanOrEqual(edits.length);
        },
      ),
    );
  });

  it('looks for vanished records only among types that can be deleted or merged away', () => {
    expect(canVanish(definitionOf('Invoice'))).toBe(true);
    expect(canVanish(definitionOf('Attachable'))).toBe(true);
    expect(canVanish(definitionOf('Customer'))).toBe(true);
    expect(canVanish(definitionOf('TaxCode'))).toBe(false);
  });

  it('reads 30 days less a margin for clocks that differ', () => {
    expect(defaultLookPolicy.lookBackMs).toBeLessThan(30 * day);
  });
});

describe('statements', () => {
  it('always name their order, and ask for inactive rows of name lists', () => {
    expect(statementOfAll(definitionOf('Customer'), 1001)).toBe(
      'SELECT * FROM Customer WHERE Active IN (true, false) ORDERBY Id ASC STARTPOSITION 1001 MAXRESULTS 1000',
    );
    expect(statementOfWindow(definitionOf('Invoice'), { from: 'A', to: 'B' }, 1)).toBe(
      "SELECT * FROM Invoice WHERE MetaData.LastUpdatedTime >= 'A' AND MetaData.LastUpdatedTime <= 'B'" +
        ' ORDERBY MetaData.LastUpdatedTime ASC STARTPOSITION 1 MAXRESULTS 1000',
    );
    expect(statementOfCount(definitionOf('Item'))).toBe('SELECT COUNT(*) FROM Item WHERE Active IN (true, false)');
    expect(statementOfCount(definitionOf('Invoice'))).toBe('SELECT COUNT(*) FROM Invoice');
  });

  it('escape what could end a value', () => {
    expect(statementOfIds(definitionOf('Invoice'), ["1' OR", '2'])).toContain("Id IN ('1\\' OR', '2')");
  });
});

describe('paging a window', () => {
  /** A QBO with rows (id, time) that answers a window like the query endpoint, pages cut small for the test's sake. */
  const rowsAt = (times: number[]) => times.map((time, id) => ({ id, time }));
  const page = (rows: { id: number; time: number }[], from: string, to: string, start: number) =>
    rows
      .map(({ id, time }) => ({ id, lastUpdatedTime: new Date(time).toISOString() }))
      .filter(({ lastUpdatedTime }) => lastUpdatedTime >= from && lastUpdatedTime <= to)
      .sort((a, b) =>
        a.lastUpdatedTime < b.lastUpdatedTime ? -1 : a.lastUpdatedTime > b.lastUpdatedTime ? 1 : a.id - b.id,
      )
      .slice(start - 1, start - 1 + pageSize);

  it('sees every row, however many share one moment, although rows leave the window while it pages', () => {
    fc.assert(
      fc.property(
        // up to 5 moments with up to 2,500 rows each
        fc.array(fc.integer({ min: 1, max: 2500 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat({ max: 12_000 }), { maxLength: 20 }),
        (perMoment, leaving) => {
          const rows = rowsAt(perMoment.flatMap((count, moment) => Array<number>(count).fill(now + moment * 1000)));
          const left = new Set<number>();
          const window = { from: new Date(now).toISOString(), to: new Date(now + 60_000).toISOString() };
          const seen = new Set<number>();
          let at: { window: typeof window; startPosition: number } = { window, startPosition: 1 };
          for (let pages = 0; ; pages++) {
            expect(pages).toBeLessThan(40);
            const got = page(rows, at.window.from, at.window.to, at.startPosition);
            for (const { id } of got) seen.add(id);
            const next = nextWindowPage(at.window, at.startPosition, got);
            if (next.kind === 'end') break;
            at = next as { window: typeof window; startPosition: number };
            // Somebody edits a row: it moves behind the window. Rows of the moment that is paged by position are spared:
            // that is the known gap, and the next look reads them by their new time.
            const id = leaving[pages];
            if (id !== undefined && rows[id] && at.startPosition === 1) {
              rows[id].time = now + 120_000;
              left.add(id);
            }
          }
          for (const { id } of rows) if (!left.has(id)) expect(seen.has(id)).toBe(true);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('whether a reading is news', () => {
  const t1 = '2026-11-20T10:00:00-08:00';
  const t2 = '2026-11-20T11:00:00-08:00';
  const record = (fields: Json = {}, time = t1, token = '0'): Reading => ({
    kind: 'record',
    type: 'Customer',
    id: '1',
    snapshot: { Id: '1', DisplayName: 'Ann', SyncToken: token, MetaData: { LastUpdatedTime: time }, ...fields },
  });
  const gone: Reading = { kind: 'gone', type: 'Payment', id: '1', lastUpdatedTime: t2 };
  const first = judgeReading(record(), undefined, '2026-11-20T19:00:00Z');
  const known = (first as { captured: Captured }).captured;

  it('is so for what was never seen', () => {
    expect(first.kind).toBe('news');
    expect(known.version).toBe('2026-11-20T18:00:00.000Z_0000000000_2026-11-20T19:00:00.000Z');
  });
  it('is not when only the token and the time moved', () => {
    expect(judgeReading(record({}, t2, '3'), known, '2026-11-20T20:00:00Z')).toEqual({
      kind: 'known',
      captured: known,
    });
  });
  it('is not when only computed fields moved (a balance)', () => {
    expect(judgeReading(record({ Balance: 12 }, t2), known, '2026-11-20T20:00:00Z').kind).toBe('known');
  });
  it('is so when the content moved', () => {
    expect(judgeReading(record({ DisplayName: 'Bob' }, t2, '1'), known, '2026-11-20T20:00:00Z').kind).toBe('news');
  });
  it('is so when the content moved although time and token stand still', () => {
    expect(judgeReading(record({ DisplayName: 'Bob' }), known, '2026-11-20T20:00:00Z').kind).toBe('news');
  });
  it('is stale when an older state arrives after a newer one', () => {
    expect(
      judgeReading(record({ DisplayName: 'Old' }, '2026-11-20T09:00:00-08:00'), known, '2026-11-20T20:00:00Z').kind,
    ).toBe('stale');
  });
  it('a deletion is news once, also of a record never seen, and no older state follows it', () => {
    const deletion = judgeReading(gone, undefined, '2026-11-20T20:00:00Z');
    expect(deletion).toMatchObject({ kind: 'news', captured: { deleted: true } });
    const after = (deletion as { captured: Captured }).captured;
    expect(judgeReading(gone, after, '2026-11-20T21:00:00Z').kind).toBe('known');
    expect(judgeReading(record({}, t2, '7'), after, '2026-11-20T21:00:00Z').kind).toBe('stale');
  });
  it('versions of one record only rise, whatever arrives in whatever order (I-03)', () => {
    const reading = fc
      .record({
        name: fc.constantFrom('a', 'b', 'c'),
        hour: fc.integer({ min: 0, max: 23 }),
        token: fc.nat({ max: 9 }),
        dead: fc.boolean(),
      })
      .map(({ name, hour, token, dead }): Reading => {
        const time = `2026-11-20T${String(hour).padStart(2, '0')}:00:00Z`;
        if (dead) return { kind: 'gone', type: 'Customer', id: '1', lastUpdatedTime: time };
        return record({ DisplayName: name }, time, String(token));
      });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 30 }), (readings) => {
        let last: Captured | undefined;
        readings.forEach((r, n) => {
          const verdict = judgeReading(r, last, new Date(now + n).toISOString());
          if (verdict.kind !== 'news') return;
          if (last) expect(verdict.captured.version > last.version).toBe(true);
          last = verdict.captured;
        });
      }),
    );
  });
  it('an object without an id is nothing, a tombstone is a deletion', () => {
    expect(readingOf('Customer', { DisplayName: 'x' })).toBeUndefined();
    expect(readingOf('Invoice', { Id: '3', status: 'Deleted', MetaData: { LastUpdatedTime: t1 } })).toEqual({
      kind: 'gone',
      type: 'Invoice',
      id: '3',
      lastUpdatedTime: t1,
    });
  });
  it('survives records without or with absurd times and tokens', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (time, token) => {
        const reading = record({ SyncToken: token, MetaData: { LastUpdatedTime: time } });
        expect(judgeReading(reading, undefined, '2026-11-20T20:00:00Z').kind).toBe('news');
      }),
    );
  });
});

describe('webhook deliveries', () => {
  const event = (type: string, more: Json = {}) => ({
    specversion: '1.0',
    id: 'e1',
    type,
    time: 't',
    intuitentityid: '155',
    intuitaccountid: '9130350000000001',
    data: {},
    ...more,
  });
  const hints = (body: unknown) => {
    const delivery = readDelivery(body);
    return delivery.kind === 'hints' ? Object.fromEntries(delivery.byRealm) : delivery;
  };

  it.each([
    ['qbo.invoice.created.v1', 'Invoice', 'create'],
    ['qbo.invoice.updated.v1', 'Invoice', 'update'],
    ['qbo.invoice.void.v1', 'Invoice', 'void'],
    ['qbo.invoice.voided.v1', 'Invoice', 'void'],
    ['qbo.paymentmethod.merged.v1', 'PaymentMethod', 'merge'],
    ['qbo.timeactivity.deleted.v1', 'TimeActivity', 'delete'],
    ['qbo.invoice.emailed.v1', 'Invoice', 'emailed'],
  ])('%s means %s %s', (type, entityType, operation) => {
    expect(hints([event(type)])).toMatchObject({ '9130350000000001': [{ entityType, id: '155', operation }] });
  });

  it('in the legacy form mean the same', () => {
    const body = {
      eventNotifications: [
        {
          realmId: '1',
          dataChangeEvent: {
            entities: [
              { name: 'Customer', id: '61', operation: 'Create', lastUpdated: 't' },
              { name: 'Vendor', id: '7', operation: 'Merge', lastUpdated: 't', deletedId: '9' },
            ],
          },
        },
      ],
    };
    expect(hints(body)).toEqual({
      '1': [
        { entityType: 'Customer', id: '61', operation: 'create', time: 't' },
        { entityType: 'Vendor', id: '7', operation: 'merge', time: 't', deletedId: '9' },
      ],
    });
  });

  it('count what is malformed and keep the rest', () => {
    const delivery = readDelivery([
      event('qbo.bill.updated.v1'),
      { type: 'x' },
      7,
      null,
      event('qbo.bill', {}),
      event('qbo.bill.updated.v1', { intuitaccountid: 'abc' }),
      event('qbo.bill.updated.v1', { intuitentityid: '7'.repeat(201) }),
    ]);
    expect(delivery).toMatchObject({ kind: 'hints', malformed: 6 });
  });

  it('are total: no body whatever makes them throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.array(fc.anything()), fc.record({ eventNotifications: fc.array(fc.anything()) })),
        (body) => {
          expect(['hints', 'unreadable']).toContain(readDelivery(body).kind);
        },
      ),
    );
  });
});
