// The main promise, as a person would check it: the demo's own proof, on the run's Kafka and PostgreSQL, with the six apps
// as processes, webhooks lost and doubled, the writer killed, and a replay that writes nothing (I-01, I-02, I-04, I-12);
// the checker judges all thirteen invariants of what is left.
import { execFile } from 'node:child_process';

jest.setTimeout(240_000);

it('a company and its mirror are equal after backfill, lossy webhooks, a killed writer and a replay', async () => {
  const { code, lines } = await new Promise<{ code: number; lines: string[] }>((resolve) => {
    execFile(
      process.execPath,
      ['tools/dev/run.mjs', 'tools/demo/src/main', '--quiet', '--work-seconds', '8', '--seed', '11'],
      (error, stdout, stderr) => resolve({ code: error ? 1 : 0, lines: `${stdout}${stderr}`.trimEnd().split('\n') }),
    );
  });
  expect(lines.at(-1)).toMatch(/^demo: equal records=3\d\d lost=0 doubled=0 trial_balance_difference=0\.00$/);
  expect(lines).toContain('replay: 0 writes');
  expect(lines).toContain('verify: invariants=13/13 violations=0');
  expect(code).toBe(0);
});
