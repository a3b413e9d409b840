// The age of work that could be done now, asked when the metrics are read: the figure that says "we are behind".
import type { Clock } from '#common/clock';
import { ask } from '#common/metrics';
import type { Links } from '#storage';
import { runnable, runnableAgeSeconds } from './qbo-writer.metrics.js';

export function observeRunnableAge(links: Links, clock: Clock): void {
  ask([runnable, runnableAgeSeconds], async () => {
    const rows = await links.runnableAge(clock.now());
    for (const lane of ['live', 'bulk'] as const) {
      const row = rows.find((r) => r.lane === lane);
      runnable.set({ lane }, row?.count ?? 0);
      runnableAgeSeconds.set({ lane }, (row?.ageMs ?? 0) / 1_000);
    }
  });
}
