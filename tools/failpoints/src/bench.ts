// One installation for all cases: a source with a person in it, its mirror, a neighbour with a pair of its own. A case arms a
// point, does the act that passes it and lets whatever died be started again; after one case or several of them everything
// comes to rest and the checker judges.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Accounting } from '../../installation/src/accounting.js';
import type { Control } from '../../installation/src/control.js';
import type { Installation } from '../../installation/src/installation.js';
import { connectPair } from '../../installation/src/pair.js';
import type { Report } from '../../verify/src/report.js';
import type { Raw } from '#testing';
import type { Act, Case } from './cases.js';

/**
 * From the act to the point: through every stage before it, with the process that the case before killed still starting and
 * its group not formed yet, on a machine that does other things as well.
 */
const passTimeoutMs = 90_000;
/** A frozen process is left so long, then killed as an operator would; `patient` waits for its own watchdog instead. */
const hangMs = 2_000;
const watchdogMs = 150_000;
/** Nobody answers while an app is away: a person tries again. */
const retryMs = 300;
const restMs = 60_000;

export interface CaseEnd {
  passed: boolean;
  tookMs: number;
  noticed?: string | undefined;
}

export class Bench {
  private edits = 0;
  private readonly invoices: Raw[] = [];
  private fired = 0;
  /** token cases so far: each may cost one more refresh */
  private tokenCases = 0;

  private constructor(
    private readonly installation: Installation,
    private readonly folder: string,
    readonly control: Control,
    readonly clientId: string,
    readonly source: string,
    readonly target: string,
    readonly syncId: string,
    private readonly organizationId: string,
    private readonly person: Accounting,
    private readonly patient: boolean,
  ) {}

  static async open(installation: Installation, folder: string, patient: boolean): Promise<Bench> {
    const { emulator } = installation;
    const app = await installation.ourApp();
    const preferences = { SalesFormsPrefs: { CustomTxnNumbers: true } };
    const company = async (name: string) => (await emulator.createCompany({ name, preferences })).realmId;
    const realms: string[] = [];
    for (const name of ['Source', 'Mirror', 'Neighbour', 'Its mirror']) realms.push(await company(name));
    await emulator.webhooks({ enabled: true, minDelayMs: 0, maxDelayMs: 50, aggregateMs: 50 });
    // Every refresh brings another refresh token, so that losing one would show.
    await emulator.steer('PUT', 'oauth', { rotateAfterMs: 0 });
    await installation.startApps(app, {
      ...{
        SYNC_FAILPOINTS: folder,
        SYNC_TEST_RUN: 'yes',
        SYNC_CAPTURE_COALESCE: '50ms',
        SYNC_CAPTURE_LOOK_INTERVAL: '2s',
      },
      ...{ SYNC_CAPTURE_LEASE: '2s', SYNC_JOB_LEASE: '2s', SYNC_WRITER_LEASE: '2s', SYNC_ATTACHMENTS_LEASE: '2s' },
    });
    installation.supervise();
    const { control } = installation;
    const [source, target, neighbour, itsMirror] = realms as [string, string, string, string];
    const pair = await connectPair(installation, app.clientId, { source, target });
    await connectPair(installation, app.clientId, { source: neighbour, target: itsMirror });
    const person = await emulator.createApp({ name: 'person' });
    const books = (realmId: string) => Accounting.open(emulator, person.clientId, realmId);
    const bench = new Bench(
      ...([
        installation,
        folder,
        control,
        app.clientId,
        source,
        target,
        pair.syncId,
        pair.organizationId,
        await books(source),
        patient,
      ] as const),
    );
    await (await books(neighbour)).write('Customer', { DisplayName: 'Neighbour' });
    await control.startJob(pair.syncId, 'backfill');
    await bench.edit();
    return bench;
  }

  /** Until the point was passed and the act is done; what it broke need not be well again: `judged` waits for that. */
  async run({ point, action, act }: Case): Promise<CaseEnd> {
    const startedMs = performance.now();
    if (act === 'refused token') this.tokenCases++;
    if (['door.', 'notified.'].some((way) => point.startsWith(way))) await this.doorOpen();
    const id = String(++this.fired);
    await writeFile(join(this.folder, 'armed'), `${point} ${action} ${id}`);
    const done = this.do(act);
    const pid = await this.untilFired(id);
    let noticed: string | undefined;
    if (pid === undefined) await rm(join(this.folder, 'armed'), { force: true });
    else if (action === 'hang') noticed = await this.endFrozen(pid);
    await done;
    return { passed: pid !== undefined, tookMs: performance.now() - startedMs, noticed };
  }

  /**
   * A notification that met a door which an earlier case had killed waits, and all behind it: for 10 s at first, for five minutes
   * when it meets a closed one for the fourth time. So each case finds the door open.
   */
  private doorOpen(): Promise<void> {
    return this.until('the notification that waits at the door', async () => {
      const { waiting } = await this.installation.emulator.deliveries();
      return waiting === 0;
    });
  }

