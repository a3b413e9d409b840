// sync.writes -> rows of `links`. Nothing slow: one statement for a batch, then the loops are woken.
import { failpoint } from '#common/failpoints';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { CLOCK, type Clock } from '#common/clock';
import { knownType } from '#core';
import { topics, type WriteEvent } from '#contracts';
import { BATCHES, RecordRejected, type RecordBatch } from '#kafka';
import { keyText, Links, OutboxRelay, type DesiredLink, type Taken } from '#storage';
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
    await failpoint('writer.before-intake');
    const taken = await this.intake(desired).catch((error: unknown) => this.blame(batch, error));
    await failpoint('writer.taken-in');
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

  private intake(desired: readonly DesiredLink[]): Promise<Taken[]> {
    const at = this.clock.now();
    return this.links.intake(desired, at, (failed) => failed.map((one) => announceFailedMapping(one, at)));
  }

  /**
   * PostgreSQL refused the content of some record (a sync that does not exist, a text it cannot hold): that one becomes a
   * dead letter, found by taking the records in one by one, which is harmless to repeat. Any other trouble is not a record's
   * fault, and the batch comes again.
   */
  private async blame(batch: RecordBatch<WriteEvent>, error: unknown): Promise<never> {
    if (!isAboutContent(error)) throw error;
    for (const [index, record] of batch.records.entries()) {
      if (record.value === null) continue;
      try {
        await this.intake([desiredLink(record.value, record.traceparent)]);
      } catch (own) {
        if (isAboutContent(own)) throw new RecordRejected(index, 'WRITE.REFUSED_BY_DATABASE', (own as Error).message);
        throw own;
      }
    }
    throw error;
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation). */
function isAboutContent(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^2[23]/.test(code);
}
