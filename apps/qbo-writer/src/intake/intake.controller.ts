// sync.writes -> rows of `links`. Nothing slow: one statement for a batch, then the loops are woken.
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { CLOCK, type Clock } from '#common/clock';
import { knownType } from '#core';
import { topics, type WriteEvent } from '#contracts';
import { BATCHES, RecordRejected, type RecordBatch } from '#kafka';
import { keyText, Links, OutboxRelay, type DesiredLink } from '#storage';
import * as metrics from '../qbo-writer.metrics.js';
import { announceFailedMapping } from '../results.js';
import { Writers } from '../realm/writers.js';
import { desiredLink } from './desired-link.js';

@Controller()
export class IntakeController {
  constructor(
    @Inject(Links) private readonly links: Links,
    @Inject(Writers) private readonly writers: Writers,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @EventPattern<string>(topics.writes.name, BATCHES)
  async take(@Payload() batch: RecordBatch<WriteEvent>): Promise<void> {
    const desired: DesiredLink[] = [];
    for (const [index, record] of batch.records.entries()) {
      if (record.value === null) continue;
      if (!knownType(record.value.entityType)) {
        throw new RecordRejected(
          index,
          'WRITE.UNKNOWN_TYPE',
          `entity type ${record.value.entityType} is not registered`,
        );
      }
      desired.push(desiredLink(record.value, record.traceparent));
    }
    const at = this.clock.now();
    const taken = await this.links.intake(desired, at, (failed) => failed.map((one) => announceFailedMapping(one, at)));
    for (const { state } of taken) metrics.takenTotal.inc({ state });
    if (taken.some((one) => one.state === 'failed')) this.relay.wake();
    const newer = new Set(taken.filter((one) => one.state === 'ready').map(keyText));
    // Live last, so that a company with both kinds is woken as live.
    for (const lane of ['bulk', 'live'] as const) {
      const realms = new Set(
        desired.filter((one) => one.lane === lane && newer.has(keyText(one))).map((one) => one.targetRealmId),
      );
      for (const realmId of realms) this.writers.wake(realmId, lane);
    }
  }
}
