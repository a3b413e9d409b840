// Wires the mapper: changes in, desired entities out, rules from PostgreSQL.
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { databaseSettings, jobSettings, kafkaSettings } from '#common/config';
import type { Values } from '#common/config';
import { KafkaModule } from '#kafka';
import { Links, MappingLayers, StorageModule } from '#storage';
import { ChangesController } from './changes.controller.js';
import { ChangesMapping } from './changes.mapping.js';
import { JOB_LEASE_MS, ReplayWorker } from './replay/replay-worker.js';

export const mapperSettings = { ...databaseSettings, ...kafkaSettings, ...jobSettings };
export type MapperConfig = Values<typeof mapperSettings>;

@Module({})
export class MapperModule {
  static forRoot(config: MapperConfig): DynamicModule {
    return {
      module: MapperModule,
      imports: [
        StorageModule.forRoot({ ...config, applicationName: 'mapper' }),
        KafkaModule.forRoot({ ...config, clientId: 'mapper' }),
      ],
      controllers: [ChangesController],
      providers: [
        Links,
        MappingLayers,
        ChangesMapping,
        { provide: JOB_LEASE_MS, useValue: config.jobLeaseMs },
        ReplayWorker,
      ],
    };
  }
}
