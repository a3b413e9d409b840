// Wires the audit app: consumers that write the sync log and the audit chain, and the API that reads them.
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { databaseSettings, kafkaSettings, secret } from '#common/config';
import type { Values } from '#common/config';
import { KafkaModule } from '#kafka';
import { AttachmentReport, LinkReport, StorageModule } from '#storage';
import { AuditLogController } from './audit-log.controller.js';
import { ConsumersController } from './consumers.controller.js';
import { Partitions } from './partitions.js';
import { ADMIN_KEY, AdminKeyGuard, ProblemFilter, validation } from '#common/problems';
import { SyncLogController } from './sync-log.controller.js';

export const auditSettings = {
  ...databaseSettings,
  ...kafkaSettings,
  adminKey: secret('SYNC_ADMIN_KEY', {
    doc: 'Key of the admin API; sent as "Authorization: Bearer <key>".',
    minLength: 16,
    unit: 'at least 16 characters',
  }),
};

export type AuditConfig = Values<typeof auditSettings>;

export const auditGroup = 'sync-audit';

@Module({})
export class AuditModule {
  static forRoot(config: AuditConfig): DynamicModule {
    return {
      module: AuditModule,
      imports: [
        StorageModule.forRoot({ ...config, applicationName: 'audit' }),
        KafkaModule.forRoot({ ...config, clientId: 'audit' }),
      ],
      controllers: [ConsumersController, SyncLogController, AuditLogController],
      providers: [
        { provide: ADMIN_KEY, useValue: config.adminKey },
        { provide: APP_GUARD, useClass: AdminKeyGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useValue: validation },
        AttachmentReport,
        LinkReport,
        Partitions,
      ],
    };
  }
}
