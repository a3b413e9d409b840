// POST /webhooks/intuit. Registered on the Fastify instance below Nest, with its own body parser: the raw bytes are what
// is signed, and Nest's pipeline costs a third of the throughput. Order of judgement: size (413), signature (401), JSON
// (400), then per realm. 200 only after Kafka has every notification; unknown realms are no error, or Intuit would repeat
// the delivery and hold back everything behind it.
import { failpoint } from '#common/failpoints';
import { Inject, Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { createLog } from '#common/logging';
import { traced } from '#common/tracing';
import type { TraceSpan } from '#common/tracing';
import { eventIdOf, topics } from '#contracts';
import type { NotificationEvent } from '#contracts';
import { readDelivery } from '#core';
import type { Hint } from '#core';
import { EventProducer } from '#kafka';
import type { EventRecord } from '#kafka';
import { CaptureStore } from '#storage';
import { ackSeconds, deliveriesTotal, webhookEventsTotal } from '../ingest.metrics.js';
import { SETTINGS } from '../tokens.js';
import type { Settings } from '../settings.js';
import { KnownRealms } from './known-realms.js';
import { signatureHolds } from './signature.js';
import { newTraceparent } from './traceparent.js';

const path = '/webhooks/intuit';
const bodyLimit = 1024 * 1024;
// Intuit waits 3 s. Saying "not now" in time brings the delivery back; silence counts against the endpoint.
const ackWithinMs = 2500;
const unknownLoggedEveryMs = 60_000;
// All of a delivery of 1 MiB can be news of one company, and its hints take more room than Intuit's own words: one record
// of them would pass what Kafka takes (1 MB), and Intuit would repeat the delivery for ever. Thousand hints are some 170 kB.
const hintsPerRecord = 1000;

@Injectable()
export class WebhookDoor implements OnModuleInit {
  private readonly log = createLog('webhook-door');
  private readonly realms: KnownRealms;
  private readonly unknown = new Map<string, number>();
  private unknownLoggedAtMs = 0;

  constructor(
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(EventProducer) private readonly producer: EventProducer,
    @Inject(CaptureStore) store: CaptureStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'qboWebhookVerifierToken'>,
  ) {
    this.realms = new KnownRealms(store, clock, this.log);
  }

  onModuleInit(): void {
    const fastify = this.http.httpAdapter.getInstance<FastifyInstance>();
    // A scope of its own: other routes keep their parsers and error answers.
    fastify.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, parsed) => parsed(null, body));
      scope.setErrorHandler((error: FastifyError, _request, reply) => this.refuse(error, reply));
      scope.post(path, { bodyLimit }, async (request, reply) => {
        const answered = ackSeconds.startTimer();
        return traced(`POST ${path}`, { parent: 'root', kind: 'server' }, (span) =>
          this.take(request, reply, span),
        ).finally(answered);
      });
      done();
    });
  }

  private async take(request: FastifyRequest, reply: FastifyReply, span: TraceSpan): Promise<unknown> {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    if (!signatureHolds(body, request.headers['intuit-signature'], this.settings.qboWebhookVerifierToken)) {
      deliveriesTotal.inc({ outcome: 'bad_signature' });
      return answer(reply, 401, 'signature does not match the body');
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString('utf8'));
    } catch {
      deliveriesTotal.inc({ outcome: 'malformed' });
      return answer(reply, 400, 'the body is not JSON');
    }
    const delivery = readDelivery(parsed);
    if (delivery.kind === 'unreadable') {
      deliveriesTotal.inc({ outcome: 'malformed' });
      return answer(reply, 400, delivery.reason);
    }
    if (delivery.malformed > 0) webhookEventsTotal.inc({ outcome: 'malformed' }, delivery.malformed);
    const records: EventRecord<NotificationEvent>[] = [];
    for (const [realmId, hints] of delivery.byRealm) {
      const known = this.realms.roleOf(realmId);
      const role = typeof known === 'string' ? known : await known;
      if (role !== 'source') {
        this.passOver(realmId, role);
        continue;
      }
      const traceparent = span.traceparent ?? newTraceparent();
      for (let at = 0; at === 0 || at < hints.length; at += hintsPerRecord)
        records.push(this.record(realmId, hints.slice(at, at + hintsPerRecord), traceparent));
    }
    if (records.length > 0 && !(await this.published(records))) {
      deliveriesTotal.inc({ outcome: 'unavailable' });
      void reply.header('retry-after', '5');
      return answer(reply, 503, 'not stored yet, deliver again');
    }
    deliveriesTotal.inc({ outcome: 'accepted' });
    return { accepted: records.length };
  }

  /** One notification per realm, or several of a large delivery. The id follows from what was said: a repeated delivery is the same event. */
  private record(realmId: string, entities: Hint[], traceparent: string): EventRecord<NotificationEvent> {
    const now = this.clock.now();
    return {
      topic: topics.notifications.name,
      key: realmId,
      id: eventIdOf('notification', realmId, JSON.stringify(entities)),
      time: now,
      source: 'intuit/webhooks',
      traceparent,
      value: { realmId, source: 'webhook', receivedAt: now.toISOString(), entities },
    };
  }

  private async published(records: EventRecord<NotificationEvent>[]): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), ackWithinMs);
    });
    const acknowledged = this.publishRecords(records).then(
      () => true,
      (error: unknown) => {
        this.log.error({ err: error, realms: records.map((record) => record.key) }, 'notifications not stored');
        return false;
      },
    );
    const stored = await Promise.race([acknowledged, late]);
    clearTimeout(timer);
    if (stored) webhookEventsTotal.inc({ outcome: 'published' }, new Set(records.map((record) => record.key)).size);
    return stored;
  }

  private async publishRecords(records: EventRecord<NotificationEvent>[]): Promise<void> {
    await failpoint('door.before-publish');
    await this.producer.publishAll(records);
    await failpoint('door.published');
  }

  private passOver(realmId: string, role: 'known' | 'unknown'): void {
    if (role === 'known') {
      // The target's own news: mostly the echo of what we wrote.
      webhookEventsTotal.inc({ outcome: 'not_a_source' });
      return;
    }
    webhookEventsTotal.inc({ outcome: 'unknown_realm' });
    if (this.unknown.size < 1000 || this.unknown.has(realmId)) {
      this.unknown.set(realmId, (this.unknown.get(realmId) ?? 0) + 1);
    }
    const nowMs = this.clock.nowMs();
    if (nowMs - this.unknownLoggedAtMs < unknownLoggedEveryMs) return;
    this.unknownLoggedAtMs = nowMs;
    this.log.warn({ realms: Object.fromEntries(this.unknown) }, 'webhooks for realms that nobody connected');
    this.unknown.clear();
  }

  private refuse(error: FastifyError, reply: FastifyReply): FastifyReply {
    const status = error.statusCode ?? 500;
    if (status === 413) deliveriesTotal.inc({ outcome: 'too_large' });
    else if (status < 500) deliveriesTotal.inc({ outcome: 'malformed' });
    else this.log.error({ err: error }, 'webhook not handled');
    return answer(reply, status, status < 500 ? error.message : 'not handled, deliver again');
  }
}

function answer(reply: FastifyReply, status: number, detail: string): FastifyReply {
  const title = { 400: 'Bad Request', 401: 'Unauthorized', 413: 'Payload Too Large', 503: 'Service Unavailable' }[
    status
  ];
  return reply
    .status(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: title ?? 'Error', status, detail });
}
