// Seals tokens for storage: AES-256-GCM, with (organization, realm, field) as authenticated data, so that a sealed value
// copied to another row, or swapped between access and refresh, does not open.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

export type SealedField = 'access' | 'refresh';

export interface SealContext {
  readonly organizationId: string;
  readonly realmId: string;
  readonly field: SealedField;
}

/** The sealed text does not open: another key, another row, or damage. Never says anything about the contents. */
export class SealBroken extends Error {
  constructor(context: SealContext, why: string) {
    super(`the sealed ${context.field} token of realm ${context.realmId} does not open: ${why}`);
    this.name = 'SealBroken';
  }
}

export class TokenSeal {
  /** of the key that seals: second part of whatever it sealed */
  readonly keyId: string;
  private readonly keys = new Map<string, Buffer>();

  /**
   * @param key 32 bytes (SYNC_TOKEN_KEY); seals and opens
   * @param previous opens only (SYNC_TOKEN_KEY_PREVIOUS): during a rotation every renewal seals anew, nobody has to reconnect
   */
  constructor(
    private readonly key: Buffer,
    previous?: Buffer,
  ) {
    for (const each of previous === undefined ? [key] : [previous, key]) {
      if (each.length !== 32) throw new RangeError(`a token key has 32 bytes; this one has ${each.length}`);
      this.keys.set(idOf(each), each);
    }
    this.keyId = idOf(key);
  }

  seal(context: SealContext, token: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    cipher.setAAD(authenticated(context));
    const sealed = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
    return [
      's1',
      this.keyId,
      nonce.toString('base64url'),
      sealed.toString('base64url'),
      cipher.getAuthTag().toString('base64url'),
    ].join('.');
  }

  /** @throws SealBroken */
  open(context: SealContext, text: string): string {
    const [form, keyId, nonce, sealed, tag] = text.split('.');
    if (form !== 's1' || keyId === undefined || nonce === undefined || sealed === undefined || tag === undefined) {
      throw new SealBroken(context, 'unknown form');
    }
    const key = this.keys.get(keyId);
    if (key === undefined)
      throw new SealBroken(
        context,
        `sealed with key ${keyId}, this process has ${[...this.keys.keys()].join(' and ')}`,
      );
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
        authTagLength: 16,
      });
      decipher.setAAD(authenticated(context));
      decipher.setAuthTag(Buffer.from(tag, 'base64url'));
      return Buffer.concat([decipher.update(Buffer.from(sealed, 'base64url')), decipher.final()]).toString('utf8');
    } catch {
      // The cipher's own error adds nothing, and naming it as cause would carry buffers into logs.
      throw new SealBroken(context, 'authentication failed');
    }
  }
}

/** Eight hex digits of the key's hash: enough to say "wrong key" instead of "damaged", useless for guessing 256 bits. */
const idOf = (key: Buffer): string => createHash('sha256').update(key).digest('hex').slice(0, 8);

function authenticated(context: SealContext): Buffer {
  return Buffer.from(`${context.organizationId}|${context.realmId}|${context.field}`);
}
