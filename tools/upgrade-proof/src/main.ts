// `npm run upgrade-proof [-- --from REF] [--seconds 5]`: an older version runs, people work, and each app in turn is replaced by
// the present version while they do: control first (it brings the schema up to date under the old ones), the consumers side by
// side with their successors for some seconds, the others by stopping one and starting the other. Old and new share topics,
// tables and leases throughout. Then the checker judges. Without --from: the commit before the newest migration was added.
// Last line: `upgrade-proof: from=A to=B edits=N lost=0 doubled=0`; exit 0 only when no invariant is broken.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import type { AppName } from '../../dev/src/apps.js';
import { Bench } from '../../failpoints/src/bench.js';
import { Installation } from '../../installation/src/installation.js';

const { values } = parseArgs({
  options: { from: { type: 'string' }, seconds: { type: 'string', default: '5' } },
});
const run = promisify(execFile);
const startedMs = performance.now();
const say = (text: string): void =>
  void process.stdout.write(`${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${text}\n`);
const git = async (...args: string[]): Promise<string> => (await run('git', args)).stdout.trim();
const sideBySideMs = Number(values.seconds) * 1000;
/**
 * A process that finds a governor's row in another version's form trusts nothing it says: the company is frozen for a minute.
 * While old and new take turns on a row that can come about twice; the minute after them is the checker's usual one.
 */
const restAfterUpgradeMs = 180_000;
/** Reached by others at a fixed address: one process at a time. */
const addressed: readonly AppName[] = ['control', 'ingest', 'audit'];
const consumers: readonly AppName[] = ['mapper', 'qbo-writer', 'attachment-worker'];

/** A built checkout of another commit, kept for the next run. */
async function builtAt(commit: string): Promise<string> {
  const folder = join(process.cwd(), '.cache', 'upgrade', commit.slice(0, 12));
  if (!existsSync(join(folder, 'package.json'))) {
    await mkdir(join(folder, '..'), { recursive: true });
    const archive = `${folder}.tar`;
    await git('archive', '--output', archive, commit);
    await mkdir(folder, { recursive: true });
    await run('tar', ['-xf', archive, '-C', folder]);
    await rm(archive);
    await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  }
  await run(process.execPath, [join(folder, 'tools', 'dev', 'build.mjs')], { cwd: folder });
  return folder;
}

const newestMigration = await git(
  'log',
  '--diff-filter=A',
  '--format=%H',
  '-1',
  '--',
  'libs/storage/src/migrations/0*.ts',
);
const from = await git('rev-parse', values.from ?? `${newestMigration}~1`);
const to = await git('rev-parse', 'HEAD');
const old = await builtAt(from);
say(`from ${from.slice(0, 9)} to ${to.slice(0, 9)}, both built`);
const folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
let installation: Installation | undefined;
let code = 1;
try {
  installation = await Installation.start(() => undefined);
  installation.use(old);
  const bench = await Bench.open(installation, folder, false);
  // Not judged: the checker knows the present schema, and this is an older one.
  const motion = await installation.restless();
  if (motion.length > 0) throw new Error(`the old version did not come to rest: ${motion.join(', ')}`);
  say('the old version runs and is at rest');
  // A customer, an invoice and a correction: three writes a second, of eight that one company takes (500 a minute).
  const person = bench.keepsEditing(1_000);
  installation.use(process.cwd());
  for (const app of [addressed[0]!, ...consumers, ...addressed.slice(1)]) {
    if (addressed.includes(app)) {
      await installation.retire(app);
      await installation.startApp(app);
      await sleep(1_000);
    } else await installation.replaceSideBySide(app, sideBySideMs);
    say(`${app} is of the new version; ${person.edits} edits so far`);
  }
  await sleep(2_000);
  await person.stop();
  const report = await bench.judged('once', { restMs: restAfterUpgradeMs });
  for (const line of report.violations > 0 ? report.lines : report.lines.slice(-1)) say(line);
  const broken = report.judgements.filter(({ verdict }) => verdict.kind === 'violated').map(({ id }) => id);
  const count = (id: string): number => (broken.includes(id) ? 1 : 0);
  const others = broken.filter((id) => !['I-01', 'I-02'].includes(id));
  if (broken.length > 0) say(`logs: ${await installation.keepLogs('upgrade-logs')}`);
  process.stdout.write(
    `upgrade-proof: from=${from.slice(0, 9)} to=${to.slice(0, 9)} edits=${person.edits} lost=${count('I-01')} doubled=${count('I-02')}${others.length > 0 ? ` other_violations=${others.join(',')}` : ''}\n`,
  );
  code = broken.length === 0 && person.edits > 0 ? 0 : 1;
} catch (error) {
  say(`failed: ${String((error as Error).stack)}`);
  say(`logs: ${(await installation?.keepLogs('upgrade-logs').catch(() => undefined)) ?? 'none'}`);
}
await Promise.race([installation?.stop().catch(() => undefined), sleep(20_000)]);
await rm(folder, { recursive: true, force: true });
process.exit(code);
