// Files against the emulator: carried once whatever is cut or killed, with the same bytes on both sides.
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Json } from '#core';
import * as metrics from '../src/attachment.metrics.js';
import { Installation, sha256, type CrashMoment } from './installation.js';

/** Buffers in use after a collection: what is only waiting for one is not held by anybody. */
function liveBytes(): () => number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
}

describe('the attachment worker', () => {
  let w: Installation;
  beforeAll(async () => {
    w = await Installation.start();
  });
  afterAll(() => w.stop());
  beforeEach(() => w.begin());
  afterEach(() => w.end());

  const pdf = (size = 5_000) => randomBytes(size);
  const ready = async () => {
    const invoice = await w.invoice();
    await invoice.settle();
    return invoice;
  };
  async function expectCarriedOnce(file: Json, content: Buffer, anchorId: string): Promise<void> {
    const row = await w.settled(file);
    const copies = await w.copies();
    expect(copies).toHaveLength(1);
    const [copy] = copies as [Json];
    expect(copy.AttachableRef[0].EntityRef).toMatchObject({ type: 'Invoice', value: anchorId });
    expect(row.link).toMatchObject({
      target: { id: copy.Id as string },
      sourceSha256: sha256(content),
      targetSha256: sha256(content),
    });
    expect(await w.bytesOf(copy)).toBe(sha256(content));
    const told = (await w.results()).filter((result) => result.sourceId === file.Id);
    expect(told.map(({ outcome }) => outcome as string)).toEqual(['attached']);
    expect(told[0]).toMatchObject({ entityType: 'Attachable', targetId: copy.Id as string });
  }

  it('waits for the invoice, then carries the file once with equal hashes at both ends', async () => {
    const invoice = await w.invoice();
    const content = pdf();
    const file = await w.attach(invoice.sourceId, 'receipt.pdf', content, { Note: "Tom's lunch" });
    w.startWorker();
    await w.take(file);
    const waiting = await w.until(file, (row) => row.link.state.kind === 'waiting');
    expect(waiting.link.state).toEqual({ kind: 'waiting', on: [`Invoice/${invoice.sourceId}`] });
    await w.until(file, (row) => /waits for Invoice/.test(row.waitsBecause ?? ''));
    expect(await w.copies()).toEqual([]);
    await invoice.settle();
    await expectCarriedOnce(file, content, invoice.targetId);
    expect((await w.copies())[0]).toMatchObject({ FileName: 'receipt.pdf', Note: "Tom's lunch" });

    // A second delivery, and an edit that changes nothing we carry: no call.
    const before = ((await w.emulator.stats(w.target.realmId)) as Json).requests as number;
    await w.take(file, file);
    await w.settled(file);
    expect(((await w.emulator.stats(w.target.realmId)) as Json).requests).toBe(before);
  });

  it.each([
    ['the answer of the upload is lost', { fault: 'reset-after-commit' }],
    ['the connection breaks before the upload is taken', { fault: 'reset-before-commit' }],
    ['the answer of the upload is cut', { fault: 'truncate-body' }],
    ['the upload times out after it was taken', { fault: 'timeout-after-commit' }],
    ['the upload is throttled', { fault: 'throttle' }],
    ['the platform answers 503', { fault: 'html-503' }],
    ['the token has run out', { fault: 'unauthorized' }],
  ])('carries it once although %s', async (_, fault) => {
    const { sourceId, targetId } = await ready();
    const content = pdf();
    const file = await w.attach(sourceId, 'receipt.pdf', content);
    await w.emulator.fault({ ...fault, match: { realmId: w.target.realmId, operation: 'upload' }, times: 1 });
    w.startWorker();
    await w.take(file);
    await expectCarriedOnce(file, content, targetId);
  });

  it('reads a copy again whose download was cut, and believes no hash of half a file', async () => {
    const { sourceId, targetId } = await ready();
    const content = pdf(300_000);
    const file = await w.attach(sourceId, 'receipt.pdf', content);
    await w.emulator.fault({ fault: 'truncate-body', match: { operation: 'download' }, times: 2 });
    w.startWorker();
    await w.take(file);
    await expectCarriedOnce(file, content, targetId);
  });

  it.each<[string, CrashMoment]>([
    ['after it wrote down the upload', 'claimed'],
    ['after the answer, before it was written down', 'answered'],
    ['while it verified', 'verified'],
  ])('carries it once although the process is killed %s', async (_, crashAt) => {
    const { sourceId, targetId } = await ready();
    const content = pdf();
    const file = await w.attach(sourceId, 'receipt.pdf', content);
    w.startWorker({ crashAt });
    await w.take(file);
    await w.until(file, () => w.hasCrashed);
    w.startWorker();
    await expectCarriedOnce(file, content, targetId);
  });

  it('knows of a copy whose upload was in doubt when its invoice was deleted: on a deleted record it stays, as in the source', async () => {
    const { sourceId, targetId } = await ready();
    const content = pdf();
    const file = await w.attach(sourceId, 'receipt.pdf', content);
    w.startWorker({ crashAt: 'answered' });
    await w.take(file);
    await w.until(file, () => w.hasCrashed);
    await w.db.query(
      `update links set desired_op = 'delete', target_deleted = true where sync_id = $1 and entity_type = 'Invoice' and source_id = $2`,
      [w.syncId, sourceId],
    );
    w.startWorker();
    await expectCarriedOnce(file, content, targetId);
    expect((await w.results()).at(-1)).toMatchObject({ outcome: 'attached' });
  });

  it('throws a copy away whose bytes are not those of the source, and carries the file anew', async () => {
    const { sourceId, targetId } = await ready();
    const content = pdf();
    const file = await w.attach(sourceId, 'receipt.pdf', content);
    w.startWorker({ crashAt: 'verified' });
    await w.take(file);
    const uploaded = await w.until(file, (row) => row.link.target !== undefined);
    await w.until(file, () => w.hasCrashed);
    // As if the first upload had carried other bytes: its hash is not the one the source has.
    await w.db.query(`update attachment_links set source_sha256 = 'other' where sync_id = $1`, [w.syncId]);
    w.startWorker();
    await expectCarriedOnce(file, content, targetId);
    expect((await w.copies())[0]!.Id).not.toBe(uploaded.link.target!.id);
  });

  it('keeps two equal files on one invoice two, also when an answer is lost', async () => {
    const { sourceId } = await ready();
    const content = pdf();
    const files = [await w.attach(sourceId, 'same.pdf', content), await w.attach(sourceId, 'same.pdf', content)];
    await w.emulator.fault({
      fault: 'reset-after-commit',
      match: { realmId: w.target.realmId, operation: 'upload' },
      times: 1,
    });
    w.startWorker();
    await w.take(...files);
    const rows = await Promise.all(files.map((file) => w.settled(file)));
    expect(await w.copies()).toHaveLength(2);
    expect(new Set(rows.map((row) => row.link.target!.id)).size).toBe(2);
  });

  it('moves it with its references by a full update, keeps a second reference, and deletes it once', async () => {
    const [first, second] = [await ready(), await ready()];
    const content = pdf();
    const file = await w.attach(first.sourceId, 'receipt.pdf', content);
    w.startWorker();
    await w.take(file);
    await w.settled(file);

    const ref = (value: string) => ({ EntityRef: { type: 'Invoice', value } });
    const { Id, SyncToken, FileName, ContentType } = file;
    const moved = await w.save(
      w.source,
      {
        Id,
        SyncToken,
        FileName,
        ContentType,
        Note: 'paid',
        AttachableRef: [ref(first.sourceId), ref(second.sourceId)],
      },
      '?operation=update',
    );
    await w.take(moved);
    await w.until(file, (row) => row.link.applied?.metadata.AttachableRef.length === 2);
    await w.settled(file);
    const [copy] = (await w.copies()) as [Json];
    expect(copy).toMatchObject({ FileName: 'receipt.pdf', Note: 'paid', Size: content.length });
    const anchors = (copy.AttachableRef as Json[]).map((link) => String(link.EntityRef.value)).sort();
    expect(anchors).toEqual([first.targetId, second.targetId].sort());

    await w.take({ Id, status: 'Deleted' });
    await w.until(file, (row) => row.link.state.kind === 'settled' && row.link.target === undefined);
    expect(await w.copies()).toEqual([]);
    expect((await w.results()).map(({ outcome }) => outcome as string)).toEqual(['attached', 'updated', 'deleted']);
  });

  it('carries a note that has no file, once, although its answer is lost', async () => {
    const { sourceId, targetId } = await ready();
    const note = await w.save(w.source, {
      Note: 'call back on Monday',
      AttachableRef: [{ EntityRef: { type: 'Invoice', value: sourceId } }],
    });
    await w.emulator.fault({
      fault: 'reset-after-commit',
      match: { realmId: w.target.realmId, operation: 'create', entity: 'Attachable' },
      times: 1,
    });
    w.startWorker();
    await w.take(note);
    await w.settled(note);
    const copies = await w.copies();
    expect(copies).toHaveLength(1);
    expect(copies[0]).toMatchObject({ Note: 'call back on Monday' });
    expect(copies[0]!.AttachableRef[0].EntityRef.value).toBe(targetId);
  });

  it('holds while the source is disconnected and goes on when it is back', async () => {
    const { sourceId, targetId } = await ready();
    const content = pdf();
    const file = await w.attach(sourceId, 'receipt.pdf', content);
    await w.emulator.revokeGrant(w.app.clientId, w.source.realmId);
    w.startWorker();
    await w.take(file);
    const held = await w.until(file, (row) => row.link.state.kind === 'held');
    expect(held.link.state).toMatchObject({ code: 'SOURCE.RECONNECT_NEEDED' });
    expect(held.link.uploadOpen).toBe(false);
    await w.reconnect(w.source);
    await w.until(file, (row) => row.link.state.kind === 'settled');
    expect(await w.copies()).toHaveLength(1);
    expect(await w.bytesOf((await w.copies())[0]!)).toBe(sha256(content));
    expect(targetId).toBe((await w.copies())[0]!.AttachableRef[0].EntityRef.value);
  });

  it('asks a person about a file that QBO refuses', async () => {
    const { sourceId } = await ready();
    const file = await w.attach(sourceId, 'receipt.pdf', pdf());
    w.startWorker();
    await w.take({ ...file, FileName: 'program.exe' });
    const failed = await w.until(file, (row) => row.link.state.kind === 'failed');
    expect(failed.link.state).toMatchObject({ code: 'QBO.6041' });
    expect((await w.results()).at(-1)).toMatchObject({ outcome: 'failed', code: 'QBO.6041' });
  });

  it('carries 20 MB as a stream: memory does not grow with the file', async () => {
    const { sourceId, targetId } = await ready();
    const content = pdf(20 * 1024 * 1024);
    const file = await w.attach(sourceId, 'big.pdf', content);
    const live = liveBytes();
    const before = live();
    // A look every 2 MB that pass, in both directions: collecting costs too much to do it all the time.
    let [passed, most] = [0, 0];
    const counting = jest.spyOn(metrics.bytesTotal, 'inc').mockImplementation((_labels, count = 0) => {
      const looks = Math.floor((passed + Number(count)) / 2 ** 21) > Math.floor(passed / 2 ** 21);
      passed += Number(count);
      if (looks) most = Math.max(most, live() - before);
    });
    w.startWorker();
    await w.take(file);
    await w.until(file, (row) => row.link.state.kind === 'settled', 80_000);
    counting.mockRestore();
    expect(passed).toBe(2 * content.length);
    expect(most).toBeLessThan(5 * 1024 * 1024);
    await expectCarriedOnce(file, content, targetId);
  });
});
