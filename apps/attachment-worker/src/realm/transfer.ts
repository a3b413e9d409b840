// The bytes of one attachment: from the source's download straight into the target's upload, and read back at both ends.
// The source is opened before anything is claimed, so trouble there leaves no upload in doubt.
import { failpoint } from '#common/failpoints';
import type { AttachmentMetadata } from '#core';
import type { QboClient } from '#qbo';
import type { AttachmentChange, StoredAttachment } from '#storage';
import * as metrics from '../attachment.metrics.js';
import { HashedBytes, type Fingerprint } from '../hashed-bytes.js';
import { isMissing, type NotOk } from './answers.js';
import { certainlyNotMade, created, requestIdOf } from './copy.js';
import { overtaken, type Next, type RowKeeper } from './row-keeper.js';

const callClass = { class: 'attachments' } as const;

export class Transfer {
  constructor(
    private readonly realmId: string,
    private readonly client: QboClient,
    private readonly rows: RowKeeper,
    private readonly stopping: AbortSignal,
  ) {}

  async upload(stored: StoredAttachment, metadata: AttachmentMetadata, fileName: string): Promise<Next> {
    const { client } = this;
    const { desired } = stored.link;
    const opened = await client.download(stored.sourceRealmId, stored.attachableId, {
      ...callClass,
      signal: this.stopping,
    });
    if (opened.kind !== 'ok') return this.rows.failed(stored, opened, 'SOURCE');
    const { content, size, contentType } = opened.value;
    try {
      const claimed = await this.rows.claim(stored, requestIdOf(stored, 'upload'));
      if (!claimed) return overtaken;
      await failpoint('upload.claimed');
      const expected = desired.size ?? size;
      const bytes = hashed(content, expected, 'upload');
      const answer = await client.upload(
        this.realmId,
        {
          requestId: claimed.requestId!,
          metadata: JSON.stringify(metadata),
          content: bytes,
          fileName,
          contentType: desired.contentType ?? contentType ?? 'application/octet-stream',
          size: expected,
        },
        callClass,
      );
      if (answer.kind !== 'ok')
        return await this.rows.failed(claimed, answer, 'TARGET', certainlyNotMade(answer, stored));
      await failpoint('upload.answered');
      this.rows.noteDone(stored, 'attached');
      return await this.rows.goOn(claimed, {
        ...created(answer.value, desired.version),
        ...sourceSide(bytes.fingerprint()),
      });
    } finally {
      content.destroy();
    }
  }

  /** Reads both copies to their end. A hash is only ever of bytes that were read here. */
  async verify(stored: StoredAttachment, targetId: string, hashSource: boolean): Promise<Next> {
    const claimed = await this.rows.claim(stored);
    if (!claimed) return overtaken;
    const source = hashSource ? await this.fingerprint(stored.sourceRealmId, stored.attachableId) : undefined;
    if (source && 'answer' in source) return this.rows.failed(claimed, source.answer, 'SOURCE');
    const target = await this.fingerprint(this.realmId, targetId);
    if ('answer' in target) {
      // Gone since: the next plan sees it by reading.
      if (isMissing(target.answer)) return { kind: 'again', stored: claimed, learnt: { targetNow: null } };
      return this.rows.failed(claimed, target.answer, 'TARGET');
    }
    await failpoint('upload.verified');
    this.rows.noteDone(stored, 'attached');
    return this.rows.goOn(claimed, { targetSha256: target.sha256, ...sourceSide(source) });
  }

  private async fingerprint(realmId: string, attachableId: string): Promise<Fingerprint | { answer: NotOk }> {
    const opened = await this.client.download(realmId, attachableId, { ...callClass, signal: this.stopping });
    if (opened.kind !== 'ok') return { answer: opened };
    const { content, size } = opened.value;
    try {
      return await hashed(content, size, 'verify').drained();
    } catch (error) {
      // A cut stream: nothing was changed by reading, so it is simply read again later.
      return { answer: { kind: 'unsent', reason: `the file was cut: ${(error as Error).message}` } };
    } finally {
      content.destroy();
    }
  }
}

function hashed(content: AsyncIterable<Uint8Array>, expected: number | undefined, direction: 'upload' | 'verify') {
  return new HashedBytes(content, { expected, onBytes: (count) => metrics.bytesTotal.inc({ direction }, count) });
}

function sourceSide(fingerprint: Fingerprint | undefined): Pick<AttachmentChange, 'sourceSha256' | 'bytes'> {
  return fingerprint ? { sourceSha256: fingerprint.sha256, bytes: fingerprint.bytes } : {};
}
