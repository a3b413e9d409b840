// Replacing the token key: what another key has sealed is sealed anew with the present one. Renewals would do it by themselves, but a
// company at rest renews nothing, and its grant would be lost with the old key. Intuit is not asked; the tokens stay the same.
import type { StoredGrant } from './custody.js';
import { SealBroken } from './seal.js';
import type { TokenSeal } from './seal.js';

/** Storage's side of it. */
export interface GrantShelf {
  sealedByOthersThan(keyId: string): Promise<string[]>;
  reseal(
    realmId: string,
    again: (
      grant: StoredGrant,
    ) => Pick<StoredGrant, 'accessTokenSealed' | 'refreshTokenSealed' | 'previousRefreshTokenSealed'>,
  ): Promise<void>;
}

/** @returns companies sealed anew, and those whose grant no key of this process opens */
export async function resealGrants(
  shelf: GrantShelf,
  seal: TokenSeal,
): Promise<{ resealed: string[]; unopened: string[] }> {
  const resealed: string[] = [];
  const unopened: string[] = [];
  for (const realmId of await shelf.sealedByOthersThan(seal.keyId)) {
    try {
      await shelf.reseal(realmId, (grant) => {
        const anew = (field: 'access' | 'refresh', text: string): string => {
          const context = { organizationId: grant.organizationId, realmId, field };
          return seal.seal(context, seal.open(context, text));
        };
        const previous = grant.previousRefreshTokenSealed;
        return {
          accessTokenSealed: anew('access', grant.accessTokenSealed),
          refreshTokenSealed: anew('refresh', grant.refreshTokenSealed),
          previousRefreshTokenSealed: previous === null ? null : anew('refresh', previous),
        };
      });
      resealed.push(realmId);
    } catch (error) {
      // Everybody else's grant must not wait for this one; whoever calls says it aloud.
      if (!(error instanceof SealBroken)) throw error;
      unopened.push(realmId);
    }
  }
  return { resealed, unopened };
}
