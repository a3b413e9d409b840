// Kafka for an app: one client per process, ready (topics there, schemas registered) before anything that uses it is made.
import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationShutdown } from '@nestjs/common';
import { CLOCK } from '#common/clock';
import type { Clock } from '#common/clock';
import { Health } from '#common/health';
import { Lifecycle } from '#common/lifecycle';
import { GroupLag } from './group-lag.js';
import { KafkaClient } from './kafka-client.js';
import type { KafkaOptions } from './kafka-client.js';
import { EventProducer } from './producer.js';
import { TopicReader } from './topic-reader.js';

@Module({})
export class KafkaModule implements OnApplicationShutdown {
  constructor(@Inject(KafkaClient) private readonly client: KafkaClient) {}

  static forRoot(o: KafkaOptions): DynamicModule {
    const part = <T>(provide: abstract new (...args: never[]) => T, from: (client: KafkaClient) => T) => ({
      provide,
      inject: [KafkaClient],
      useFactory: from,
    });
    return {
      module: KafkaModule,
      global: true,
      providers: [
        {
          provide: KafkaClient,
          inject: [CLOCK, Lifecycle, Health],
          useFactory: async (clock: Clock, lifecycle: Lifecycle, health: Health) => {
            const client = await KafkaClient.connect(o, { clock, health, signal: lifecycle.stopping });
            health.register('kafka', () => client.answers());
            return client;
          },
        },
        part(EventProducer, (client) => client.producer),
        part(TopicReader, (client) => client.reader),
        part(GroupLag, (client) => client.lag),
      ],
      exports: [KafkaClient, EventProducer, TopicReader, GroupLag],
    };
  }

  // After consumers have closed (runService closes them first), so that their last commits and letters are out.
  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
