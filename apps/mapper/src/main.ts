// The mapper: change -> desired target entity, by the tenant's layered mapping.
import { runService } from '#common/lifecycle';
import { BatchServer, KafkaClient } from '#kafka';
import { ConsumerPlaces } from '#storage';
import { MapperModule, mapperSettings } from './mapper.module.js';

void runService({
  name: 'mapper',
  config: mapperSettings,
  module: (config) => MapperModule.forRoot(config),
  microservice: (app) => {
    const places = app.get(ConsumerPlaces);
    // Only the source has what the log of changes held.
    const logLost = (topic: string) => places.rebuild('backfill', `Kafka lost records of ${topic}`);
    return new BatchServer({ client: app.get(KafkaClient), groupId: 'sync-mapper', places, logLost });
  },
});
