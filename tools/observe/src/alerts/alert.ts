// An alert is one value: the rule, what is true when it fires, and what a person does then. Rules, their unit tests and the
// runbooks are written from it, so none of the three can be forgotten.

/** Input of a promtool unit test: series in promtool's notation, one sample each step (a minute), and the moment judged. */
export interface Case {
  series: Record<string, string>;
  at: string;
  /** of days: evaluating every minute of a month takes promtool minutes */
  step?: string;
}

/** One thing to look at. Exactly one of the commands; tests try each on the real thing. */
export type Step = { say: string } & ({ run: string } | { sql: string } | { api: string } | { promql: string });

export interface Alert {
  name: string;
  /** a board that shows it, by file name */
  board: 'overview' | 'pipeline' | 'kafka' | 'quota' | 'replay';
  expr: string;
  for?: string;
  /** page: books go stale or wrong while nobody looks. ticket: within days. */
  severity: 'page' | 'ticket';
  /** one line; what somebody reads on a phone */
  summary: string;
  fires: Case;
  silent: Case;
  meaning: string;
  impact: string;
  diagnosis: Step[];
  mitigation: string[];
}

export interface RecordingRule {
  record: string;
  expr: string;
}
