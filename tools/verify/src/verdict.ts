// What an invariant says: it holds, with the evidence; it is broken, with the records; or it cannot be judged, and why.
export interface RecordName {
  /** company the record lives in */
  realmId: string;
  type: string;
  id: string;
}

export interface Violation {
  what: string;
  /** in the source where it is known; its whole life is told */
  record?: RecordName | undefined;
}

export type Verdict =
  | { kind: 'ok'; evidence: string }
  | { kind: 'violated'; violations: Violation[] }
  | { kind: 'not judged'; why: string };

export const ok = (evidence: string): Verdict => ({ kind: 'ok', evidence });
export const notJudged = (why: string): Verdict => ({ kind: 'not judged', why });
export const judged = (violations: Violation[], evidence: string): Verdict =>
  violations.length > 0 ? { kind: 'violated', violations } : ok(evidence);

export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
