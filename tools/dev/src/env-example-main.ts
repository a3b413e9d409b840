// `node tools/dev/run.mjs tools/dev/src/env-example-main [--check]`: writes .env.example from what the six apps say can
// be configured (`node main.js --settings`); with --check only compares, exit 1 when it is not current.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { SettingDescription } from '#common/config';
import { appNames } from './apps.js';

const run = promisify(execFile);
const file = '.env.example';

async function settingsOf(app: string): Promise<SettingDescription[]> {
  const { stdout } = await run(process.execPath, [`dist/apps/${app}/src/main.js`, '--settings']);
  return JSON.parse(stdout) as SettingDescription[];
}

export async function envExample(): Promise<string> {
  const all = new Map<string, { setting: SettingDescription; apps: string[] }>();
  const perApp = await Promise.all(appNames.map(async (app) => [app, await settingsOf(app)] as const));
  for (const [app, settings] of perApp) {
    for (const setting of settings) {
      const known = all.get(setting.env);
      if (known) known.apps.push(app);
      else all.set(setting.env, { setting, apps: [app] });
    }
  }
  const blocks = [...all.values()].map(({ setting, apps }) => {
    const who = apps.length === appNames.length ? 'all apps' : apps.join(', ');
    const unit = setting.unit ? ` [${setting.unit}]` : '';
    // What has a default stands commented out; what must be set stands open, with an example.
    const line = setting.required
      ? `${setting.env}=${setting.example}`
      : `#${setting.env}=${setting.default ?? setting.example}`;
    return `# ${setting.doc}${unit} (${who})\n${line}\n`;
  });
  const head = `# Every setting of the six apps, written by "npm run env-example" from their own specs; a test keeps it current.
# Open lines must be set; commented lines show the default. The embedded demo and tests need none of this.
`;
  return `${head}\n${blocks.join('\n')}`;
}

const wanted = await envExample();
if (!process.argv.includes('--check')) await writeFile(file, wanted);
else if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) {
  process.stderr.write(`${file} is not current: npm run env-example\n`);
  process.exitCode = 1;
}
