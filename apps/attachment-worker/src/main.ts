// The attachment worker as a process.
import 'reflect-metadata';
import { runService } from '#common/lifecycle';
import { BatchServer, KafkaClient } from '#kafka';
import { ConsumerPlaces } from '#storage';
import { AttachmentWorkerModule } from './attachment-worker.module.js';
import { attachmentSettings } from './settings.js';

await runService({
  name: 'attachment-worker',
  config: attachmentSettings,
  module: (config) => AttachmentWorkerModule.forRoot(config),
  microservice: (app) => {
    const places = app.get(ConsumerPlaces);
    const logLost = (topic: string) => places.rebuild('replay', `Kafka lost records of ${topic}`);
    return new BatchServer({ client: app.get(KafkaClient), groupId: 'sync-attachment-worker', places, logLost });
  },
});
