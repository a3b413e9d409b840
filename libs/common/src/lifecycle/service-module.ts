// What every app has without asking: clock, lifecycle, health, the two small controllers, logs. Global.
import { Module } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import { CLOCK } from '../clock/index.js';
import type { Clock } from '../clock/index.js';
import { Health, HealthController } from '../health/index.js';
import { loggingModule } from '../logging/index.js';
import { MetricsController } from '../metrics/index.js';
import { Lifecycle } from './lifecycle.js';

export interface Process {
  clock: Clock;
  lifecycle: Lifecycle;
  health: Health;
}

@Module({})
export class ServiceModule {
  static forRoot(o: Process & { app?: Type | DynamicModule }): DynamicModule {
    return {
      module: ServiceModule,
      global: true,
      imports: [loggingModule(), ...(o.app ? [o.app] : [])],
      controllers: [HealthController, MetricsController],
      providers: [
        { provide: CLOCK, useValue: o.clock },
        { provide: Lifecycle, useValue: o.lifecycle },
        { provide: Health, useValue: o.health },
      ],
      exports: [CLOCK, Lifecycle, Health],
    };
  }
}
