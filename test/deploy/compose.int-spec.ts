// What docker-compose.yml writes, tried: the emulator with its arguments, the registry's health check with a server that answers well,
// badly and not at all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
});

it.each([
  ['answers', 200, 0],
  ['is not ready', 503, 1],
  ['is not there', undefined, 1],
])("the registry's health check, in bash alone, when the registry %s", async (_what, status, code) => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/apis/ccompat/v7/subjects' ? status! : 404;
    response.end('[]');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (status === undefined) server.close();
  // As the engine hands it over: `$$` is a dollar.
  const [, ...command] = file.services['registry']!.healthcheck!.test!.map((part) =>
    part.replaceAll('$$', '$').replace('/127.0.0.1/8080', `/127.0.0.1/${port}`),
  );
  // No PATH: no other program is found.
  const check = spawn('/bin/bash', command.slice(1), { env: { PATH: '/nowhere' }, stdio: 'ignore' });
  expect((await once(check, 'exit'))[0]).toBe(code);
  server.close();
});
