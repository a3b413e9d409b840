// The mapper: change -> desired target entity, by the tenant's layered mapping.
import { runService } from '#common/lifecycle';
import { BatchServer, KafkaClient } from '#kafka';
import { MapperModule, mapperSettings } from './mapper.module.js';

void runService({
  name: 'mapper',
  config: mapperSettings,
  module: (config) => MapperModule.forRoot(config),
  microservice: (app) => new BatchServer({ client: app.get(KafkaClient), groupId: 'sync-mapper' }),
});
