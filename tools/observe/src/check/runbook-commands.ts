// Every command that a runbook shows, run as it stands there: SQL on the installation's PostgreSQL, queries on the real
// Prometheus, the rest by a shell. Placeholders get what the demo made.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Database } from '../../../verify/src/gather/tables.js';
import { alerts } from '../alerts/index.js';
import type { Prometheus } from '../live/prometheus.js';
import { command } from '../runbooks.js';

const run = promisify(execFile);
const timeoutMs = 180_000;

export interface Surroundings {
  database: Database;
  prometheus: Prometheus;
  /** for shell commands: CONTROL, AUDIT, SYNC_ADMIN_KEY */
  env: NodeJS.ProcessEnv;
  /** by path of the API: the placeholders there */
  fill: (text: string) => string;
}

/** How many commands there are, and what was said against those that did not run. */
export async function runbookCommands(o: Surroundings): Promise<{ commands: number; wrong: string[] }> {
  const wrong: string[] = [];
  const tried = new Map<string, string>();
  for (const { name, diagnosis } of alerts) {
    for (const step of diagnosis) {
      const [language, text] = command(step);
      if (!tried.has(text)) tried.set(text, await complaint(o, language, text));
      const said = tried.get(text);
      if (said) wrong.push(`${name}: ${text}: ${said}`);
    }
  }
  return { commands: tried.size, wrong };
}

/** Empty when it ran. */
async function complaint({ database, prometheus, env, fill }: Surroundings, language: string, text: string) {
  try {
    if (language === 'sql') await database.rows(text);
    else if (language === 'promql') await prometheus.at(text);
    else {
      const filled = fill(text);
      if (/\{\w+\}/.test(filled)) return 'a placeholder that nothing fills';
      await run('sh', ['-c', filled], { env, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 });
    }
    return '';
  } catch (error) {
    const { message, stdout = '' } = error as Error & { stdout?: string };
    return `${message} ${stdout.slice(-500)}`.trim();
  }
}
