import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { BytesDiffer, HashedBytes } from './hashed-bytes.js';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('bytes that are hashed while they pass', () => {
  it('have the hash of the whole, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), async (chunks) => {
        const whole = Buffer.concat(chunks);
        const hashed = new HashedBytes(Readable.from(chunks.map((chunk) => Buffer.from(chunk))));
        const passed: Buffer[] = [];
        for await (const piece of hashed) passed.push(piece);
        expect(Buffer.concat(passed)).toEqual(whole);
        expect(hashed.fingerprint()).toEqual({ sha256: sha256(whole), bytes: whole.length });
      }),
    );
  });

  it.each([
    ['ends early', 4],
    ['goes on too long', 2],
  ])('break what reads them when the file %s', async (_, expected) => {
    const hashed = new HashedBytes(Readable.from([Buffer.from('abc')]), { expected });
    await expect(hashed.drained()).rejects.toBeInstanceOf(BytesDiffer);
    expect(hashed.fingerprint()).toBeUndefined();
  });

  it('have no fingerprint before their end', async () => {
    const hashed = new HashedBytes(Readable.from([Buffer.from('abc'), Buffer.from('def')]));
    for await (const piece of hashed) {
      expect(piece.length).toBe(3);
      expect(hashed.fingerprint()).toBeUndefined();
    }
    expect(hashed.fingerprint()!.bytes).toBe(6);
  });
});
