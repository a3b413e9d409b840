// Files between two companies that are synced both ways: each is uploaded once, and nothing bounces (I-11). Counted by the
// emulator.
import { randomBytes, randomUUID } from 'node:crypto';
import { systemClock } from '#common/clock';
import type { Json } from '#core';
import { mirrorAllFiles } from '#storage';
import { Installation } from './installation.js';

describe('files between opposite syncs', () => {
  let w: Installation;
  let oppositeId: string;
  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  async function opposite(): Promise<void> {
    oppositeId = randomUUID();
    await w.db.query(
      `insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)`,
      [oppositeId, w.organizationId, w.target.realmId, w.source.realmId],
    );
  }

  /** An invoice in both companies, linked both ways. */
  async function invoice(): Promise<{ sourceId: string; targetId: string }> {
    const made = await w.invoice();
    await made.settle();
    await w.db.query(
      `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane,
         rank, desired_version, desired_hash, desired_op, mapping_version, change_id, applied_version, applied_hash, target_id)
       values ($1, 'Invoice', $2, $3, $4, $5, 'settled', 'live', 7, 'v', 'h', 'upsert', 0, 'c', 'v', 'h', $6)`,
      [oppositeId, made.targetId, w.organizationId, w.target.realmId, w.source.realmId, made.sourceId],
    );
    return made;
  }

  async function look(): Promise<void> {
    await w.take(...(await w.copies(w.source)));
    await w.takeBack(oppositeId, ...(await w.copies(w.target)));
    for (const giveUpAt = Date.now() + 20_000; ; await systemClock.sleep(30)) {
      const open = await w.db.query<Json>(`select * from attachment_links where state <> 'settled'`);
      if (open.length === 0) return;
      if (Date.now() > giveUpAt) throw new Error(JSON.stringify(open));
    }
  }

  const writes = async (): Promise<number[]> =>
    Promise.all([w.source, w.target].map(async ({ realmId }) => Number((await w.emulator.stats(realmId)).writes)));

  async function rests(): Promise<void> {
    const before = await writes();
    for (let n = 0; n < 3; n++) await look();
    expect(await writes()).toEqual(before);
  }

  it('are carried once, edited from either side, and deleted in both', async () => {
    await opposite();
    w.startWorker();
    const { sourceId } = await invoice();
    const file = await w.attach(sourceId, 'receipt.pdf', randomBytes(2_000), { Note: 'lunch' });
    await look();
    await look();
    expect([(await w.copies(w.source)).length, (await w.copies()).length]).toEqual([1, 1]);
    await rests();
    const [copy] = (await w.copies()) as [Json];
    await w.save(w.target, { ...copy, Note: 'edited in the copy' });
    await look();
    expect((await w.copies(w.source))[0]).toMatchObject({ Id: file.Id as string, Note: 'edited in the copy' });
    await rests();
    const [now] = (await w.copies()) as [Json];
    await w.save(w.target, { Id: now.Id as string, SyncToken: now.SyncToken as string }, '?operation=delete');
    await w.takeBack(oppositeId, { Id: now.Id as string, status: 'Deleted' });
    await look();
    expect([await w.copies(w.source), await w.copies()]).toEqual([[], []]);
    const before = await writes();
    await w.take({ Id: file.Id as string, status: 'Deleted' });
    await rests();
    expect(await writes()).toEqual(before);
  });

  it('are not taken for a person’s when the copy is seen before its upload is settled', async () => {
    await opposite();
    const { sourceId } = await invoice();
    const file = await w.attach(sourceId, 'receipt.pdf', randomBytes(2_000));
    const killed = w.startWorker({ crashAt: 'answered' });
    await w.take(file);
    for (const giveUpAt = Date.now() + 20_000; !w.hasCrashed && Date.now() < giveUpAt;) await systemClock.sleep(20);
    await w.takeBack(oppositeId, ...(await w.copies()));
    // A process that is gone does not go on asking for the other company's lease, as this one would.
    await killed.stop();
    w.startWorker();
    await look();
    await look();
    expect([(await w.copies(w.source)).length, (await w.copies()).length]).toEqual([1, 1]);
    await rests();
  });

  it('that one sync carried before the other began are not carried back', async () => {
    oppositeId = randomUUID();
    const made = await w.invoice();
    await made.settle();
    const file = await w.attach(made.sourceId, 'receipt.pdf', randomBytes(2_000));
    w.startWorker();
    await w.take(file);
    await w.settled(file);
    await opposite();
    await w.db.query(
      `insert into links (sync_id, entity_type, source_id, organization_id, source_realm_id, target_realm_id, state, lane,
         rank, desired_version, desired_hash, desired_op, mapping_version, change_id, applied_version, applied_hash, target_id)
       values ($1, 'Invoice', $2, $3, $4, $5, 'settled', 'live', 7, 'v', 'h', 'upsert', 0, 'c', 'v', 'h', $6)`,
      [oppositeId, made.targetId, w.organizationId, w.target.realmId, w.source.realmId, made.sourceId],
    );
    await mirrorAllFiles(w.db, w.syncId);
    const before = await writes();
    await look();
    await look();
    expect(await writes()).toEqual(before);
  });
});
