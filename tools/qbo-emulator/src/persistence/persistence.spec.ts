// What was answered survives kill -9 at any moment: the log is replayed into the same company, to the last cent and token.
import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Emulator } from '../emulator.js';
import { refreshNames } from '../engine/references.js';
import { salesLine, send, type Reply } from '../http/test-company.js';
import { actorFor, presets } from '../steering/people.js';
import type { Rec } from '../types.js';
import { workAsPerson } from '../people/index.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qbo-emulator-spec-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (): Emulator => new Emulator({ clock: 'virtual', dataDir: dir, baseUrl: () => 'http://none' });

/** Everything a reader could see of a company, without the order in which it is kept. */
function picture(emulator: Emulator): unknown {
  return [...emulator.seats.values()].map(({ company }) => {
    const types = [
      'Account',
      'Customer',
      'Vendor',
      'Item',
      'Invoice',
      'Payment',
      'Bill',
      'BillPayment',
      'Deposit',
      'Estimate',
      'CreditMemo',
      'Purchase',
      'PurchaseOrder',
      'Attachable',
      'Preferences',
    ];
    const records = types.map((type) =>
      [...company.all(type)]
        .map((rec) => refreshNames(company, type, rec))
        .sort((a, b) => Number(a['Id']) - Number(b['Id'])),
    );
    const graves = types.map((type) => [...company.gravesOf(type).keys()].sort());
    return JSON.parse(
      JSON.stringify({ records, graves, balance: company.ledger.trialBalance(), next: company.docNumberState() }),
    ) as Rec;
  });
}

describe('a company on disk', () => {
  it('is the same company after a start from the log, and again after a start from a compacted one', () => {
    const first = open();
    const seat = first.newEmptyCompany({ name: 'Kept', multicurrency: true });
    presets['sample']!(first, seat, {});
    workAsPerson(actorFor(first, seat, false), { count: 400, seed: 5 });
    first.keep(seat);
    const before = picture(first);
    first.store!.close();
    const second = open();
    expect(picture(second)).toEqual(before);
    second.store!.compact([...second.seats.values()][0]!);
    second.store!.close();
    const third = open();
    expect(picture(third)).toEqual(before);
    third.store!.close();
  });

  it('cuts off a last line that was half written, and goes on from there', () => {
    const first = open();
    const seat = first.newEmptyCompany({ name: 'Cut' });
    const vendor = seat.engine.create('Vendor', { DisplayName: 'Whole' });
    first.keep(seat);
    const before = picture(first);
    first.store!.close();
    const realmId = readdirSync(dir).find((name) => /^\d+$/.test(name))!;
    appendFileSync(join(dir, realmId, 'log.jsonl'), '{"put":[["Vendor",1,{"Id":"77","Disp');
    const second = open();
    expect(picture(second)).toEqual(before);
    const again = [...second.seats.values()][0]!;
    expect(Number(again.engine.create('Vendor', { DisplayName: 'Next' }).id)).toBeGreaterThan(Number(vendor.id));
    second.store!.close();
  });
});

describe('a server killed with SIGKILL', () => {
  let child: ChildProcess | undefined;
  afterEach(() => {
    child?.kill('SIGKILL');
  });

  async function start(): Promise<string> {
    child = spawn(
      process.execPath,
      ['tools/dev/run.mjs', 'tools/qbo-emulator/src/main', '--port', '0', '--data', dir, '--quiet'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    return new Promise((resolve, reject) => {
      let text = '';
      child!.stdout!.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const ready = /listening on (\S+)/.exec(text);
        if (ready) resolve(ready[1]!);
      });
      child!.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    });
  }

  it('has every write that was answered, and replays its request ids with the tokens that were given', async () => {
    let url = await start();
    await send(url, 'PUT', '/_emulator/limits', { all: false });
    const app = (await send(url, 'POST', '/_emulator/apps', { name: 'k' })).body;
    const { realmId } = (await send(url, 'POST', '/_emulator/companies', { name: 'K', preset: 'empty' })).body;
    const { accessToken } = (await send(url, 'POST', '/_emulator/grants', { clientId: app['clientId'], realmId })).body;
    const headers = { authorization: `Bearer ${accessToken}` };
    const post = (path: string, body: Rec): Promise<Reply> =>
      send(url, 'POST', `/v3/company/${realmId}${path}`, body, headers);
    const customer = (await post('/customer', { DisplayName: 'Kim' })).body['Customer'] as Rec;
    const answered: string[] = [];
    const writing = (async () => {
      for (let n = 0; ; n++) {
        const reply = await post(`/invoice?requestid=r${n}`, {
          CustomerRef: { value: customer['Id'] },
          Line: [salesLine('1', n + 1)],
        });
        answered.push(reply.text);
      }
    })().catch(() => undefined);
    while (answered.length < 25) await new Promise((resolve) => setImmediate(resolve));
    child!.kill('SIGKILL');
    await writing;
    url = await start();
    await send(url, 'PUT', '/_emulator/limits', { all: false });
    for (const text of answered) {
      const made = (JSON.parse(text) as Rec)['Invoice'] as Rec;
      const read = await send(url, 'GET', `/v3/company/${realmId}/invoice/${made['Id']}`, undefined, headers);
      expect(read.body['Invoice']).toEqual(made);
    }
    const replayed = await post('/invoice?requestid=r3', {
      CustomerRef: { value: customer['Id'] },
      Line: [salesLine('1', 4)],
    });
    expect(replayed.text).toBe(answered[3]);
  });
});
