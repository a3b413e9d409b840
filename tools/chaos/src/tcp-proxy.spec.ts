import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { TcpProxy } from './tcp-proxy.js';

let echo: Server;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await TcpProxy.listen((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

function dial(): Socket {
  const socket = connect(proxy.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  return socket;
}

async function client(): Promise<Socket> {
  const socket = dial();
  await once(socket, 'connect');
  return socket;
}

/** once() would reject by the reset that is awaited here. */
const closed = (socket: Socket): Promise<void> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));

async function answer(socket: Socket, bytes: number): Promise<string> {
  let got = '';
  while (got.length < bytes) got += String((await once(socket, 'data'))[0]);
  return got;
}

it('forwards both ways in order, and the end of one side', async () => {
  const socket = await client();
  const text = Array.from({ length: 5_000 }, (_, n) => `line ${n}\n`).join('');
  socket.end(text);
  expect(await answer(socket, text.length)).toBe(text);
  await once(socket, 'end');
});

it('a cut resets what is open and every newcomer; healed, new connections work', async () => {
  const socket = await client();
  socket.write('a');
  await answer(socket, 1);
  proxy.disturb({ kind: 'cut' });
  await closed(socket);
  await closed(dial());
  proxy.heal();
  const healed = await client();
  healed.write('b');
  expect(await answer(healed, 1)).toBe('b');
});

it('silence keeps the connection and loses nothing', async () => {
  const socket = await client();
  proxy.disturb({ kind: 'silence' });
  let heard = '';
  socket.on('data', (bytes) => (heard += String(bytes)));
  socket.write('one ');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(heard).toBe('');
  socket.write('two');
  proxy.heal();
  while (heard.length < 7) await once(socket, 'data');
  expect(heard).toBe('one two');
});

it('a delay counts for each way', async () => {
  const socket = await client();
  proxy.disturb({ kind: 'delay', ms: 60 });
  const sent = performance.now();
  socket.write('x');
  await answer(socket, 1);
  // Two ways; a timer may come a millisecond early.
  expect(performance.now() - sent).toBeGreaterThanOrEqual(118);
});

it('a throttle lets through no more than its bytes a second, in order', async () => {
  const socket = await client();
  proxy.disturb({ kind: 'throttle', bytesPerSecond: 20_000 });
  const sent = performance.now();
  const text = 'abcdefgh'.repeat(500);
  socket.write(text);
  expect(await answer(socket, text.length)).toBe(text);
  expect(performance.now() - sent).toBeGreaterThan(150);
});

it('a target that is not there is a refused connection', async () => {
  await new Promise((resolve) => echo.close(resolve));
  await closed(dial());
  echo = createServer().listen(0, '127.0.0.1');
  await once(echo, 'listening');
});
