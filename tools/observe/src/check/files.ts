// What can be judged without anything running: files written from code have not drifted, promtool takes the rules, and every
// alert has been seen to fire and to stay silent.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { alerts } from '../alerts/index.js';
import { generated } from '../generate.js';
import { binary } from '../live/prometheus.js';
import type { Metric } from '../metrics-page.js';

const run = promisify(execFile);

/** Files that are not what the code would write now. */
export const drifted = (metrics: readonly Metric[]): string[] =>
  [...generated(metrics)]
    .filter(([name, text]) => !existsSync(name) || readFileSync(name, 'utf8') !== text)
    .map(([name]) => name);

/** What promtool says against rules and tests, and the alerts that were tried both ways. */
export async function promtool(): Promise<{ wrong: string[]; tested: string[] }> {
  const command = await binary('promtool');
  const inside = (folder: string) => readdirSync(folder).map((name) => join(folder, name));
  const wrong: string[] = [];
  const said = async (...args: string[]) =>
    run(command, args).catch((error: { stdout?: string; stderr?: string }) => {
      wrong.push(`promtool ${args.slice(0, 2).join(' ')}: ${error.stderr ?? ''}${error.stdout ?? ''}`.trim());
    });
  await said('check', 'rules', ...inside('observe/rules'));
  const files = inside('observe/tests');
  await said('test', 'rules', ...files);
  const names = new Set(
    files.flatMap((file) =>
      (parse(readFileSync(file, 'utf8')) as { tests: { name: string }[] }).tests.map(({ name }) => name),
    ),
  );
  const tested =
    wrong.length > 0
      ? []
      : alerts
          .map(({ name }) => name)
          .filter((name) => names.has(`${name} fires`) && names.has(`${name} stays silent`));
  return { wrong, tested };
}
