// QuickBooks' misbehaviour by name, as rules of the emulator's steering. Shares are of requests while the trouble lasts; each
// throttling stops a company for a minute, as it must, so it comes once.
import type { EmulatorFault } from '#testing';
import type { QuickbooksTrouble } from './plan.js';

/** Shorter than any patience of ours, longer than any answer. */
const heldMs = 3_000;

export const rulesOf: Readonly<Record<QuickbooksTrouble, readonly EmulatorFault[]>> = {
  'server errors': [
    { fault: 'http', status: 500, probability: 0.3 },
    { fault: 'http', status: 500, afterCommit: true, probability: 0.3 },
  ],
  'maintenance page': [{ fault: 'html-503' }],
  throttled: [{ fault: 'throttle', times: 1 }],
  'answers lost after the commit': [{ fault: 'reset-after-commit', probability: 0.5 }],
  'answers never come': [
    { fault: 'timeout-after-commit', ms: heldMs, probability: 0.2 },
    { fault: 'timeout-before-commit', ms: heldMs, probability: 0.2 },
  ],
  'answers cut short': [{ fault: 'truncate-body', probability: 0.4 }],
  'batches done by half': [{ fault: 'partial-batch', match: { operation: 'batch' }, probability: 0.7 }],
  'token refused': [{ fault: 'unauthorized', times: 2 }],
};
