// The attachment worker as a process.
import 'reflect-metadata';
import { runService } from '#common/lifecycle';
import { BatchServer, KafkaClient } from '#kafka';
import { AttachmentWorkerModule } from './attachment-worker.module.js';
import { attachmentSettings } from './settings.js';

await runService({
  name: 'attachment-worker',
  config: attachmentSettings,
  module: (config) => AttachmentWorkerModule.forRoot(config),
  microservice: (app) => new BatchServer({ client: app.get(KafkaClient), groupId: 'sync-attachment-worker' }),
});
