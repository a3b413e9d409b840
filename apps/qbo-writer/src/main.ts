// The writer as a process.
import 'reflect-metadata';
import { runService } from '#common/lifecycle';
import { BatchServer, KafkaClient } from '#kafka';
import { ConsumerPlaces } from '#storage';
import { writerSettings } from './settings.js';
import { intakeGroup, WriterModule } from './writer.module.js';

await runService({
  name: 'qbo-writer',
  config: writerSettings,
  module: (config) => WriterModule.forRoot(config),
  microservice: (app) => {
    const places = app.get(ConsumerPlaces);
    // What was desired is mapped again from the log of changes.
    const logLost = (topic: string) => places.rebuild('replay', `Kafka lost records of ${topic}`);
    return new BatchServer({ client: app.get(KafkaClient), groupId: intakeGroup, places, logLost });
  },
});
