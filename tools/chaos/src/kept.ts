// From a run's journal: when it kept somebody's edits waiting. An act against our own processes and connections is felt by everybody,
// from its blow until the canary arrives again; one of QuickBooks by its company, until that one is called with success again. What
// leaves the way open keeps nobody waiting: webhooks that are lost (the sweep brings it), a writer more or less. Pure.
import type { KeptWaiting } from '../../verify/src/evidence.js';
import type { Entry, Stamped } from './journal.js';
import type { Act } from './plan.js';
import { kindOf } from './recovery.js';

export function keptOf(journal: readonly Stamped<Entry>[]): KeptWaiting[] {
  const companies = journal.find((entry) => entry.what === 'companies')?.realmIds ?? [];
  const last = journal.at(-1);
  return journal.flatMap((entry) => {
    if (entry.what !== 'act') return [];
    const { n, act } = entry.planned;
    const whom = keptBy(act, companies);
    const ended = (what: 'recovered' | 'healed'): Stamped<Entry> | undefined =>
      journal.find((one) => one.what === what && one.n === n);
    const until = ended('recovered') ?? ended('healed') ?? last!;
    return whom === undefined
      ? []
      : [{ fromMs: Date.parse(entry.at), toMs: Date.parse(until.at), whom, why: kindOf(act) }];
  });
}

function keptBy(act: Act, companies: readonly string[]): string | undefined {
  switch (act.kind) {
    case 'quickbooks':
    case 'grant-revoked':
      return companies[act.company];
    case 'webhooks':
    case 'writer-added':
    case 'writer-removed':
      return undefined;
    default:
      return 'everybody';
  }
}
