// Webhook delivery: one queue per endpoint, in order, over real HTTP, on emulator time.
//
// An event waits in `delayed` until its delay is over, is collected with others in `gathering`, and leaves as part of a
// notification into `queue`. The queue's head is the only notification ever sent: until it is answered 2xx within three
// seconds, everything behind it waits (head-of-line blocking), and it is tried again up the ladder. Per endpoint at most
// one delivery is in flight; `busy` is set from its start to the next decision.
import { createHmac, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import catalogue from '../catalogue/qbo-entities.json' with { type: 'json' };
import { seededRandom } from '../faults/index.js';
import type { Act, TimedClock } from '../types.js';

export interface Change {
  type: string;
  id: string;
  act: Act;
  /** Epoch ms of the change. */
  time: number;
  /** Merge only: the id that died. */
  deletedId?: string;
}

export interface Endpoint {
  clientId: string;
  url: string;
  verifierToken: string;
  format: 'cloudevents' | 'legacy';
}

export interface WebhookDials {
  enabled: boolean;
  minDelayMs: number;
  maxDelayMs: number;
  /** How long an endpoint's events are collected into one notification. */
  aggregateMs: number;
  dropRate: number;
  duplicateRate: number;
  shuffle: boolean;
  seed: number;
  /** Unresolved between sources: `qbo.invoice.void.v1` or `.voided.v1`. */
  voidVerb: 'void' | 'voided';
  /** `current`: 10 s to every 6 h, for ever. `old`: 20, 30, 50 minutes, then dropped and the endpoint switched off. */
  ladder: 'current' | 'old';
  answerWithinMs: number;
  maxEvents: number;
  contentType: 'application/json' | 'application/cloudevents+json';
}

export interface Delivery {
  at: number;
  clientId: string;
  url: string;
  attempt: number;
  events: number;
  bytes: number;
  /** HTTP status, or why there was none. */
  outcome: number | string;
  delivered: boolean;
}

const initialDials: WebhookDials = {
  enabled: true,
  minDelayMs: 0,
  maxDelayMs: 500,
  aggregateMs: 500,
  dropRate: 0,
  duplicateRate: 0,
  shuffle: false,
  seed: 1,
  voidVerb: 'void',
  ladder: 'current',
  answerWithinMs: 3_000,
  maxEvents: 500,
  contentType: 'application/json',
};

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
// [documented: HOOK24 and later page]; the last step repeats.
const currentLadder = [
  10 * secondMs,
  20 * secondMs,
  30 * secondMs,
  5 * minuteMs,
  20 * minuteMs,
  2 * hourMs,
  4 * hourMs,
  6 * hourMs,
];
// [documented: older HOOK text]
const oldLadder = [20 * minuteMs, 30 * minuteMs, 50 * minuteMs];

const verbs: Record<Act, string> = {
  create: 'created',
  update: 'updated',
  delete: 'deleted',
  void: 'void',
  merge: 'merged',
  emailed: 'emailed',
};
const legacyOperations: Record<string, string> = {
  created: 'Create',
  updated: 'Update',
  deleted: 'Delete',
  void: 'Void',
  merged: 'Merge',
  emailed: 'Emailed',
};
const announced = new Map(
  (catalogue.entities as unknown as { entity: string; webhookOperations: string[] }[]).map(
    ({ entity, webhookOperations }) => [entity, new Set(webhookOperations)],
  ),
);

/** An event and the endpoint that has not acknowledged it. */
export interface Owed {
  readonly clientId: string;
  readonly url: string;
  readonly event: Event;
}

/** Remembers over a restart what is owed: an event from its acceptance until an answer of 2xx. */
export interface Outbox {
  owe(owed: Owed): void;
  settle(clientId: string, url: string, eventIds: readonly string[]): void;
}

export interface Event {
  id: string;
  realmId: string;
  entity: string;
  entityId: string;
  verb: string;
  time: number;
  deletedId?: string;
  /** Below the millisecond, as the real time stamps go. */
  nanos: number;
}
interface Delayed {
  readyAt: number;
  event: Event;
}
interface Notification {
  ids: readonly string[];
  body: string;
  events: number;
  attempts: number;
  createdAt: number;
}

class EndpointQueue {
  delayed: Delayed[] = [];
  gathering: Event[] = [];
  queue: Notification[] = [];
  busy = false;
  retryAt: number | undefined;
  switchedOff = false;
  private lastReadyAt = 0;
  private cancelDelay: (() => void) | undefined;
  private cancelGather: (() => void) | undefined;
  private cancelRetry: (() => void) | undefined;

  constructor(
    public endpoint: Endpoint,
    private readonly clock: TimedClock,
    private readonly dials: () => WebhookDials,
    private readonly random: () => number,
    private readonly record: (delivery: Delivery) => void,
    private readonly outbox: Outbox | undefined,
  ) {}

  /** Takes up again what a former run of the emulator owed. */
  resume(event: Event): void {
    this.delayed.push({ readyAt: this.clock.now(), event });
    this.armDelay();
  }

  accept(event: Event): void {
    const { minDelayMs, maxDelayMs, dropRate, duplicateRate, shuffle } = this.dials();
    if (this.switchedOff || (dropRate > 0 && this.random() < dropRate)) return;
    this.outbox?.owe({ clientId: this.endpoint.clientId, url: this.endpoint.url, event });
    const copies = duplicateRate > 0 && this.random() < duplicateRate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delay = minDelayMs + (maxDelayMs > minDelayMs ? this.random() * (maxDelayMs - minDelayMs) : 0);
      let readyAt = this.clock.now() + delay;
      // Without `shuffle` no event overtakes an earlier one, however the delays fall.
      if (!shuffle) readyAt = Math.max(readyAt, this.lastReadyAt);
      this.lastReadyAt = Math.max(this.lastReadyAt, readyAt);
      let at = this.delayed.length;
      while (at > 0 && this.delayed[at - 1]!.readyAt > readyAt) at--;
      this.delayed.splice(at, 0, { readyAt, event });
    }
    this.armDelay();
  }

  stop(): void {
    this.cancelDelay?.();
    this.cancelGather?.();
    this.cancelRetry?.();
    this.switchedOff = true;
  }

  get waiting(): number {
    return this.delayed.length + this.gathering.length + this.queue.reduce((sum, one) => sum + one.events, 0);
  }

  private armDelay(): void {
    this.cancelDelay?.();
    const [first] = this.delayed;
    if (first)
      this.cancelDelay = this.clock.setTimer(Math.max(0, first.readyAt - this.clock.now()), () => this.gather());
  }

  private gather(): Promise<void> | undefined {
    const now = this.clock.now();
    let due = 0;
    while (due < this.delayed.length && this.delayed[due]!.readyAt <= now) due++;
    this.gathering.push(...this.delayed.splice(0, due).map(({ event }) => event));
    this.armDelay();
    if (this.gathering.length === 0 || this.cancelGather) return undefined;
    const { aggregateMs } = this.dials();
    if (aggregateMs <= 0) return this.flush();
    this.cancelGather = this.clock.setTimer(aggregateMs, () => this.flush());
    return undefined;
  }

  private flush(): Promise<void> {
    this.cancelGather = undefined;
    const events = this.gathering;
    this.gathering = [];
    if (this.dials().shuffle) shuffleInPlace(events, this.random);
    for (const batch of batches(events, this.endpoint.format, this.dials().maxEvents)) {
      const body = this.endpoint.format === 'legacy' ? legacyBody(batch) : cloudEventsBody(batch, this.dials());
      this.queue.push({
        ids: batch.map(({ id }) => id),
        body,
        events: batch.length,
        attempts: 0,
        createdAt: this.clock.now(),
      });
    }
    return this.pump();
  }

  /** Sends heads until one fails or the queue is empty. */
  private async pump(): Promise<void> {
    if (this.busy || this.retryAt !== undefined) return;
    this.busy = true;
    try {
      for (let head = this.queue[0]; head && !this.switchedOff; head = this.queue[0]) {
        head.attempts++;
        const outcome = await send(this.endpoint, head, this.dials());
        const delivered = typeof outcome === 'number' && outcome >= 200 && outcome < 300;
        this.record({
          at: this.clock.now(),
          clientId: this.endpoint.clientId,
          url: this.endpoint.url,
          attempt: head.attempts,
          events: head.events,
          bytes: Buffer.byteLength(head.body),
          outcome,
          delivered,
        });
        if (!delivered) return this.climb(head);
        this.queue.shift();
        this.outbox?.settle(this.endpoint.clientId, this.endpoint.url, head.ids);
      }
    } finally {
      this.busy = false;
    }
  }

  private climb(head: Notification): void {
    if (this.switchedOff) return;
    const { ladder } = this.dials();
    const steps = ladder === 'old' ? oldLadder : currentLadder;
    if (ladder === 'old' && head.attempts > steps.length) {
      for (const { ids } of this.queue) this.outbox?.settle(this.endpoint.clientId, this.endpoint.url, ids);
      this.queue = [];
      this.stop();
      return;
    }
    const delay = steps[Math.min(head.attempts, steps.length) - 1]!;
    this.retryAt = this.clock.now() + delay;
    this.cancelRetry = this.clock.setTimer(delay, () => {
      this.retryAt = undefined;
      return this.pump();
    });
  }
}

