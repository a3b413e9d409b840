// ingest end to end: webhooks in, changes out, nothing lost, nothing told twice.
import { topics } from '#contracts';
import type { Json } from '#core';
import type { Settings } from '../src/settings.js';
import { eventually, Installation } from './installation.js';

type Source = Awaited<ReturnType<Installation['company']>>;

describe('ingest', () => {
  let w: Installation;
  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  afterEach(async () => {
    w.producer.away = false;
    await w.emulator.webhooks({ dropRate: 0, duplicateRate: 0 });
    await w.emulator.clearFaults();
  });

  const customer = (source: Source, name: string, more: Json = {}) =>
    w.save(source, 'Customer', { DisplayName: name, ...more });
  const captured = (source: Source, type: string, id: string, count = 1) =>
    eventually(
      async () => (await w.changes(source.realmId)).filter((c) => c.value!.entityType === type && c.value!.id === id),
      (found) => found.length >= count,
    );
  const settled = (source: Source) =>
    eventually(
      () => w.cursor(source.realmId),
      (cursor) => cursor.look_done === cursor.look_requested && cursor.complete_up_to !== null,
    );

  const cloudEvent = (realmId: string, id: string, type = 'qbo.invoice.updated.v1') => ({
    specversion: '1.0',
    id: `event-${id}`,
    source: 'intuit.x',
    type,
    time: '2026-11-20T09:15:02.004417203Z',
    intuitentityid: id,
    intuitaccountid: realmId,
    data: {},
  });

  describe('the webhook door', () => {
    it('answers 200 only after Kafka has a notification per realm, in both forms, and drops none of a mixed delivery', async () => {
      await w.startIngest();
      const [one, two] = [await w.company(), await w.company()];
      const mixed = [
        cloudEvent(one.realmId, '7', 'qbo.invoice.voided.v1'),
        cloudEvent(two.realmId, '8', 'qbo.payment.void.v1'),
        cloudEvent(one.realmId, '9', 'qbo.customer.merged.v1'),
        { ...cloudEvent(one.realmId, '10'), intuitaccountid: undefined },
      ];
      expect((await w.deliver(JSON.stringify(mixed))).status).toBe(200);
      const [first] = await w.notifications(one.realmId);
      expect(first!.value!.entities).toMatchObject([
        { entityType: 'Invoice', id: '7', operation: 'void' },
        { entityType: 'Customer', id: '9', operation: 'merge' },
      ]);
      expect(first!.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect((await w.notifications(two.realmId))[0]!.value!.entities).toMatchObject([
        { entityType: 'Payment', operation: 'void' },
      ]);
      const legacy = {
        eventNotifications: [
          {
            realmId: two.realmId,
            dataChangeEvent: {
              entities: [
                {
                  name: 'Vendor',
                  id: '7',
                  operation: 'Merge',
                  lastUpdated: '2026-01-15T10:02:33.120Z',
                  deletedId: '9',
                },
              ],
            },
          },
        ],
      };
      expect((await w.deliver(JSON.stringify(legacy))).status).toBe(200);
      const told = await w.notifications(two.realmId);
      expect(told.at(-1)!.value!.entities).toMatchObject([
        { entityType: 'Vendor', id: '7', operation: 'merge', deletedId: '9' },
      ]);
    });

    it('gives a repeated delivery the same event id', async () => {
      await w.startIngest();
      const source = await w.company();
      const body = JSON.stringify([cloudEvent(source.realmId, '1')]);
      await w.deliver(body);
      await w.deliver(body);
      const [first, second] = await w.notifications(source.realmId);
      expect(second!.id).toBe(first!.id);
    });

    it('refuses what is unsigned, too large or no JSON, and publishes nothing of it', async () => {
      await w.startIngest();
      const source = await w.company();
      const good = JSON.stringify([cloudEvent(source.realmId, '1')]);
      const before = (await w.kafka.port.offsets(w.settings.topicPrefix + topics.notifications.name)).map(
        (o) => o.high,
      );
      const answers: [string, Promise<Response>, number][] = [
        ['wrong signature', w.deliver(good, Buffer.from('nonsense').toString('base64')), 401],
        ['signature of another body', w.deliver(good, '9Qb3tVvQf0rO7oR3wYc1oQ=='), 401],
        ['empty signature', w.deliver(good, ''), 401],
        ['malformed JSON', w.deliver('{"eventNotifications": ['), 400],
        ['another shape', w.deliver('{"hello": 1}'), 400],
        ['an empty body', w.deliver(''), 400],
        ['over 1 MiB', w.deliver(Buffer.alloc(1024 * 1024 + 1, 0x20)), 413],
        ['a stranger realm', w.deliver(JSON.stringify([cloudEvent('999999999999999', '1')])), 200],
      ];
      for (const [what, answer, status] of answers) expect([what, (await answer).status]).toEqual([what, status]);
      const after = (await w.kafka.port.offsets(w.settings.topicPrefix + topics.notifications.name)).map((o) => o.high);
      expect(after).toEqual(before);
    });

    it('takes the largest delivery there can be although all of it is news of one company', async () => {
      await w.startIngest();
      const source = await w.company();
      const entity = (id: number) => ({ name: 'Bill', id: String(id), operation: 'Create' });
      const deliveryOf = (count: number) => ({
        eventNotifications: [
          {
            realmId: source.realmId,
            dataChangeEvent: { entities: Array.from({ length: count }, (_, i) => entity(i + 1)) },
          },
        ],
      });
      const count = 21_100;
      const body = JSON.stringify(deliveryOf(count));
      expect(body.length).toBeGreaterThan(1_040_000);
      expect(body.length).toBeLessThanOrEqual(1024 * 1024);
      expect((await w.deliver(body)).status).toBe(200);
      const told = (await w.notifications(source.realmId)).flatMap(({ value }) => value!.entities);
      expect(new Set(told.map(({ id }) => id)).size).toBe(count);
    });

    it('says 503, so that Intuit delivers again, while Kafka does not acknowledge', async () => {
      await w.startIngest();
      const source = await w.company();
      w.producer.away = true;
      const body = JSON.stringify([cloudEvent(source.realmId, '1')]);
      expect((await w.deliver(body)).status).toBe(503);
      w.producer.away = false;
      expect((await w.deliver(body)).status).toBe(200);
      expect(await w.notifications(source.realmId)).toHaveLength(1);
    });
  });

  describe('capture', () => {
    it('turns an edit announced by a webhook into one change with snapshot, trace and announcement time', async () => {
      await w.startIngest();
      const source = await w.company();
      await settled(source);
      const made = await customer(source, 'Ann');
      const [change] = await captured(source, 'Customer', made.Id);
      expect(change!.key).toBe(`${source.realmId}/Customer/${made.Id}`);
      expect(change!.value).toMatchObject({ lane: 'live', deleted: false, origin: { kind: 'cdc' } });
      expect(change!.value!.snapshot).toMatchObject({ DisplayName: 'Ann' });
      const [notification] = await w.notifications(source.realmId);
      expect(change!.traceparent).toBe(notification!.traceparent);
      expect(change!.value!.notifiedAt).toBe(notification!.value!.receivedAt);
      expect((await settled(source)).notified_at).toBeNull();
    });

    it('finds what lost webhooks announced by the periodic look', async () => {
      await w.startIngest({ lookIntervalMs: 500 });
      await w.emulator.webhooks({ dropRate: 1 });
      const source = await w.company();
      const made = await customer(source, 'Bob');
      await captured(source, 'Customer', made.Id);
      expect(await w.notifications(source.realmId)).toEqual([]);
    });

    it('tells a version once, however often webhooks are doubled', async () => {
      await w.startIngest();
      await w.emulator.webhooks({ duplicateRate: 1 });
      const source = await w.company();
      const made = await customer(source, 'Cid');
      // The emulator doubles inside a delivery or by a second one.
      await eventually(
        () => w.notifications(source.realmId),
        (found) => found.flatMap((n) => n.value!.entities).length >= 2,
      );
      await captured(source, 'Customer', made.Id);
      await settled(source);
      expect(await captured(source, 'Customer', made.Id)).toHaveLength(1);
    });

    it('reads all that is announced within one coalescing window with one call', async () => {
      await w.startIngest({ coalesceMs: 600 });
      const source = await w.company();
      await settled(source);
      const reads = async () =>
        ((await w.emulator.requests(source.realmId)).requests as Json[]).filter(
          ({ app, path }) => app === w.app.clientId && String(path).includes('/cdc'),
        ).length;
      const before = await reads();
      const made = await Promise.all(Array.from({ length: 6 }, (_, n) => customer(source, `Burst ${n}`)));
      for (const { Id } of made) await captured(source, 'Customer', Id);
      await settled(source);
      expect((await reads()) - before).toBe(1);
    });

    it('tells edits and deletions in order, each once', async () => {
      await w.startIngest();
      const source = await w.company();
      const buyer = await customer(source, 'Dot');
      await captured(source, 'Customer', buyer.Id);
      const payment = await w.save(source, 'Payment', { CustomerRef: { value: buyer.Id }, TotalAmt: 10 });
      await captured(source, 'Payment', payment.Id);
      await w.save(source, 'Payment', { Id: payment.Id, SyncToken: payment.SyncToken }, '?operation=delete');
      const told = await captured(source, 'Payment', payment.Id, 2);
      expect(told.map((c) => c.value!.deleted)).toEqual([false, true]);
      expect(told[1]!.value!.snapshot).toBeUndefined();
      expect(told[1]!.value!.version > told[0]!.value!.version).toBe(true);
    });

    it('hears at once of a type that CDC leaves out, when a webhook announces it, its deletion too', async () => {
      await w.startIngest();
      const source = await w.company();
      const buyer = await customer(source, 'Eve');
      const worker = await w.save(source, 'Employee', { GivenName: 'Finn', FamilyName: 'Gray' });
      await captured(source, 'Customer', buyer.Id);
      const hours = await w.save(source, 'TimeActivity', {
        NameOf: 'Employee',
        EmployeeRef: { value: worker.Id },
        CustomerRef: { value: buyer.Id },
        Hours: 2,
        Minutes: 0,
      });
      const [made] = await captured(source, 'TimeActivity', hours.Id);
      expect(made!.value).toMatchObject({ deleted: false, origin: { kind: 'sweep' } });
      await w.save(source, 'TimeActivity', { Id: hours.Id, SyncToken: hours.SyncToken }, '?operation=delete');
      const told = await captured(source, 'TimeActivity', hours.Id, 2);
      expect(told.map((c) => c.value!.deleted)).toEqual([false, true]);
    });

    it('says of a name that was merged away into which one', async () => {
      await w.startIngest();
      const source = await w.company({ preset: 'sample' });
      await settled(source);
      await w.emulator.edit(source.realmId, { count: 1, seed: 3, mix: { merge: 1 } });
      const notified = await eventually(
        () => w.notifications(source.realmId),
        (found) => found.some((n) => n.value!.entities.some(({ operation }) => operation === 'merge')),
      );
      const merge = notified.flatMap((n) => n.value!.entities).find(({ operation }) => operation === 'merge')!;
      const told = await captured(source, merge.entityType, merge.deletedId!);
      expect(told.at(-1)!.value).toMatchObject({ mergedInto: merge.id });
    });

    describe('a merger whose webhook does not come in time', () => {
      const askForALook = (source: { realmId: string }) =>
        w.db.query(
          'update capture_cursors set look_requested = look_requested + 1, due_at = now() where realm_id = $1',
          [source.realmId],
        );
      /** Two names become one, unannounced; the tombstone is found by a look. */
      const mergeInSilence = async (settings: Partial<Settings> = {}) => {
        await w.startIngest(settings);
        const source = await w.company();
        const [loser, winner] = [await customer(source, 'Nordwind'), await customer(source, 'Northwind')];
        for (let n = 0; n < 4; n++) await customer(source, `Other ${n}`);
        const payment = await w.save(source, 'Payment', { CustomerRef: { value: loser.Id }, TotalAmt: 7 });
        await captured(source, 'Payment', payment.Id);
        await w.emulator.webhooks({ enabled: false });
        await w.emulator.merge(source.realmId, 'Customer', String(loser.Id), String(winner.Id));
        await askForALook(source);
        const told = await captured(source, 'Customer', loser.Id, 2);
        expect(told.at(-1)!.value).toMatchObject({ deleted: true });
        expect(told.at(-1)!.value).not.toHaveProperty('mergedInto');
        return { source, loser, winner, payment, tombstone: told.at(-1)!.value! };
      };
      afterEach(() => w.emulator.webhooks({ enabled: true, minDelayMs: 0, maxDelayMs: 0, aggregateMs: 0 }));

      it('is told by a later version of the tombstone when it comes after all, to another process', async () => {
        const { source, loser, winner, tombstone } = await mergeInSilence();
        await w.stopIngest();
        await w.startIngest();
        const event = {
          ...cloudEvent(source.realmId, String(winner.Id), 'qbo.customer.merged.v1'),
          data: { deletedid: loser.Id as string },
        };
        await w.deliver(JSON.stringify([event]));
        const again = (await captured(source, 'Customer', loser.Id, 3)).at(-1)!.value!;
        expect(again).toMatchObject({ deleted: true, mergedInto: winner.Id });
        expect(again.version > tombstone.version).toBe(true);
        await w.deliver(JSON.stringify([event]));
        await settled(source);
        expect(await captured(source, 'Customer', loser.Id, 3)).toHaveLength(3);
      });

      it('is found in what referred to the name, when it never comes', async () => {
        const { source, loser, winner, payment } = await mergeInSilence({ mergeGraceMs: 0 });
        const moved = await captured(source, 'Payment', payment.Id, 2);
        expect(moved.at(-1)!.value!.snapshot!.CustomerRef).toMatchObject({ value: winner.Id });
        // Once more: what stood in the way of putting the copy away is gone now.
        expect((await captured(source, 'Customer', loser.Id, 3)).at(-1)!.value).toMatchObject({ deleted: true });
      });
    });

    it('tells a change once although two processes look at the same company', async () => {
      await w.startIngest({ lookIntervalMs: 500 });
      const second = await w.spawnIngest({ SYNC_HTTP_PORT: '0', SYNC_CAPTURE_LOOK_INTERVAL: '500ms' });
      try {
        const source = await w.company();
        const made: Json[] = [];
        for (let n = 0; n < 5; n++) made.push(await customer(source, `Leo ${n}`));
        await captured(source, 'Customer', made.at(-1)!.Id);
        await settled(source);
        for (const { Id } of made) expect(await captured(source, 'Customer', Id)).toHaveLength(1);
      } finally {
        second.kill('SIGTERM');
        await new Promise((resolve) => second.once('exit', resolve));
      }
    });

    it('does not move the cursor before Kafka acknowledges, and then loses nothing', async () => {
      await w.startIngest();
      const source = await w.company();
      const before = await settled(source);
      w.producer.away = true;
      const made = await customer(source, 'Eve');
      // The door cannot store the notification either: an operator asks.
      await w.db.query(
        'update capture_cursors set look_requested = look_requested + 1, due_at = now() where realm_id = $1',
        [source.realmId],
      );
      const failed = await eventually(
        () => w.cursor(source.realmId),
        (cursor) => cursor.failures > 0,
      );
      expect(failed.cdc_since).toEqual(before.cdc_since);
      expect(failed.complete_up_to).toEqual(before.complete_up_to);
      expect(failed.last_error).toMatch(/acknowledg/);
      w.producer.away = false;
      await captured(source, 'Customer', made.Id);
      expect((await settled(source)).cdc_since.getTime()).toBeGreaterThan(before.cdc_since.getTime());
    });

    it('holds a company whose grant was revoked, and goes on where it was when it is connected again', async () => {
      await w.startIngest({ lookIntervalMs: 500 });
      const source = await w.company();
      await settled(source);
      await w.emulator.revokeGrant(w.app.clientId, source.realmId);
      const company = () => w.db.query<Json>('select status from companies where realm_id = $1', [source.realmId]);
      await eventually(company, ([row]) => row!.status === 'reconnect_needed');
      const held = await w.cursor(source.realmId);
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect((await w.cursor(source.realmId)).cdc_since).toEqual(held.cdc_since);
      // A person works on in the source; nobody reads it until the grant is back.
      await w.emulator.edit(source.realmId, { count: 3, seed: 7, mix: { create: 1 } });
      await w.reconnect(source);
      await eventually(
        () => w.changes(source.realmId),
        (changes) => changes.some(({ value }) => value!.origin.kind === 'cdc'),
      );
    });

    it('reads a cut answer again: more than 1,000 changes, and a deletion that CDC hides behind the cut', async () => {
      await w.startIngest();
      const now = new Date().toISOString();
      const meta = { CreateTime: now, LastUpdatedTime: now };
      const payments = Array.from({ length: 1010 }, (_, n) => ({
        Id: String(5000 + n),
        SyncToken: '0',
        MetaData: meta,
        TxnDate: '2026-11-01',
        CustomerRef: { value: '4000' },
        TotalAmt: 1 + n,
        UnappliedAmt: 1 + n,
        Line: [],
      }));
      const source = await w.company({
        preset: 'import',
        since: new Date(Date.now() - 60_000),
        records: {
          Customer: [{ Id: '4000', SyncToken: '0', DisplayName: 'Fay', Active: true, MetaData: meta }],
          Payment: payments,
        },
      });
      const ids = async () =>
        new Set(
          (await w.changes(source.realmId)).filter((c) => c.value!.entityType === 'Payment').map((c) => c.value!.id),
        );
      await eventually(ids, (found) => found.size === 1010, 40_000);
      await settled(source);
      await w.save(source, 'Payment', { Id: '5500', SyncToken: '0' }, '?operation=delete');
      const told = await captured(source, 'Payment', '5500', 2);
      expect(told.map((c) => c.value!.deleted)).toEqual([false, true]);
      expect((await w.changes(source.realmId)).filter((c) => c.value!.deleted)).toHaveLength(1);
    });
  });

  it('compares everything when the cursor is older than CDC looks back, deletions included', async () => {
    const monthAgo = new Date(Date.now() - 40 * 24 * 60 * 60 * 1000);
    await w.startIngest();
    const source = await w.company({ since: monthAgo });
    const buyer = await customer(source, 'Ida');
    const paid = await w.save(source, 'Payment', { CustomerRef: { value: buyer.Id }, TotalAmt: 10 });
    await captured(source, 'Payment', paid.Id);
    await settled(source);
    const first = await w.changes(source.realmId);
    expect(new Set(first.map((c) => c.value!.entityType)).has('Account')).toBe(true);
    await w.emulator.webhooks({ dropRate: 1 });
    await w.save(source, 'Payment', { Id: paid.Id, SyncToken: paid.SyncToken }, '?operation=delete');
    await w.db.query(
      'update capture_cursors set cdc_since = $2, look_requested = look_requested + 1, due_at = now() where realm_id = $1',
      [source.realmId, monthAgo],
    );
    const told = await captured(source, 'Payment', paid.Id, 2);
    expect(told.map((c) => c.value!.deleted)).toEqual([false, true]);
    // Nothing else was told a second time.
    expect(await w.changes(source.realmId)).toHaveLength(first.length + 1);
  });

  describe('backfill', () => {
    it('tells every record by pages in the order of ranks, inactive ones too, and goes on after a kill -9 where it was', async () => {
      await w.startIngest();
      const source = await w.company({ preset: 'sample', since: new Date() });
      await settled(source);
      await w.save(source, 'Customer', { DisplayName: 'Gil', Active: true });
      await w.stopIngest();
      // Slow answers, so that the kill comes in the middle.
      await w.emulator.fault({ match: { realmId: source.realmId, pathPattern: '/query' }, fault: 'slow', ms: 150 });
      const jobId = await w.backfill(source);
      const first = await w.spawnIngest();
      await eventually(
        () => w.job(jobId),
        (job) => Object.values(job!.progress.types ?? {}).filter((t) => (t as Json).done).length >= 3,
      );
      first.kill('SIGKILL');
      await w.emulator.clearFaults();
      const half = (await w.job(jobId))!;
      expect(half.state).toBe('running');
      // Its lease would run out by itself; the test does not wait a minute for it.
      await w.db.query(`update jobs set lease_expires_at = now() where id = $1`, [jobId]);
      const second = await w.spawnIngest();
      const done = (await eventually(
        () => w.job(jobId),
        (job) => job!.state === 'done',
        20_000,
      ))!;
      second.kill('SIGTERM');
      expect(await new Promise((resolve) => second.once('exit', resolve))).toBe(0);

      const { types, expected } = done.progress;
      for (const [type, count] of Object.entries(expected as Record<string, number>)) {
        expect([type, types[type].count]).toEqual([type, count]);
      }
      const told = (await w.changes(source.realmId)).filter((c) => c.value!.origin.kind === 'backfill');
      const keys = told.map((c) => c.key);
      expect(new Set(keys).size).toBe(Object.values(expected as Record<string, number>).reduce((a, b) => a + b, 0));
      // Types that were done before the kill were not read again: at most one page is told twice.
      const doneBefore = Object.entries(half.progress.types as Record<string, Json>).filter(([, t]) => t.done);
      for (const [type, { count }] of doneBefore) {
        expect([type, told.filter((c) => c.value!.entityType === type).length]).toEqual([type, count]);
      }
      expect(told.every((c) => c.value!.lane === 'bulk')).toBe(true);
    });
  });
});

describe('ingest with the legacy webhook form', () => {
  it('captures an edit that it announces', async () => {
    const w = await Installation.start('legacy');
    try {
      await w.startIngest();
      const source = await w.company();
      const made = await w.save(source, 'Customer', { DisplayName: 'Hal' });
      await eventually(
        () => w.changes(source.realmId),
        (found) => found.some((c) => c.value!.id === made.Id),
      );
      expect((await w.notifications(source.realmId))[0]!.value!.entities).toMatchObject([
        { entityType: 'Customer', id: made.Id, operation: 'create' },
      ]);
    } finally {
      await w.stop();
    }
  });
});
