// A point fires once, for whoever passes it first, and only where a test run asked for it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { armFailpoints, failpoint, FailpointReached, failpointsRefused } from './index.js';

let folder: string;
const arm = (text: string): void => writeFileSync(join(folder, 'armed'), text);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'failpoints-'));
  armFailpoints(folder);
});
afterEach(() => {
  armFailpoints(undefined);
  rmSync(folder, { recursive: true });
});

it('passes without a promise while the switch is off', () => {
  armFailpoints(undefined);
  arm('writer.claimed throw 1');
  expect(failpoint('writer.claimed')).toBeUndefined();
});

it('throws at the named point, once, and leaves word of it', async () => {
  arm('writer.claimed throw 7');
  expect(failpoint('writer.answered')).toBeUndefined();
  await expect(failpoint('writer.claimed')).rejects.toEqual(new FailpointReached('writer.claimed'));
  expect(failpoint('writer.claimed')).toBeUndefined();
  expect(readdirSync(folder)).toEqual(['fired-7']);
  expect(JSON.parse(readFileSync(join(folder, 'fired-7'), 'utf8'))).toMatchObject({
    ...{ name: 'writer.claimed', action: 'throw', pid: process.pid },
  });
});

it('hangs for ever', async () => {
  arm('writer.claimed hang 1');
  const passed = Promise.resolve(failpoint('writer.claimed')).then(() => 'passed');
  const turn = new Promise((resolve) => setImmediate(() => resolve('still there')));
  await expect(Promise.race([passed, turn])).resolves.toBe('still there');
});

it('kills as a power cut does: nothing after the point runs', () => {
  arm('writer.claimed kill 1');
  const program = `import('${join(process.cwd(), 'libs/common/src/failpoints/index.ts')}').then(async (m) => {
    m.armFailpoints(process.argv[1]); process.stdout.write('before '); await m.failpoint('writer.claimed'); process.stdout.write('after'); })`;
  const { signal, stdout } = spawnSync(process.execPath, ['-e', program, folder], { encoding: 'utf8' });
  expect({ signal, stdout }).toEqual({ signal: 'SIGKILL', stdout: 'before ' });
});

describe('an environment that asks for failpoints', () => {
  const asks = { SYNC_FAILPOINTS: '/tmp/x' };
  it.each([
    ['does not ask', {}, undefined],
    [
      'is a test run against an emulator',
      { ...asks, SYNC_TEST_RUN: 'yes', SYNC_QBO_ENVIRONMENT: 'http://x' },
      undefined,
    ],
    ['is no test run', { ...asks, SYNC_QBO_ENVIRONMENT: 'http://x' }, /for test runs only/],
    ['is production', { ...asks, SYNC_TEST_RUN: 'yes', SYNC_QBO_ENVIRONMENT: 'production' }, /must not be set/],
    ['is the sandbox', { ...asks, SYNC_TEST_RUN: 'yes', SYNC_QBO_ENVIRONMENT: 'sandbox' }, /must not be set/],
  ])('%s', (_what, env, refused) => {
    const said = failpointsRefused(env);
    if (refused === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(refused);
  });
});
