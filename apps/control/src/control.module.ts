// Wires the admin API: storage, Kafka (outbox relay, lag), QBO (to check grants), routes.
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { databaseSettings, kafkaSettings, qboSettings, secret } from '#common/config';
import type { Values } from '#common/config';
import { Lifecycle } from '#common/lifecycle';
import { createLog } from '#common/logging';
import { EventProducer, KafkaModule } from '#kafka';
import { QboModule } from '#qbo';
import {
  AttachmentReport,
  Database,
  GovernorStore,
  Grants,
  LinkReport,
  MappingLayers,
  OutboxRelay,
  StorageModule,
} from '#storage';
import { AuditTrail } from './audit-trail.js';
import { CompaniesController } from './companies/companies.controller.js';
import { CompanyConnection } from './companies/company-connection.js';
import { PlatformController } from './companies/platform.controller.js';
import { ReadsController } from './companies/reads.controller.js';
import { LookRequest } from './companies/look-request.js';
import { KeyReplacement } from './companies/key-replacement.js';
import { MappingController } from './mapping/mapping.controller.js';
import { OrganizationsController } from './organizations/organizations.controller.js';
import { ADMIN_KEY, AdminKeyGuard, ProblemFilter, validation } from '#common/problems';
import { RollbackCommand } from './rollback/rollback-command.js';
import { RollbackController } from './rollback/rollback.controller.js';
import { RollbackLoop } from './rollback/rollback-loop.js';
import { JobsController } from './syncs/jobs.controller.js';
import { KafkaLag } from './syncs/kafka-lag.js';
import { LinkRedrive } from './syncs/link-redrive.js';
import { PreflightCheck } from './syncs/preflight-check.js';
import { SyncCommands } from './syncs/sync-commands.js';
import { SyncStatus } from './syncs/sync-status.js';
import { SyncsController } from './syncs/syncs.controller.js';
import { ValidationCheck } from './validation/validation-check.js';
import { ValidationController } from './validation/validation.controller.js';
import { Watch } from './watch/watch.js';

const { qboWebhookVerifierToken: _theDoorChecksSignatures, ...qbo } = qboSettings;

export const controlSettings = {
  ...databaseSettings,
  ...kafkaSettings,
  ...qbo,
  adminKey: secret('SYNC_ADMIN_KEY', {
    doc: 'Key of the admin API; sent as "Authorization: Bearer <key>".',
    minLength: 16,
    unit: 'at least 16 characters',
  }),
};

export type ControlConfig = Values<typeof controlSettings>;

@Module({})
export class ControlModule {
  static forRoot(config: ControlConfig): DynamicModule {
    return {
      module: ControlModule,
      imports: [
        StorageModule.forRoot({ ...config, applicationName: 'control' }),
        KafkaModule.forRoot({ ...config, clientId: 'control' }),
        QboModule.forRoot({ app: 'control', settings: config, grants: Grants, gate: GovernorStore }),
      ],
      controllers: [
        OrganizationsController,
        CompaniesController,
        SyncsController,
        RollbackController,
        ValidationController,
        JobsController,
        MappingController,
        PlatformController,
        ReadsController,
      ],
      providers: [
        { provide: ADMIN_KEY, useValue: config.adminKey },
        { provide: APP_GUARD, useClass: AdminKeyGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useValue: validation },
        {
          provide: OutboxRelay,
          inject: [Database, EventProducer, CLOCK, Lifecycle],
          useFactory: (db: Database, producer: EventProducer, clock: Clock, lifecycle: Lifecycle) => {
            const relay = new OutboxRelay(db, producer, { clock, log: createLog('outbox') });
            relay.start();
            lifecycle.onDrain('outbox', () => relay.stop());
            return relay;
          },
        },
        AttachmentReport,
        AuditTrail,
        CompanyConnection,
        KafkaLag,
        KeyReplacement,
        LinkRedrive,
        LinkReport,
        LookRequest,
        MappingLayers,
        PreflightCheck,
        RollbackCommand,
        RollbackLoop,
        SyncCommands,
        SyncStatus,
        ValidationCheck,
        Watch,
      ],
    };
  }
}
