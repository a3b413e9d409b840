// A client of processes that a proof kills and starts again.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Control } from './control.js';

it('asks again while a process that was killed is starting', async () => {
  const answers = [503, 200];
  const server = createServer((_request, response) => {
    const status = answers.shift() ?? 500;
    response.writeHead(status).end(status === 200 ? '{"state":"done"}' : '{"status":503,"title":"starting"}');
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await expect(new Control(url, url, 'key').job('1')).resolves.toEqual({ state: 'done' });
    await expect(new Control(url, url, 'key').job('1')).rejects.toThrow('answered 500');
  } finally {
    server.close();
  }
});
