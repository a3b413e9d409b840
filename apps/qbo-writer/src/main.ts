// The writer as a process.
import 'reflect-metadata';
import { runService } from '#common/lifecycle';
import { BatchServer, KafkaClient } from '#kafka';
import { writerSettings } from './settings.js';
import { WriterModule } from './writer.module.js';

await runService({
  name: 'qbo-writer',
  config: writerSettings,
  module: (config) => WriterModule.forRoot(config),
  microservice: (app) => new BatchServer({ client: app.get(KafkaClient), groupId: 'sync-qbo-writer' }),
});
