// What is counted and logged of every call, circuit and token, in every app alike.
import { createLog } from '#common/logging';
import type { BreakerScope, BreakerState } from './circuit/breakers.js';
import type { CustodyEvents } from './oauth/custody.js';
import type { CallFacts } from './ports.js';
import * as metrics from './qbo.metrics.js';

// What Intuit meters as reads ("CorePlus"); an upload or a write is free.
const reads: readonly CallFacts['call'][] = ['query', 'cdc', 'read', 'download', 'report', 'companyinfo'];

export class Observed implements CustodyEvents {
  private readonly openRealms = new Set<string>();

  constructor() {
    // There from the first scrape on: an alert cannot tell "never opened" from "not measured".
    metrics.breakerOpen.set({ scope: 'platform' }, 0);
    metrics.breakerOpen.set({ scope: 'realm' }, 0);
    metrics.throttledTotal.inc(0);
  }

  called({ call, outcome, waitedMs, tookMs }: CallFacts): void {
    metrics.callSeconds.observe({ call, outcome }, tookMs / 1_000);
    metrics.quotaWaitSeconds.observe({ call }, waitedMs / 1_000);
    if (outcome === 'throttled') metrics.throttledTotal.inc();
    if (outcome !== 'unsent' && reads.includes(call)) metrics.readsTotal.inc({ call });
  }

  breakerChanged(scope: BreakerScope, state: BreakerState, realm?: string): void {
    createLog('breaker').warn({ scope, state, realm }, 'circuit changed');
    if (scope === 'platform') return metrics.breakerOpen.set({ scope }, state === 'closed' ? 0 : 1);
    // A circuit that fails its trial opens again without having closed: companies are counted, not events.
    if (state === 'closed') this.openRealms.delete(realm!);
    else this.openRealms.add(realm!);
    metrics.breakerOpen.set({ scope }, this.openRealms.size);
  }

  renewed({ realmId, outcome, reason }: { realmId: string; outcome: string; reason?: string }): void {
    metrics.tokenRenewals.inc({ outcome });
    createLog('custody').info({ realm: realmId, outcome, reason }, 'access token renewed');
  }
}
