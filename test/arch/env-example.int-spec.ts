// .env.example and deploy/settings.json are written from the apps' own specs: a setting that is added, renamed or re-described makes this fail.
import { execFile } from 'node:child_process';

it('.env.example and deploy/settings.json show every setting of the six apps as they are now', async () => {
  const said = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      ['tools/dev/run.mjs', 'tools/dev/src/env-example-main', '--check'],
      (error, stdout, stderr) => resolve(error ? `${stdout}${stderr}` : 'current'),
    );
  });
  expect(said).toBe('current');
});