export class Webhooks {
  private dials: WebhookDials = { ...initialDials };
  private random = seededRandom(initialDials.seed);
  private readonly queues = new Map<string, EndpointQueue>();
  private readonly log: Delivery[] = [];
  private sent = 0;
  private delivered = 0;

  /** `endpointsOf`: the endpoints of apps connected to the company now; nothing from before a connection is ever sent. */
  constructor(
    private readonly clock: TimedClock,
    private readonly endpointsOf: (realmId: string) => Iterable<Endpoint>,
    private readonly outbox?: Outbox,
  ) {}

  /** Queues what was owed before a restart, as far as its endpoint is still connected. */
  resume(owed: readonly Owed[]): void {
    for (const { clientId, url, event } of owed) {
      const endpoint = [...this.endpointsOf(event.realmId)].find((one) => one.clientId === clientId && one.url === url);
      if (endpoint) this.queueOf(endpoint).resume(event);
      else this.outbox?.settle(clientId, url, [event.id]);
    }
  }

  configure(patch: Partial<WebhookDials>): void {
    for (const name of Object.keys(patch)) {
      if (!(name in initialDials))
        throw new RangeError(`Webhooks have no dial '${name}'. Known: ${Object.keys(initialDials).join(', ')}.`);
    }
    const next = { ...this.dials, ...patch };
    if (next.maxDelayMs < next.minDelayMs) next.maxDelayMs = next.minDelayMs;
    this.dials = next;
    if (patch.seed !== undefined) this.random = seededRandom(patch.seed);
  }

