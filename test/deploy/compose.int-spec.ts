// The emulator started as docker-compose.yml writes it: arguments are only right when the program takes them.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { composeFile, filledIn } from '../../tools/deploy/src/compose/compose-file.js';
import { images } from '../../tools/deploy/src/images/catalogue.js';

const variables = { SYNC_TOKEN_KEY: 'unused', SYNC_ADMIN_KEY: 'unused' };
const file = filledIn(composeFile(), variables);

let emulator: ChildProcess;
afterAll(() => emulator.kill('SIGKILL'));

it('knows the app whose credentials the others have, its webhooks go to ingest, and its links can be followed', async () => {
  const own = images.find(({ name }) => name === 'emulator')!;
  emulator = spawn(
    process.execPath,
    [own.programs[0]!, ...own.arguments, ...file.services['emulator']!.command!, '--host', '127.0.0.1', '--port', '0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  // It says how clients reach it; here it is reached by its own port.
  const url = await new Promise<string>((resolve) =>
    createInterface({ input: emulator.stdout! }).on('line', (line) => {
      const found = /on (http:\S+) \(port (\d+)\)/.exec(line);
      if (found) resolve(`${found[1]} ${found[2]}`);
    }),
  );
  expect(url).toMatch(/^http:\/\/emulator:8080 \d+$/);
  const answer = await fetch(`http://127.0.0.1:${url.split(' ')[1]}/_emulator/apps`);
  const ingest = file.services['ingest']!.environment!;
  expect(await answer.json()).toEqual([
    expect.objectContaining({
      clientId: ingest['SYNC_QBO_CLIENT_ID'],
      clientSecret: ingest['SYNC_QBO_CLIENT_SECRET'],
      verifierToken: ingest['SYNC_QBO_WEBHOOK_VERIFIER_TOKEN'],
      webhookUrl: 'http://ingest:8080/webhooks/intuit',
    }),
  ]);
}, 60_000);
