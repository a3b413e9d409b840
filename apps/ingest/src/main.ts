// The ingest process.
import { runService } from '#common/lifecycle';
import { BatchServer, KafkaClient } from '#kafka';
import { ConsumerPlaces } from '#storage';
import { IngestModule } from './ingest.module.js';
import { settings } from './settings.js';

await runService({
  name: 'ingest',
  config: settings,
  module: (config) => IngestModule.forRoot(config),
  microservice: (app) =>
    new BatchServer({ client: app.get(KafkaClient), groupId: 'sync-ingest', places: app.get(ConsumerPlaces) }),
});
