// Wiring for the apps: environment, custody, breakers and client from settings and two ports.
import { Inject, Module, type DynamicModule, type InjectionToken, type OnApplicationShutdown } from '@nestjs/common';
import { CLOCK, type Clock } from '#common/clock';
import { Breakers, type BreakerScope, type BreakerState } from './circuit/breakers.js';
import { QboClient } from './client.js';
import { qboEnvironment } from './environment.js';
import { TokenCustody, type CustodyEvents, type GrantStore } from './oauth/custody.js';
import { IntuitTokens } from './oauth/intuit.js';
import { TokenSeal } from './oauth/seal.js';
import type { CallFacts, GovernorGate } from './ports.js';

export interface QboSettings {
  qboEnvironment: string;
  qboClientId: string;
  qboClientSecret: string;
  /** base64, 32 bytes */
  tokenKey: string;
}

export interface QboObserver extends CustodyEvents {
  called?(facts: CallFacts): void;
  breakerChanged?(scope: BreakerScope, state: BreakerState, realmId?: string): void;
}

export interface QboModuleOptions {
  /** which of our processes asks; QBO sees it as User-Agent. To its limits all of them are one app: the Intuit app */
  app: string;
  settings: QboSettings;
  /** provider of a GrantStore */
  grants: InjectionToken;
  /** provider of a GovernorGate */
  gate: InjectionToken;
  /** provider of a QboObserver */
  observer?: InjectionToken;
}

@Module({})
export class QboModule implements OnApplicationShutdown {
  constructor(@Inject(QboClient) private readonly client: QboClient) {}

  static forRoot(options: QboModuleOptions): DynamicModule {
    const environment = qboEnvironment(options.settings.qboEnvironment);
    const observer: InjectionToken[] = options.observer === undefined ? [] : [options.observer];
    return {
      module: QboModule,
      global: true,
      providers: [
        {
          provide: IntuitTokens,
          useFactory: () =>
            new IntuitTokens({
              environment,
              clientId: options.settings.qboClientId,
              clientSecret: options.settings.qboClientSecret,
            }),
        },
        {
          provide: TokenCustody,
          inject: [options.grants, IntuitTokens, CLOCK, ...observer],
          useFactory: (grants: GrantStore, endpoint: IntuitTokens, clock: Clock, events?: QboObserver) =>
            new TokenCustody({
              grants,
              endpoint,
              clock,
              seal: new TokenSeal(Buffer.from(options.settings.tokenKey, 'base64')),
              ...(events ? { events } : {}),
            }),
        },
        {
          provide: QboClient,
          inject: [TokenCustody, options.gate, CLOCK, ...observer],
          useFactory: (tokens: TokenCustody, gate: GovernorGate, clock: Clock, events?: QboObserver) =>
            new QboClient({
              environment,
              tokens,
              gate,
              clock,
              app: options.settings.qboClientId,
              userAgent: `qbo-sync/${options.app}`,
              breakers: new Breakers((scope, state, realmId) => events?.breakerChanged?.(scope, state, realmId)),
              ...(events?.called ? { observe: (facts: CallFacts) => events.called?.(facts) } : {}),
            }),
        },
      ],
      exports: [QboClient, TokenCustody, IntuitTokens],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
