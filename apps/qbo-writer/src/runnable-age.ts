// The age of work that could be done now, asked when the metrics are read: the figure that says "we are behind".
import type { Clock } from '#common/clock';
import { gauge } from '#common/metrics';
import type { Links } from '#storage';

export function observeRunnableAge(links: Links, clock: Clock): void {
  const count = gauge({
    name: 'sync_write_runnable',
    help: 'Links that could be written now.',
    labelNames: ['lane'] as const,
  });
  const age = gauge({
    name: 'sync_write_runnable_age_seconds',
    help: 'Age of the oldest link that could be written now.',
    labelNames: ['lane'] as const,
    collect: async () => {
      const rows = await links.runnableAge(clock.now()).catch(() => []);
      for (const lane of ['live', 'bulk'] as const) {
        const row = rows.find((r) => r.lane === lane);
        count.set({ lane }, row?.count ?? 0);
        age.set({ lane }, (row?.ageMs ?? 0) / 1_000);
      }
    },
  });
}
