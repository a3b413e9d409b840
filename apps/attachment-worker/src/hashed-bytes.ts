// Bytes that are hashed while they pass: the file never stands in memory as a whole, and the hash is of exactly what went
// through. A file that ends early or goes on too long throws at its end, which breaks the upload that reads it.
import { failpoint } from '#common/failpoints';
import { createHash } from 'node:crypto';

export class BytesDiffer extends Error {
  constructor(
    readonly expected: number,
    readonly found: number,
  ) {
    super(`the file has ${found} bytes, ${expected} were announced`);
    this.name = 'BytesDiffer';
  }
}

export interface Fingerprint {
  sha256: string;
  bytes: number;
}

export class HashedBytes implements AsyncIterable<Buffer> {
  private readonly hash = createHash('sha256');
  private bytes = 0;
  private result: Fingerprint | undefined;

  constructor(
    private readonly content: AsyncIterable<Uint8Array>,
    private readonly o: { expected?: number | undefined; onBytes?: (count: number) => void } = {},
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for await (const chunk of this.content) {
      const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
      this.hash.update(piece);
      this.bytes += piece.length;
      this.o.onBytes?.(piece.length);
      this.assertLength(this.bytes <= (this.o.expected ?? Infinity));
      // A comparison per chunk, no turn of the loop.
      const held = failpoint('upload.chunk');
      if (held) await held;
      yield piece;
    }
    this.assertLength(this.o.expected === undefined || this.bytes === this.o.expected);
    this.result = { sha256: this.hash.digest('hex'), bytes: this.bytes };
  }

  /** Reads to the end for the fingerprint alone. */
  async drained(): Promise<Fingerprint> {
    for await (const piece of this) void piece;
    return this.fingerprint()!;
  }

  /** Known once the last byte has passed. */
  fingerprint(): Fingerprint | undefined {
    return this.result;
  }

  private assertLength(holds: boolean): void {
    if (!holds) throw new BytesDiffer(this.o.expected!, this.bytes);
  }
}
