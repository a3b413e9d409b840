// Guard for a kafkajs 2.2.4 defect: every answer re-arms a timer that looks for waiting requests even when none waits, so
// an idle connection spins at about 1 ms for ever (measured 17,000 timers and 280 ms CPU per 10 s idle; with this guard
// 0 timers and 40 ms) and Node 24 prints TimeoutNegativeWarning. The guard returns when nothing waits. It reaches into a
// private module, which is why the version is pinned and a test counts timers.
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

let guarded = false;

export function guardIdleTimers(): void {
  if (guarded) return;
  guarded = true;
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
