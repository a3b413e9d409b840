// The yardstick of the webhook benchmark: Fastify that parses the body and publishes it as durably as the door does, and
// nothing else (no signature, no realms, no metrics, no Nest). A process of its own, like the door.
import Fastify from 'fastify';
import { eventIdOf, topics } from '#contracts';
import { KafkaClient } from '#kafka';

const env = process.env;
const client = await KafkaClient.connect({
  brokers: env.SYNC_KAFKA_BROKERS!.split(','),
  registryUrl: env.SYNC_REGISTRY_URL!,
  topicPrefix: env.SYNC_TOPIC_PREFIX!,
  clientId: 'bench-bare',
});
const fastify = Fastify();
fastify.removeAllContentTypeParsers();
fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
fastify.post('/webhooks/intuit', async (request) => {
  const events = JSON.parse((request.body as Buffer).toString('utf8')) as { intuitaccountid: string; id: string }[];
  const now = new Date();
  await client.producer.publishAll(
    events.map((event) => ({
      topic: topics.notifications.name,
      key: event.intuitaccountid,
      id: eventIdOf(event.id),
      time: now,
      value: { realmId: event.intuitaccountid, source: 'webhook', receivedAt: now.toISOString(), entities: [] },
    })),
  );
  return { accepted: events.length };
});
await fastify.listen({ host: '127.0.0.1', port: Number(env.SYNC_HTTP_PORT ?? 0) });
const { port } = fastify.server.address() as { port: number };
process.stdout.write(`listening on ${port}\n`);
process.on('SIGTERM', () => process.exit(0));