  /** Everything that was done is looked at, and judged when it has come to rest. */
  async judged(replay: 'skip' | 'once' = 'skip', o: { restored?: boolean; restMs?: number } = {}): Promise<Report> {
    await this.installation.ready();
    await this.patiently(() => this.control.look(this.source));
    return this.installation.judge({
      ...(replay === 'skip' && { replay }),
      restMs,
      interruptions: this.tokenCases,
      ...o,
    });
  }

  async do(act: Act): Promise<void> {
    const { emulator } = this.installation;
    switch (act) {
      case 'edit':
        return this.edit();
      case 'lost answer':
        await emulator.fault({
          match: { realmId: this.target, entity: 'Customer', operation: 'create' },
          ...{ fault: 'reset-after-commit', times: 1 },
        });
        return this.edit();
      case 'refused token':
        await this.refuseToken();
        return this.edit();
      case 'file': {
        const invoice = this.invoices.at(-1)!;
        const bytes = Buffer.alloc(200_000, `file ${++this.edits} `);
        await this.person.attach({ type: 'Invoice', id: invoice.Id }, `file-${this.edits}.txt`, bytes, 'text/plain');
        return;
      }
      case 'backfill':
      case 'replay':
        await this.edit();
        await this.patiently(() => this.control.startJob(this.syncId, act));
        return;
      case 'operator':
        await this.patiently(() => this.control.pause(this.syncId));
        await this.edit();
        await this.patiently(() => this.control.resume(this.syncId));
        return;
      default:
        return act satisfies never;
    }
  }

  refuseToken(): Promise<unknown> {
    const match = { realmId: this.target, method: 'POST' };
    return this.installation.emulator.fault({ match, fault: 'unauthorized', times: 1 });
  }

  /** A person who edits on and on, with this pause between edits, until told to stop. */
  keepsEditing(pauseMs: number): { readonly edits: number; stop: () => Promise<void> } {
    let edits = 0;
    let working = true;
    const person = (async () => {
      while (working) {
        await this.edit();
        edits++;
        await sleep(pauseMs);
      }
    })();
    return {
      get edits() {
        return edits;
      },
      stop: () => {
        working = false;
        return person;
      },
    };
  }

  /** A person at work: a new customer, an invoice for them, and the invoice before it corrected. */
  async edit(): Promise<void> {
    const n = ++this.edits;
    const customer = await this.person.write('Customer', { DisplayName: `Customer ${n}` });
    const line = (Amount: number) => ({
      ...{ Amount, DetailType: 'SalesItemLineDetail' },
      SalesItemLineDetail: { ItemRef: { value: '1' }, Qty: 1, UnitPrice: Amount },
    });
    const before = this.invoices.at(-1);
    const body = { CustomerRef: { value: customer.Id }, DocNumber: `D${n}`, Line: [line(n)] };
    this.invoices.push(await this.person.write('Invoice', body));
    if (!before) return;
    const { Id, SyncToken } = before;
    Object.assign(
      before,
      await this.person.write('Invoice', { Id, SyncToken, sparse: true, PrivateNote: `seen ${n}` }),
    );
  }

  async held(): Promise<number> {
    return (await this.control.links(this.syncId, '&state=held')).length;
  }

  async reconnect(): Promise<void> {
    const grant = await this.installation.emulator.grant(this.clientId, this.target);
    await this.patiently(() => this.control.connectCompany(this.organizationId, this.target, grant));
  }

  /** Until it is true; what fails meanwhile is tried again. */
  async until(what: string, holds: () => Promise<boolean>, timeoutMs = restMs): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await holds().catch(() => false))) {
      if (performance.now() > deadline) throw new Error(`${what} did not come within ${timeoutMs / 1000} s`);
      await sleep(retryMs);
    }
  }

  async patiently<T>(step: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await step();
      } catch (error) {
        if (tries === 100) throw error;
        await Promise.race([sleep(retryMs), this.installation.broken]);
      }
    }
  }

  private async untilFired(id: string): Promise<number | undefined> {
    const deadline = performance.now() + passTimeoutMs;
    while (performance.now() < deadline) {
      const text = await readFile(join(this.folder, `fired-${id}`), 'utf8').catch(() => '');
      // Renamed first and written after: the pid may need a moment, and a reader may see half of it.
      if (text.startsWith('{') && text.endsWith('}')) return (JSON.parse(text) as { pid: number }).pid;
      await Promise.race([sleep(20), this.installation.broken]);
    }
    return undefined;
  }

  private async endFrozen(pid: number): Promise<string | undefined> {
    const app = this.installation.appOf(pid);
    if (!app) return undefined;
    const since = performance.now();
    const limitMs = this.patient ? watchdogMs : hangMs;
    let noticed: string | undefined;
    while (performance.now() - since < limitMs && noticed === undefined) {
      await sleep(200);
      const live = await fetch(`${this.installation.url(app)}/health/live`).catch(() => undefined);
      if (this.installation.appOf(pid) === undefined) return 'left by itself';
      if (live?.status === 503)
        noticed = `its watchdog said so after ${((performance.now() - since) / 1000).toFixed(0)} s`;
    }
    this.installation.crash(app);
    return noticed;
  }
}
