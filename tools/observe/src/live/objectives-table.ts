// What was promised and how it stands, from a real Prometheus: each objective with its value over the time watched and the
// state of the alerts that guard it.
import { alerts, objectives } from '../alerts/index.js';
import type { Objective } from '../alerts/index.js';
import type { LiveRule, Prometheus } from './prometheus.js';

export const header = ['objective', 'promised', 'value', 'budget used', 'alerts'];

/** Correctness has no budget: one is enough. */
const withoutBudget = [
  { says: 'No amount differs without a known reason', expr: 'max(sync_reconciliation_records{class="unexplained"})' },
  { says: 'Every audit chain holds', expr: 'max(sync_audit_chain_broken)' },
];

const percent = (share: number): string => `${Number((100 * share).toFixed(3))} %`;

/** Rows of the table, and whether all is as promised. */
export async function objectivesTable(prometheus: Prometheus): Promise<{ rows: string[][]; kept: boolean }> {
  const rules = await prometheus.rules();
  const window = `${Math.ceil((Date.now() - prometheus.startedAtMs) / 1000)}s`;
  const rows: string[][] = [];
  let kept = true;
  for (const objective of Object.values<Objective>(objectives)) {
    const bad = await prometheus.figure(`(${objective.bad(window)}) / (${objective.all(window)})`);
    const guards = alerts.filter(({ expr }) => expr.includes(`sync:${objective.id}:`)).map(({ name }) => name);
    kept &&= bad !== undefined && bad <= objective.budget;
    rows.push([
      objective.says,
      percent(1 - objective.budget),
      bad === undefined ? 'no events' : percent(1 - bad),
      bad === undefined ? '–' : percent(Math.max(0, bad) / objective.budget),
      stateOf(guards, rules),
    ]);
  }
  for (const { says, expr } of withoutBudget) {
    const wrong = await prometheus.figure(expr);
    const guards = alerts.filter((alert) => alert.expr.includes(expr)).map(({ name }) => name);
    kept &&= wrong === 0;
    rows.push([says, '0', wrong === undefined ? 'not known' : String(wrong), 'no budget', stateOf(guards, rules)]);
  }
  return { rows, kept };
}

/** `FreshnessBurnFast firing, FreshnessBurnSlow inactive`; all alike are said once. */
function stateOf(names: string[], rules: readonly LiveRule[]): string {
  const states = names.map((name) => [name, rules.find((rule) => rule.name === name)?.state ?? 'not loaded'] as const);
  const [first] = states;
  if (first && states.every(([, state]) => state === first[1]))
    return `${first[1]}${states.length > 1 ? ` (${states.length})` : ''}`;
  return states.map(([name, state]) => `${name} ${state}`).join(', ');
}

/** Alerts that are pending or firing, and rules that Prometheus cannot evaluate. */
export async function alarm(prometheus: Prometheus): Promise<{ loud: string[]; broken: string[]; loaded: number }> {
  const rules = await prometheus.rules();
  return {
    loud: rules.filter(({ state }) => state && state !== 'inactive').map(({ name, state }) => `${name} ${state}`),
    broken: rules.filter(({ health }) => health === 'err').map(({ name, lastError }) => `${name}: ${lastError}`),
    loaded: rules.length,
  };
}