  current(): WebhookDials {
    return { ...this.dials };
  }

  enqueue(realmId: string, change: Change): void {
    if (!this.dials.enabled) return;
    const verb = announcedVerb(change);
    if (verb === undefined) return;
    let event: Event | undefined;
    for (const endpoint of this.endpointsOf(realmId)) {
      // One event, one id, whoever receives it and however often.
      event ??= {
        id: randomUUID(),
        realmId,
        entity: change.type,
        entityId: change.id,
        verb,
        time: change.time,
        deletedId: change.deletedId,
        nanos: Math.floor(this.random() * 1_000_000),
      };
      this.queueOf(endpoint).accept(event);
    }
  }

  /** What was sent and what became of it, the last thousand, oldest first. */
  deliveries(): readonly Delivery[] {
    return this.log;
  }

  stats(): {
    sent: number;
    delivered: number;
    waiting: number;
    blocked: { url: string; attempts: number; nextTryAt: string }[];
  } {
    const queues = [...this.queues.values()];
    return {
      sent: this.sent,
      delivered: this.delivered,
      waiting: queues.reduce((sum, queue) => sum + queue.waiting, 0),
      blocked: queues
        .filter((queue) => queue.retryAt !== undefined)
        .map((queue) => ({
          url: queue.endpoint.url,
          attempts: queue.queue[0]?.attempts ?? 0,
          nextTryAt: new Date(queue.retryAt!).toISOString(),
        })),
    };
  }

  /** Forgets everything that waits; dials return to their start only if asked. */
  reset(dialsToo = true): void {
    for (const queue of this.queues.values()) queue.stop();
    this.queues.clear();
    this.log.length = 0;
    this.sent = 0;
    this.delivered = 0;
    if (dialsToo) this.dials = { ...initialDials };
    this.random = seededRandom(this.dials.seed);
  }

