// ingest: the webhook door, the capture loop, backfill jobs.
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { KafkaModule } from '#kafka';
import { QboModule } from '#qbo';
import { GovernorStore, Grants, StorageModule } from '#storage';
import { BackfillLoop } from './backfill/backfill-loop.js';
import { CaptureLoop } from './capture/capture-loop.js';
import { NotificationsController } from './capture/notifications.controller.js';
import { WebhookDoor } from './door/webhook-door.js';
import type { Settings } from './settings.js';
import { SETTINGS } from './tokens.js';

@Module({})
export class IngestModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: IngestModule,
      imports: [
        StorageModule.forRoot({ ...settings, applicationName: 'ingest' }),
        KafkaModule.forRoot({ ...settings, clientId: 'ingest' }),
        QboModule.forRoot({ app: 'sync', settings, grants: Grants, gate: GovernorStore }),
      ],
      controllers: [NotificationsController],
      providers: [{ provide: SETTINGS, useValue: settings }, WebhookDoor, CaptureLoop, BackfillLoop],
    };
  }
}
