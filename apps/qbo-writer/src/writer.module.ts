// Wiring of the writer: stores, Kafka, the QBO client, the outbox relay and the loops.
import { Inject, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK, type Clock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { sweepSlowness } from '#core';
import { EventProducer, KafkaClient, KafkaModule } from '#kafka';
import { QboClient, QboModule } from '#qbo';
import {
  CallRetention,
  Companies,
  ConsumerPlaces,
  Database,
  GovernorStore,
  Grants,
  Links,
  MappingLayers,
  OutboxRelay,
  RealmLeases,
  RealmWork,
  StorageModule,
  Syncs,
  Turns,
  defaultTurns,
  type Lane,
} from '#storage';
import { IntakeController } from './intake/intake.controller.js';
import * as metrics from './qbo-writer.metrics.js';
import { Recall } from './recall/recall.js';
import { RealmWriter } from './realm/realm-writer.js';
import { Writers } from './realm/writers.js';
import type { WriterSettings } from './settings.js';
import { observeRunnableAge } from './runnable-age.js';

const maxLoopSilenceMs = 30_000;
/** The group that takes in what is desired. */
export const intakeGroup = 'sync-qbo-writer';

@Module({})
export class WriterModule implements OnApplicationBootstrap {
  constructor(
    @Inject(Writers) private readonly writers: Writers,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
    @Inject(CallRetention) private readonly retention: CallRetention,
    @Inject(Recall) private readonly recall: Recall,
    @Inject(Lifecycle) private readonly lifecycle: Lifecycle,
  ) {}

  static forRoot(settings: WriterSettings): DynamicModule {
    return {
      module: WriterModule,
      imports: [
        StorageModule.forRoot({ ...settings, applicationName: 'qbo-writer' }),
        KafkaModule.forRoot({ ...settings, clientId: 'qbo-writer' }),
        QboModule.forRoot({ app: 'qbo-writer', settings, grants: Grants, gate: GovernorStore }),
      ],
      controllers: [IntakeController],
      providers: [
        { provide: MappingLayers, inject: [Database], useFactory: (db: Database) => new MappingLayers(db) },
        { provide: Links, inject: [Database], useFactory: (db: Database) => new Links(db) },
        {
          provide: OutboxRelay,
          inject: [Database, EventProducer, CLOCK],
          useFactory: (db: Database, producer: EventProducer, clock: Clock) =>
            new OutboxRelay(db, producer, { clock, log: createLog('outbox') }),
        },
        {
          provide: CallRetention,
          inject: [Database, CLOCK],
          useFactory: (db: Database, clock: Clock) =>
            new CallRetention(db, { clock, log: createLog('retention'), keepMs: settings.callsKeptMs }),
        },
        {
          provide: Recall,
          inject: [Database, ConsumerPlaces, KafkaClient, CLOCK, Lifecycle],
          useFactory: (
            db: Database,
            places: ConsumerPlaces,
            kafka: KafkaClient,
            clock: Clock,
            { stopping }: Lifecycle,
          ) =>
            new Recall({
              db,
              places,
              kafka,
              reader: kafka.reader,
              clock,
              log: createLog('recall'),
              intakeGroup,
              stopping,
            }),
        },
        {
          provide: Writers,
          inject: [
            Database,
            Links,
            Syncs,
            MappingLayers,
            Companies,
            Grants,
            QboClient,
            RealmLeases,
            RealmWork,
            GovernorStore,
            OutboxRelay,
            CLOCK,
            Health,
          ],
          useFactory: (
            db: Database,
            links: Links,
            syncs: Syncs,
            layers: MappingLayers,
            companies: Companies,
            grants: Grants,
            client: QboClient,
            leases: RealmLeases,
            work: RealmWork,
            governor: GovernorStore,
            relay: OutboxRelay,
            clock: Clock,
            health: Health,
          ) => {
            const log = createLog('writer');
            observeRunnableAge(links, clock);
            const ports = {
              db,
              links,
              work,
              syncs,
              layers,
              companies,
              grants,
              client,
              clock,
              log,
              random: Math.random,
              outlook: (realmId: string, lane: Lane) => governor.outlook(realmId, lane),
              sweepSlowness: () => sweepSlowness(governor.reads.month?.guard ?? 'none'),
              announced: () => relay.wake(),
            };
            return new Writers(
              {
                purpose: 'writer',
                work,
                leases,
                clock,
                log,
                open: (realmId, fence, seat) => new RealmWriter(realmId, fence, seat, ports, settings),
                turns: new Turns(clock, { ...defaultTurns, rowsInHand: settings.rowsInHand }),
                watchdog: health.watchdog('writers', { maxSilenceMs: maxLoopSilenceMs }),
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
    this.retention.start();
    // Not awaited: after a restore it waits for the intake, which begins when everything is bootstrapped.
    const begun = this.begin();
    this.lifecycle.onDrain('recall', () => begun);
    this.lifecycle.onDrain('writers', () => this.writers.stop());
    this.lifecycle.onDrain('retention', () => this.retention.stop());
    this.lifecycle.onDrain('outbox', () => this.relay.drain());
  }

  private async begin(): Promise<void> {
    await this.recall.before();
    if (this.lifecycle.stopping.aborted) return;
    this.writers.start();
    await this.recall.run();
  }
}
