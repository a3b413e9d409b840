// A real HTTP server on a free port of this machine, for specs: what it answers is the spec's to say.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface LocalServer {
  url: string;
  received: Received[];
  stop(): Promise<void>;
}

export type Answer = (request: Received, response: ServerResponse, socket: Socket) => void;

export async function localServer(answer: Answer): Promise<LocalServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method!,
        url: new URL(request.url!, 'http://local'),
        headers: request.headers,
        body: Buffer.concat(chunks),
      };
      received.push(one);
      answer(one, response, request.socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', intuit_tid: '1-00000000-000000000000000000000001' });
  response.end(JSON.stringify(body));
}