  private queueOf(endpoint: Endpoint): EndpointQueue {
    const key = `${endpoint.clientId} ${endpoint.url}`;
    let queue = this.queues.get(key);
    if (!queue) {
      queue = new EndpointQueue(
        endpoint,
        this.clock,
        () => this.dials,
        () => this.random(),
        (delivery) => this.record(delivery),
        this.outbox,
      );
      this.queues.set(key, queue);
    }
    queue.endpoint = endpoint;
    return queue;
  }

  private record(delivery: Delivery): void {
    this.sent++;
    if (delivery.delivered) this.delivered++;
    this.log.push(delivery);
    if (this.log.length > 1_000) this.log.shift();
  }
}

// Types and verbs without a webhook stay silent. A deactivation comes as Delete where the matrix knows it, else as Update.
function announcedVerb({ type, act }: Change): string | undefined {
  const allowed = announced.get(type);
  const verb = verbs[act];
  if (!allowed) return undefined;
  if (allowed.has(verb)) return verb;
  return (act === 'delete' || act === 'merge' || act === 'void') && allowed.has('updated') ? 'updated' : undefined;
}

/** The old format holds one company per notification; the new one mixes them freely. */
function batches(events: readonly Event[], format: Endpoint['format'], maxEvents: number): Event[][] {
  const groups = new Map<string, Event[]>();
  for (const event of events) {
    const key = format === 'legacy' ? event.realmId : '';
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  const size = Math.max(1, maxEvents);
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / size) }, (_, n) => group.slice(n * size, (n + 1) * size)),
  );
}

function cloudEventsBody(events: readonly Event[], { voidVerb }: WebhookDials): string {
  return JSON.stringify(
    events.map((event) => ({
      specversion: '1.0',
      id: event.id,
      source: `intuit.${Buffer.from(`qbo:${event.realmId}`).toString('base64')}`,
      type: `qbo.${event.entity.toLowerCase()}.${event.verb === 'void' ? voidVerb : event.verb}.v1`,
      datacontenttype: 'application/json',
      time: `${new Date(event.time).toISOString().slice(0, -1)}${String(event.nanos).padStart(6, '0')}Z`,
      intuitentityid: event.entityId,
      intuitaccountid: event.realmId,
      data: event.deletedId === undefined ? {} : { deletedid: event.deletedId },
    })),
  );
}

function legacyBody(events: readonly Event[]): string {
  const entities = events.map(({ entity, entityId, verb, time, deletedId }) => ({
    name: entity,
    id: entityId,
    operation: legacyOperations[verb],
    lastUpdated: new Date(time).toISOString(),
    ...(deletedId === undefined ? {} : { deletedId }),
  }));
  return JSON.stringify({ eventNotifications: [{ realmId: events[0]!.realmId, dataChangeEvent: { entities } }] });
}

export function signature(body: string, verifierToken: string): string {
  return createHmac('sha256', verifierToken).update(body).digest('base64');
}

/** The HTTP status, or the reason there was none. The three seconds are of real time: the receiver lives in it. */
function send(endpoint: Endpoint, notification: Notification, dials: WebhookDials): Promise<number | string> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const settle = (outcome: number | string): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    try {
      const url = new URL(endpoint.url);
      const headers = {
        'content-type': endpoint.format === 'legacy' ? 'application/json' : dials.contentType,
        'content-length': Buffer.byteLength(notification.body),
        'intuit-signature': signature(notification.body, endpoint.verifierToken),
        'intuit-t-id': randomUUID(),
        'intuit-created-time': new Date(notification.createdAt).toISOString(),
        'intuit-notification-schema-version': '1.0.1',
        'user-agent': 'intuit_notification_server/1.0',
        connection: 'close',
      };
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
        url,
        { method: 'POST', headers, agent: false },
        (response) => {
          response.resume();
          settle(response.statusCode ?? 0);
        },
      );
      timer = setTimeout(() => {
        settle('timeout');
        request.destroy();
      }, dials.answerWithinMs);
      request.on('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
      request.end(notification.body);
    } catch (error) {
      settle(error instanceof Error ? error.message : 'unusable address');
    }
  });
}

function shuffleInPlace<T>(list: T[], random: () => number): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
}
