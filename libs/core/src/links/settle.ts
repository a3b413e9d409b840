// The end of one attempt: what the link becomes, whether waiters wake, what is announced.
import type { Json } from '../model/json.js';
import type { Failure, RetryPolicy, Step } from '../retry/index.js';
import type { Difference } from './difference.js';
import type { Applied, Link, Target } from './link.js';
import type { LinkState } from './state.js';

/** What an attempt was made of; the desired version may have moved on since. */
export interface AttemptFacts {
  operation: 'create' | 'update' | 'delete' | 'void' | 'deactivate' | 'adopt' | 'noop';
  version: string;
  hash: string;
  /** whole bound body, from the plan */
  applied?: Json;
  /** references left out to break a ring, as "Type/id" */
  deferred?: readonly string[];
}

export type WriteAnswer =
  /** `record`: the object as answered (absent for a delete or a decision without a call) */
  { kind: 'done'; record?: Json } | { kind: 'failed'; failure: Failure };

export interface Outcome {
  outcome: 'created' | 'updated' | 'deleted' | 'voided' | 'adopted' | 'unchanged' | 'held' | 'failed' | 'drift';
  code?: string;
  reason?: string;
}

export interface Settled {
  state: LinkState;
  applied?: Applied;
  target?: Target;
  attempts: number;
  /** links waiting on this one may go on */
  wakes: boolean;
  /** what to announce in sync.results; undefined while the link is still under way */
  result?: Outcome;
  differences: Difference[];
  /** for a failure: what the shell does next */
  step?: Step;
}

export function settle(
  _link: Link,
  _attempt: AttemptFacts,
  _answer: WriteAnswer,
  _timing: { nowMs: number; jitter: number; policy: RetryPolicy },
): Settled {
  throw new Error('not built yet');
}
