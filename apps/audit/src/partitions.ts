// Partitions of the sync log are made a month ahead, so that the first entry of a month never waits for a table.
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Lifecycle, Repeated } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { SyncLog } from '#storage';

const hourMs = 3_600_000;
const aheadMs = 31 * 24 * hourMs;
const log = createLog('partitions');

@Injectable()
export class Partitions implements OnApplicationBootstrap {
  constructor(
    private readonly syncLog: SyncLog,
    private readonly lifecycle: Lifecycle,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    const ahead = new Repeated(() => this.make(), {
      clock: this.clock,
      log,
      stopping: this.lifecycle.stopping,
      // Entries still find their month: append makes it, or they land in the default partition.
      failed: 'partitions not made ahead',
    });
    this.lifecycle.onDrain('partitions', () => ahead.stop());
    ahead.start();
  }

  private async make(): Promise<number> {
    const now = this.clock.nowMs();
    await this.syncLog.ensurePartitions([new Date(now), new Date(now + aheadMs)]);
    return hourMs;
  }
}
