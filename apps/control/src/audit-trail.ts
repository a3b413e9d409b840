// What a person did, announced with the fact itself: the audit event goes into the outbox of the same transaction.
import { failpoint } from '#common/failpoints';
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import type { AuditEvent } from '#contracts';
import { topics } from '#contracts';
import type { Json } from '#core';
import { Outbox, OutboxRelay } from '#storage';
import type { Tx } from '#storage';

@Injectable()
export class AuditTrail {
  constructor(
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** One admin key means one actor; a person's name comes with accounts. */
  async tell(tx: Tx, event: { organizationId: string; action: string; subject: string; details: Json }): Promise<void> {
    const at = this.clock.now();
    const value: AuditEvent = { ...event, actor: 'admin', at: at.toISOString() };
    await this.outbox.add(tx, {
      topic: topics.audit.name,
      key: event.organizationId,
      eventId: randomUUID(),
      eventTime: at,
      value,
    });
    await failpoint('control.told');
    // Too early by a commit; the poll catches what this misses.
    this.relay.wake();
  }
}
