// At the start of control, grants that the key before has sealed are sealed with the present one (docs/deployment.md, "Replacing the
// token key"). At any other time there is none, and it costs one look at a small table.
import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { createLog } from '#common/logging';
import { TokenSeal, resealGrants } from '#qbo';
import { Grants } from '#storage';

@Injectable()
export class KeyReplacement implements OnApplicationBootstrap {
  private readonly log = createLog('token-key');

  constructor(
    private readonly grants: Grants,
    private readonly seal: TokenSeal,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { resealed, unopened } = await resealGrants(this.grants, this.seal);
    if (resealed.length > 0) {
      this.log.info({ key: this.seal.keyId, companies: resealed.length }, 'grants sealed with the present key');
    }
    for (const realm of unopened) {
      this.log.error({ realm }, 'no key of this process opens the grant of this company; is SYNC_TOKEN_KEY right?');
    }
  }
}
