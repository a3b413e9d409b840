// Capture's rows on a real PostgreSQL: what is asked for is not forgotten, what is older never wins, one publisher at a time.
import { randomUUID } from 'node:crypto';
import { freshDatabase } from '../fresh-database.fixture.js';
import type { FreshDatabase } from '../fresh-database.fixture.js';
import { CaptureStore } from './capture-store.js';

describe('the capture store', () => {
  let fresh: FreshDatabase;
  let store: CaptureStore;
  const organizationId = randomUUID();
  let realms = 100;
  beforeAll(async () => {
    fresh = await freshDatabase({ databasePool: 10 });
    store = new CaptureStore(fresh.db);
    await fresh.db.query('insert into organizations (id, name) values ($1, $2)', [organizationId, 'Spec']);
  });
  afterAll(() => fresh.drop());

  const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 20, 12, minute));
  const company = async (o: { source?: boolean; status?: string; dueAt?: Date } = {}): Promise<string> => {
    const realmId = String(++realms);
    await fresh.db.query('insert into companies (realm_id, organization_id, name, status) values ($1, $2, $1, $3)', [
      realmId,
      organizationId,
      o.status ?? 'connected',
    ]);
    if (o.source ?? true) {
      await fresh.db.query('insert into capture_cursors (realm_id, cdc_since, due_at) values ($1, $2, $3)', [
        realmId,
        at(0),
        o.dueAt ?? at(59),
      ]);
    }
    return realmId;
  };
  const finish = (realmId: string, lookDone: bigint, cdcSince: Date): Promise<void> =>
    store.publishing(realmId, (tx) =>
      store.finishLook(tx, realmId, {
        lookDone,
        cdcSince,
        dueAt: (requested) => (requested > lookDone ? at(1) : at(30)),
      }),
    );

  it('knows which realms are captured, which are only connected and which are strangers', async () => {
    expect(await store.roleOf(await company())).toBe('source');
    expect(await store.roleOf(await company({ source: false }))).toBe('known');
    expect(await store.roleOf('7')).toBe('unknown');
  });

  it('counts every request, keeps the earliest announcement and the earliest due time', async () => {
    const realmId = await company();
    const stranger = await company({ source: false });
    const raised = await store.requestLooks(
      [
        { realmId, notifiedAt: at(5) },
        { realmId, notifiedAt: at(3) },
        { realmId, notifiedAt: null },
        { realmId: stranger, notifiedAt: at(1) },
      ],
      at(6),
    );
    expect(raised).toEqual([realmId]);
    await store.requestLooks([{ realmId, notifiedAt: at(9) }], at(10));
    const [row] = await fresh.db.query<{ due_at: Date }>('select due_at from capture_cursors where realm_id = $1', [
      realmId,
    ]);
    expect(row!.due_at).toEqual(at(6));
    expect(await store.cursor(realmId)).toMatchObject({ lookRequested: 4n, lookDone: 0n, notifiedAt: at(3) });
  });

  it('survives two batches that raise the same companies in opposite orders', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => company()));
    const requests = ids.map((realmId) => ({ realmId, notifiedAt: null }));
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.requestLooks(n % 2 ? requests : [...requests].reverse(), at(1))),
    );
    for (const realmId of ids) expect((await store.cursor(realmId))!.lookRequested).toBe(20n);
  });

  it('hands out due companies, longest due first, and leaves alone those that need a person', async () => {
    const [late, later, early] = [
      await company({ dueAt: new Date(1000) }),
      await company({ dueAt: new Date(2000) }),
      await company({ dueAt: new Date(5000) }),
    ];
    await company({ dueAt: new Date(1000), status: 'reconnect_needed' });
    await company({ dueAt: new Date(1000), status: 'disconnected' });
    expect(await store.due(new Date(3000), 10)).toEqual([late, later]);
    expect(await store.due(new Date(3000), 1)).toEqual([late]);
    expect(await store.due(new Date(9000), 10, [late])).toEqual([later, early]);
  });

  it('finishes a look without forgetting what was asked meanwhile, and moves nothing backwards', async () => {
    const realmId = await company();
    await store.requestLooks([{ realmId, notifiedAt: at(2) }], at(3));
    const begun = (await store.cursor(realmId))!;
    await store.requestLooks([{ realmId, notifiedAt: at(4) }], at(5));
    await finish(realmId, begun.lookRequested, at(20));
    const after = (await store.cursor(realmId))!;
    expect(after).toMatchObject({
      lookRequested: 2n,
      lookDone: 1n,
      cdcSince: at(20),
      completeUpTo: at(20),
      notifiedAt: at(2),
    });
    await finish(realmId, after.lookRequested, at(10));
    expect(await store.cursor(realmId)).toMatchObject({
      lookDone: 2n,
      cdcSince: at(20),
      completeUpTo: at(20),
      notifiedAt: null,
    });
  });

  it('notes a failed look and keeps the cursor', async () => {
    const realmId = await company();
    await store.failLook(realmId, 'QBO away', at(7));
    await store.failLook(realmId, 'QBO away', at(8));
    expect(await store.cursor(realmId)).toMatchObject({ failures: 2, cdcSince: at(0), completeUpTo: null });
    await finish(realmId, 0n, at(20));
    expect(await store.cursor(realmId)).toMatchObject({ failures: 0 });
  });

  it('remembers the newer version whatever the order', async () => {
    const realmId = await company();
    const key = { type: 'Invoice', id: '1' };
    const captured = (version: string, deleted = false) => ({ version, contentHash: `hash ${version}`, deleted });
    const record = (...versions: string[]) =>
      store.publishing(realmId, async (tx) => {
        for (const version of versions) await store.record(tx, realmId, [{ ...key, captured: captured(version) }]);
      });
    await record('2', '1');
    const known = await store.publishing(realmId, (tx) =>
      store.captured(tx, realmId, [key, { type: 'Invoice', id: '2' }]),
    );
    expect([...known]).toEqual([['Invoice/1', captured('2')]]);
    await store.publishing(realmId, (tx) =>
      store.record(tx, realmId, [
        { type: 'Invoice', id: '3', captured: captured('1') },
        { type: 'Invoice', id: '4', captured: captured('1', true) },
      ]),
    );
    expect(await store.publishing(realmId, (tx) => store.livingIds(tx, realmId, 'Invoice'))).toEqual(
      new Set(['1', '3']),
    );
  });

  it('lets one publish at a time per company, and companies side by side', async () => {
    const [one, two] = [await company(), await company()];
    const order: string[] = [];
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let begun!: () => void;
    const first = new Promise<void>((resolve) => (begun = resolve));
    const held = store.publishing(one, async () => {
      begun();
      await gate;
      order.push('first');
    });
    await first;
    const second = store.publishing(one, () => Promise.resolve(order.push('second')));
    await store.publishing(two, () => Promise.resolve(order.push('other company')));
    release();
    await Promise.all([held, second]);
    expect(order).toEqual(['other company', 'first', 'second']);
  });

  it('remembers nothing of a publication that failed', async () => {
    const realmId = await company();
    const failed = store.publishing(realmId, async (tx) => {
      await store.record(tx, realmId, [
        { type: 'Invoice', id: '1', captured: { version: '1', contentHash: 'h', deleted: false } },
      ]);
      throw new Error('no acknowledgement');
    });
    await expect(failed).rejects.toThrow('no acknowledgement');
    expect(await store.publishing(realmId, (tx) => store.livingIds(tx, realmId, 'Invoice'))).toEqual(new Set());
  });
});
