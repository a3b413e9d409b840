// `node tools/dev/run.mjs tools/dev/src/env-example-main [--check]`: writes .env.example (for people) and
// deploy/settings.json (what compose and Kubernetes are checked against) from what the six apps say can be configured
// (`node main.js --settings`); with --check only compares, exit 1 when one is not current.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { SettingDescription } from '#common/config';
import { appNames } from './apps.js';

const run = promisify(execFile);
const exampleFile = '.env.example';
const catalogueFile = 'deploy/settings.json';

async function settingsOf(app: string): Promise<SettingDescription[]> {
  const { stdout } = await run(process.execPath, [`dist/apps/${app}/src/main.js`, '--settings']);
  return JSON.parse(stdout) as SettingDescription[];
}

function envExample(perApp: readonly (readonly [string, SettingDescription[]])[]): string {
  const all = new Map<string, { setting: SettingDescription; apps: string[] }>();
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

const perApp = await Promise.all(appNames.map(async (app) => [app, await settingsOf(app)] as const));
const wanted = new Map([
  [exampleFile, envExample(perApp)],
  [catalogueFile, `${JSON.stringify(Object.fromEntries(perApp), null, 2)}\n`],
]);
for (const [file, text] of wanted) {
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    process.stderr.write(`${file} is not current: npm run env-example\n`);
    process.exitCode = 1;
  }
}
