// Wiring of the attachment worker: stores, Kafka, the QBO client, the outbox relay and the loops.
import { Inject, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK, type Clock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { EventProducer, KafkaModule } from '#kafka';
import { QboClient, QboModule } from '#qbo';
import {
  AttachmentLinks,
  Database,
  GovernorStore,
  Grants,
  OutboxRelay,
  RealmLeases,
  RealmWork,
  StorageModule,
} from '#storage';
import { IntakeController } from './intake.controller.js';
import * as metrics from './attachment.metrics.js';
import { Carriers } from './realm/carriers.js';
import { RealmCarrier } from './realm/realm-carrier.js';
import type { AttachmentSettings } from './settings.js';

/** Name at the governor: the platform counts seconds and flights per app, and it is one app to Intuit. */
const app = 'sync';
const maxLoopSilenceMs = 60_000;

@Module({})
export class AttachmentWorkerModule implements OnApplicationBootstrap {
  constructor(
    @Inject(Carriers) private readonly carriers: Carriers,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  static forRoot(settings: AttachmentSettings): DynamicModule {
    return {
      module: AttachmentWorkerModule,
      imports: [
        StorageModule.forRoot({ ...settings, applicationName: 'attachment-worker' }),
        KafkaModule.forRoot({ ...settings, clientId: 'attachment-worker' }),
        QboModule.forRoot({ app, settings, grants: Grants, gate: GovernorStore }),
      ],
      controllers: [IntakeController],
      providers: [
        { provide: AttachmentLinks, inject: [Database], useFactory: (db: Database) => new AttachmentLinks(db) },
        {
          provide: OutboxRelay,
          inject: [Database, EventProducer, CLOCK],
          useFactory: (db: Database, producer: EventProducer, clock: Clock) =>
            new OutboxRelay(db, producer, { clock, log: createLog('outbox') }),
        },
        {
          provide: Carriers,
          inject: [Database, AttachmentLinks, Grants, QboClient, RealmLeases, RealmWork, OutboxRelay, CLOCK, Health],
          useFactory: (
            db: Database,
            links: AttachmentLinks,
            grants: Grants,
            client: QboClient,
            leases: RealmLeases,
            work: RealmWork,
            relay: OutboxRelay,
            clock: Clock,
            health: Health,
          ) => {
            const log = createLog('attachments');
            const ports = {
              links,
              work,
              client,
              clock,
              log,
              random: Math.random,
              reconnectNeeded: (realmId: string, reason: string) => grants.markReconnectNeeded(db, realmId, reason),
              announced: () => relay.wake(),
            };
            return new Carriers(
              {
                purpose: 'attachments',
                work,
                leases,
                clock,
                log,
                open: (realmId, fence, seat) => new RealmCarrier(realmId, fence, seat, ports, settings),
                watchdog: health.watchdog('carriers', { maxSilenceMs: maxLoopSilenceMs }),
                owned: (realms) => metrics.realmsOwned.set(realms),
              },
              { leaseMs: settings.leaseMs },
            );
          },
        },
      ],
    };
  }

  onApplicationBootstrap(): void {
    this.relay.start();
    this.carriers.start();
    this.lifecycle.onDrain('carriers', () => this.carriers.stop());
    this.lifecycle.onDrain('outbox', () => this.relay.drain());
  }
}
