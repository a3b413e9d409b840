// What a person at a terminal gets: tables, JSON, and errors that say what to do. Against a small server of our own.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { run } from './run.js';

describe('syncctl', () => {
  let server: Server;
  let env: Record<string, string>;
  const asked: { method: string; url: string; body: string }[] = [];
  const answers: Record<string, [number, unknown]> = {
    'GET /v1/organizations': [200, { items: [{ id: 'o1', name: 'Tenant', createdAt: 't' }], next: 'more' }],
    'GET /v1/syncs/s1/links?state=held&limit=2': [200, { items: [] }],
    'POST /v1/syncs/s1/links/Invoice/5/redrive': [
      200,
      { released: 1, links: [{ entityType: 'Invoice', sourceId: '5' }] },
    ],
    'GET /v1/syncs/s1/settings': [
      200,
      { version: 2, settings: { twins: 'leave' }, author: 'Ada', versions: [{ version: 2, author: 'Ada' }] },
    ],
    'PATCH /v1/syncs/s1': [200, { id: 's1', settingsVersion: 3, settings: {}, reconsidered: 4 }],
    'POST /v1/organizations': [
      400,
      {
        title: 'The request has mistakes',
        detail: 'name: too long',
        hint: 'Mend it.',
        errors: [{ field: 'name', message: 'too long' }],
      },
    ],
    'GET /v1/changes/1%2FInvoice%2F2': [
      404,
      { title: 'No such record', detail: 'There is none.', hint: 'Look again.' },
    ],
  };

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push({ method: request.method!, url: request.url!, body });
        const wrongKey = request.headers.authorization !== 'Bearer k';
        const [status, answer] = wrongKey
          ? [401, { title: 'Wrong admin key', detail: 'd', hint: 'h' }]
          : (answers[`${request.method} ${request.url}`] ?? [404, 'x']);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    env = { SYNC_CONTROL_URL: url, SYNC_AUDIT_URL: url, SYNC_ADMIN_KEY: 'k' };
  });
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

  async function say(line: string, changed: Record<string, string> = {}) {
    let out = '';
    let err = '';
    const code = await run(line.split(' '), {
      env: { ...env, ...changed },
      write: (text) => (out += text),
      complain: (text) => (err += text),
    });
    return { code, out, err };
  }

  it('lists as a table, with the way to the next page', async () => {
    expect(await say('organizations')).toEqual({
      code: 0,
      err: '',
      out: 'id  name    createdAt\n--  ------  ---------\no1  Tenant  t\nmore: --cursor more\n',
    });
  });

  it('prints the answer as it is with --json', async () => {
    expect(JSON.parse((await say('organizations --json')).out)).toEqual(answers['GET /v1/organizations']![1]);
  });

  it('passes filters on, and says so when there is nothing', async () => {
    expect(await say('links s1 --state held --limit 2')).toMatchObject({ code: 0, out: '(none)\n' });
  });

  it('redrives one record', async () => {
    const told = await say('redrive s1 Invoice 5 --create-again --author Ada --reason reopened');
    expect(told).toMatchObject({ code: 0, out: expect.stringContaining('1 released') });
    expect(asked.at(-1)!.body).toBe('{"createAgain":true,"author":"Ada","reason":"reopened"}');
  });

  it('shows the settings of a sync, and changes what a file names', async () => {
    expect(await say('settings s1')).toMatchObject({ code: 0, out: expect.stringContaining('{"twins":"leave"}') });
    const file = join(mkdtempSync(join(tmpdir(), 'syncctl-')), 'settings.json');
    writeFileSync(file, '{"twins": null}');
    const told = await say(`settings s1 change ${file} --version 2 --author Ada --reason agreed`);
    expect(told).toMatchObject({ code: 0, out: expect.stringMatching(/reconsidered\s+4/) });
    expect(asked.at(-1)).toMatchObject({
      method: 'PATCH',
      body: '{"settings":{"twins":null},"version":2,"author":"Ada","reason":"agreed"}',
    });
  });

  it.each([
    ['a refusal', 'life 1 Invoice 2', {}, 1, 'syncctl: No such record: There is none.\nhint: Look again.\n'],
    [
      'every mistake',
      'organizations create x',
      {},
      1,
      'syncctl: The request has mistakes:\n  - name: too long\nhint: Mend it.\n',
    ],
    ['a wrong key', 'organizations', { SYNC_ADMIN_KEY: 'x' }, 1, 'syncctl: Wrong admin key: d\nhint: h\n'],
    ['no key', 'organizations', { SYNC_ADMIN_KEY: '' }, 1, /No admin key[^]*Set SYNC_ADMIN_KEY/],
    ['no address', 'organizations', { SYNC_CONTROL_URL: '' }, 1, /Where is control\?[^]*SYNC_CONTROL_URL/],
    ['nobody there', 'organizations --control http://127.0.0.1:9', {}, 1, /does not answer/],
    ['a missing word', 'status', {}, 1, /SYNC is missing/],
    ['an unknown command', 'linkz', {}, 2, /"linkz" is no command[^]*help links/],
    ['an unknown option', 'links s1 --stat held', {}, 2, /Unknown option '--stat'[^]*help links/],
  ])('says what to do after %s', async (_title, line, changed, code, error) => {
    const told = await say(line, changed as Record<string, string>);
    expect(told.err).toEqual(typeof error === 'string' ? error : expect.stringMatching(error));
    expect(told).toMatchObject({ code, out: '' });
  });

  it('helps, in general and with one command', async () => {
    expect((await say('help')).out).toContain('redrive SYNC [TYPE ID]');
    expect((await say('help redrive')).out).toContain('--create-again');
    expect((await say('redrive --help')).out).toContain('--create-again');
  });
});
