// The sync log and the audit chain: written from the topics, read over HTTP.
import { runService } from '#common/lifecycle';
import { BatchServer, KafkaClient } from '#kafka';
import { ConsumerPlaces } from '#storage';
import { auditGroup, AuditModule, auditSettings } from './audit.module.js';

void runService({
  name: 'audit',
  config: auditSettings,
  module: (config) => AuditModule.forRoot(config),
  microservice: (app) =>
    new BatchServer({ client: app.get(KafkaClient), groupId: auditGroup, places: app.get(ConsumerPlaces) }),
});
