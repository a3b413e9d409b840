import { configureLogging, createLog, maskSecrets } from './index.js';

const hidden = 'eyJhbGciOi.secret-42';

it.each<[string, Record<string, unknown>]>([
  ['a field', { access_token: hidden }],
  ['a field in camel case', { refreshToken: hidden }],
  ['a header, however deep', { err: { config: { request: { headers: { Authorization: `Bearer ${hidden}` } } } } }],
  ['a text', { reason: `sent Bearer ${hidden} to the server` }],
  ['JSON inside a text', { body: JSON.stringify({ refresh_token: hidden }) }],
  ['JSON inside JSON inside a text', { body: JSON.stringify({ inner: JSON.stringify({ client_secret: hidden }) }) }],
  ['a form', { body: `grant_type=refresh_token&refresh_token=${hidden}&x=1` }],
  ['an address', { url: `postgres://sync:${hidden}@db/sync` }],
  ['a secret with quotes in it', { password: `"${hidden}"` }],
])('a secret in %s never reaches the line', (_where, fields) => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  configureLogging({ service: 'spec', level: 'info', destination });
  createLog('part').info({ ...fields, realm: '9341' }, 'said');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain(hidden);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'info',
    service: 'spec',
    part: 'part',
    realm: '9341',
    msg: 'said',
  });
});

it('leaves lines without secrets as they are', () => {
  const line = '{"realm":"9341","entityKey":"9341/Invoice/145","tokens":3,"msg":"settled"}';
  expect(maskSecrets(line)).toBe(line);
});

it('masking a long line takes no more than a linear scan', () => {
  const line = JSON.stringify({ body: 'a'.repeat(200_000), text: '\\'.repeat(50_000), password: hidden });
  const startMs = performance.now();
  expect(maskSecrets(line)).not.toContain(hidden);
  expect(performance.now() - startMs).toBeLessThan(1000);
});

it('logs made before the level is known follow it', () => {
  const early = createLog('early');
  configureLogging({ service: 'spec', level: 'error' });
  expect(early.isLevelEnabled('warn')).toBe(false);
});
