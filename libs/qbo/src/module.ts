// Wiring for the apps: environment, custody, breakers and client from settings and two ports.
import { Inject, Module, type DynamicModule, type InjectionToken, type OnApplicationShutdown } from '@nestjs/common';
import { CLOCK, type Clock } from '#common/clock';
import { Breakers } from './circuit/breakers.js';
import { QboClient } from './client.js';
import { qboEnvironment } from './environment.js';
import { TokenCustody, type GrantStore } from './oauth/custody.js';
import { IntuitTokens } from './oauth/intuit.js';
import { TokenSeal } from './oauth/seal.js';
import { Observed } from './observed.js';
import type { GovernorGate } from './ports.js';

export interface QboSettings {
  qboEnvironment: string;
  qboClientId: string;
  qboClientSecret: string;
  /** base64, 32 bytes */
  tokenKey: string;
  /** the same; the key before, during a rotation */
  tokenKeyPrevious?: string | undefined;
}

export interface QboModuleOptions {
  /** which of our processes asks; QBO sees it as User-Agent. To its limits all of them are one app: the Intuit app */
  app: string;
  settings: QboSettings;
  /** provider of a GrantStore */
  grants: InjectionToken;
  /** provider of a GovernorGate */
  gate: InjectionToken;
}

const sealOf = ({ tokenKey, tokenKeyPrevious }: QboSettings): TokenSeal =>
  new TokenSeal(
    Buffer.from(tokenKey, 'base64'),
    tokenKeyPrevious === undefined ? undefined : Buffer.from(tokenKeyPrevious, 'base64'),
  );

@Module({})
export class QboModule implements OnApplicationShutdown {
  constructor(@Inject(QboClient) private readonly client: QboClient) {}

  static forRoot(options: QboModuleOptions): DynamicModule {
    const environment = qboEnvironment(options.settings.qboEnvironment);
    const observed = new Observed();
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
        { provide: TokenSeal, useFactory: () => sealOf(options.settings) },
        {
          provide: TokenCustody,
          inject: [options.grants, IntuitTokens, CLOCK, TokenSeal],
          useFactory: (grants: GrantStore, endpoint: IntuitTokens, clock: Clock, seal: TokenSeal) =>
            new TokenCustody({
              grants,
              endpoint,
              clock,
              seal,
              events: observed,
            }),
        },
        {
          provide: QboClient,
          inject: [TokenCustody, options.gate, CLOCK],
          useFactory: (tokens: TokenCustody, gate: GovernorGate, clock: Clock) =>
            new QboClient({
              environment,
              tokens,
              gate,
              clock,
              app: options.settings.qboClientId,
              userAgent: `qbo-sync/${options.app}`,
              breakers: new Breakers((scope, state, realmId) => observed.breakerChanged(scope, state, realmId)),
              observe: (facts) => observed.called(facts),
            }),
        },
      ],
      exports: [QboClient, TokenCustody, IntuitTokens, TokenSeal],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
