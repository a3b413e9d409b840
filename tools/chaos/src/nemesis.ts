// Does to the running system what the plan says, and undoes it: each act strikes, lasts, is healed, and is felt until a canary
// arrives again (acts against our own processes) or QuickBooks is called with success again (acts of QuickBooks).
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { appNames, type AppName } from '../../dev/src/apps.js';
import type { Child } from '../../dev/src/infrastructure.js';
import type { Control } from '../../installation/src/control.js';
import type { Installation } from '../../installation/src/installation.js';
import type { Canary } from './canary.js';
import type { Journal } from './journal.js';
import { endsAProcess, goesOnBeside, type Act, type NetworkTrouble, type PlannedAct } from './plan.js';
import { rulesOf } from './quickbooks.js';
import { kindOf, type Sample } from './recovery.js';
import type { TcpProxy, Trouble } from './tcp-proxy.js';

const run = promisify(execFile);

/** libs/kafka/src/kafkajs-log.ts */
const sessionMs = 6_000;
/** What is not over after so long is told as "over"; the rest at the end has its own, longer patience. */
export const feltLimitMs = 120_000;
const quietLimitMs = 5_000;
const brokerDownMs = 3_000;
/** A write fails at once when the disk is full; a broker that had nothing to write goes on. */
const diskFullMs = 15_000;
/** k8s/base: liveness every ten seconds, three failures in a row, one second to answer. */
const probe = { everyMs: 10_000, failures: 3, timeoutMs: 1_000 };

export const troubles: Readonly<Record<NetworkTrouble, Trouble>> = {
  cut: { kind: 'cut' },
  silence: { kind: 'silence' },
  // A line to another continent, there and back.
  delay: { kind: 'delay', ms: 150 },
  throttle: { kind: 'throttle', bytesPerSecond: 40_000 },
};

export interface Company {
  realmId: string;
  organizationId: string;
}

export interface Battlefield {
  installation: Installation;
  control: Control;
  clientId: string;
  canary: Canary;
  /** by the number that the plan gives them */
  companies: readonly Company[];
  links: ReadonlyMap<string, TcpProxy>;
  seed: number;
  /** clocks that are wrong from an app's next start on */
  skews: Map<AppName, number>;
  goodWebhooks: Record<string, unknown>;
  journal: Journal;
  say: (text: string) => void;
}

/** One act under way. */
export interface Course {
  healed: Promise<void>;
  over: Promise<void>;
}

export class Nemesis {
  readonly samples: Sample[] = [];
  kills = 0;
  /** processes that ended for other reasons of ours: a clock set, a probe that failed, a disk that was full */
  otherEnds = 0;
  private readonly busy = new Map<string, Promise<unknown>>();
  private readonly more: Child[] = [];
  /** acts during which another one struck: neither one's time is its own */
  private readonly met = new Set<number>();
  private latest: number | undefined;
  private watching = true;
  private loading = true;
  private readonly watch: Promise<unknown>;

  constructor(private readonly field: Battlefield) {
    this.watch = Promise.all(appNames.map((app) => this.probeLiveness(app)));
  }

  /** Strikes when nothing else is being done to the same thing any more. */
  async begin(planned: PlannedAct, changes: number): Promise<Course> {
    const thing = thingOf(planned.act);
    await this.busy.get(thing);
    const { journal } = this.field;
    journal.write({ what: 'act', planned, changes });
    this.field.say(`${changes} changes: ${told(planned.act)}`);
    if (!goesOnBeside(planned.act)) {
      if (planned.joined && this.latest !== undefined) this.met.add(this.latest).add(planned.n);
      this.latest = planned.n;
    }
    const beganMs = performance.now();
    const healed = this.strike(planned.act).then(() => journal.write({ what: 'healed', n: planned.n }));
    const over = this.feel(planned, beganMs, healed);
    const whole = Promise.all([healed, over]);
    whole.catch(() => undefined);
    this.busy.set(thing, whole);
    return { healed, over };
  }

  /** Nothing wrong is left behind. */
  async healAll(): Promise<void> {
    this.watching = this.loading = false;
    await Promise.all(this.busy.values());
    await this.watch;
    const { installation, links, skews } = this.field;
    for (const link of links.values()) link.heal();
    for (const child of this.more) await child.stop();
    for (const app of [...skews.keys()]) {
      skews.delete(app);
      await this.endAndWait(app, 'SIGTERM');
    }
    await installation.emulator.clearFaults();
    await installation.emulator.webhooks(this.field.goodWebhooks);
    await installation.ready();
  }

  /** Does it and undoes it. */
  private async strike(act: Act): Promise<void> {
    const { installation, skews } = this.field;
    if (endsAProcess(act)) this.kills++;
    switch (act.kind) {
      case 'app-kill':
      case 'app-stop':
        return this.endAndWait(act.app, act.kind === 'app-kill' ? 'SIGKILL' : 'SIGTERM');
      case 'app-freeze':
        return this.freezeApp(act.app, act.sessions * sessionMs);
      case 'clock-skew':
        skews.set(act.app, act.byMs);
        this.otherEnds++;
        return this.endAndWait(act.app, 'SIGTERM');
      case 'broker-kill':
      case 'broker-stop':
      case 'broker-freeze':
      case 'broker-disk-full':
        return this.strikeBroker(act);
      case 'postgres-kill':
      case 'postgres-stop':
        return this.strikePostgres(act.kind);
      case 'network': {
        const link = this.field.links.get(act.link)!;
        link.disturb(troubles[act.trouble]);
        await sleep(act.forMs);
        return link.heal();
      }
      case 'quickbooks': {
        const { realmId } = this.field.companies[act.company]!;
        const ids: string[] = [];
        for (const [n, rule] of rulesOf[act.trouble].entries()) {
          const seed = this.field.seed * 100 + n;
          ids.push((await installation.emulator.fault({ ...rule, match: { ...rule.match, realmId }, seed })).id);
        }
        await sleep(act.forMs);
        for (const id of ids) await installation.emulator.steer('DELETE', `faults/${id}`);
        return;
      }
      case 'webhooks': {
        const { dropRate, duplicateRate, shuffle } = act;
        await installation.emulator.webhooks({
          maxDelayMs: 800,
          dropRate,
          duplicateRate,
          shuffle,
          seed: this.field.seed,
        });
        await sleep(act.forMs);
        await installation.emulator.webhooks(this.field.goodWebhooks);
        return;
      }
      case 'grant-revoked':
        return this.revoke(this.field.companies[act.company]!, act.forMs);
      case 'writer-added':
        this.more.push(await installation.startAnother('qbo-writer'));
        return;
      case 'writer-removed':
        this.otherEnds++;
        return this.more.shift()?.stop();
      default:
        return act satisfies never;
    }
  }

  /** Until it is no longer felt; the time counts from the strike, for what only hinders (network, QuickBooks) from its end. */
  private async feel({ n, act }: PlannedAct, beganMs: number, healed: Promise<void>): Promise<void> {
    let endedMs: number | undefined;
    let fromMs = beganMs;
    if (act.kind === 'quickbooks' || act.kind === 'grant-revoked') {
      await healed;
      fromMs = performance.now();
      endedMs = await this.calledAgain(this.field.companies[act.company]!.realmId);
      if (endedMs === undefined && !this.loading) return;
    } else if (goesOnBeside(act)) {
      return healed;
    } else {
      const singing = this.field.canary.sing(feltLimitMs);
      // Awaited below, when the act is healed; a failure before that is told there.
      singing.catch(() => undefined);
      await healed;
      const healedMs = performance.now();
      if (act.kind === 'network') fromMs = healedMs;
      const arrivedMs = await singing;
      // A dead app is back when it serves again, a broker's or a line's absence is over when nobody feels it any more.
      const back = act.kind.startsWith('app') || act.kind === 'clock-skew' ? healedMs : 0;
      endedMs = arrivedMs && Math.max(arrivedMs, back, fromMs);
    }
    const ms = endedMs === undefined ? undefined : endedMs - fromMs;
    this.samples.push({ kind: kindOf(act), ms, joined: this.met.has(n) });
    this.field.journal.write({ what: 'recovered', n, afterMs: ms === undefined ? null : Math.round(ms) });
    if (ms === undefined) this.field.say(`still felt after ${feltLimitMs / 1000} s: ${told(act)}`);
  }

  private async endAndWait(app: AppName, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { installation } = this.field;
    const old = await this.pid(app);
    installation.signal(app, signal);
    await this.untilBack(app, old);
  }

  /** Another process of that app serves. */
  private async untilBack(app: AppName, old: number): Promise<void> {
    const { installation } = this.field;
    for (;;) {
      const pid = installation.pidOf(app);
      if (pid !== undefined && pid !== old && (await answers(`${installation.url(app)}/health/ready`, 3_000))) return;
      await sleep(100);
    }
  }

  /** One that is just being started again has none for a moment. */
  private async pid(app: AppName): Promise<number> {
    for (;;) {
      const pid = this.field.installation.pidOf(app);
      if (pid !== undefined) return pid;
      await sleep(50);
    }
  }

  private async freezeApp(app: AppName, forMs: number): Promise<void> {
    const { installation } = this.field;
    const pid = await this.pid(app);
    installation.signal(app, 'SIGSTOP');
    const untilMs = performance.now() + forMs;
    while (performance.now() < untilMs && installation.pidOf(app) === pid) await sleep(50);
    if (installation.pidOf(app) === pid) installation.signal(app, 'SIGCONT');
    else await this.untilBack(app, pid);
  }

  private async strikeBroker(act: Extract<Act, { broker: number }>): Promise<void> {
    const node = this.field.installation.infrastructure.kafka[act.broker - 1]!;
    switch (act.kind) {
      case 'broker-kill':
        await node.kill();
        break;
      case 'broker-stop':
        await node.stop();
        break;
      case 'broker-freeze':
        process.kill(node.pid!, 'SIGSTOP');
        await sleep(act.sessions * sessionMs);
        process.kill(node.pid!, 'SIGCONT');
        return;
      case 'broker-disk-full': {
        // Every write to its files is refused, as on a disk without space; room is made when it has given up.
        await run('prlimit', ['--pid', String(node.pid), '--fsize=0:']);
        const untilMs = performance.now() + diskFullMs;
        while (node.pid !== undefined && performance.now() < untilMs) await sleep(50);
        if (node.pid !== undefined) {
          await run('prlimit', ['--pid', String(node.pid), '--fsize=unlimited:']);
          return;
        }
        this.otherEnds++;
        break;
      }
      default:
        return act satisfies never;
    }
    // Where others take over, long enough that they must; one alone is started again as a platform would.
    if (this.field.installation.infrastructure.kafka.length > 1) await sleep(brokerDownMs);
    await node.start();
  }

  private async strikePostgres(kind: 'postgres-kill' | 'postgres-stop'): Promise<void> {
    const postgres = this.field.installation.infrastructure.postgres!;
    await (kind === 'postgres-kill' ? postgres.kill() : postgres.stop());
    for (let tries = 1; ; tries++) {
      try {
        return await postgres.start();
      } catch (error) {
        // Its children outlive it for a moment and hold the shared memory.
        if (tries === 50) throw error;
        await sleep(200);
      }
    }
  }

  private async revoke({ realmId, organizationId }: Company, forMs: number): Promise<void> {
    const { installation, control, clientId } = this.field;
    await installation.emulator.revokeGrant(clientId, realmId);
    await sleep(forMs);
    for (let tries = 1; ; tries++) {
      try {
        const grant = await installation.emulator.grant(clientId, realmId);
        await control.connectCompany(organizationId, realmId, grant);
        return;
      } catch (error) {
        // Control, too, may be without its database just now; a person tries again.
        if (tries === 100) throw error;
        await sleep(300);
      }
    }
  }

  /** QuickBooks answers us in this company without a fault. */
  private async calledAgain(realmId: string): Promise<number | undefined> {
    const { installation, clientId } = this.field;
    const fromMs = performance.now();
    let { last } = (await installation.emulator.requests(realmId, Number.MAX_SAFE_INTEGER)) as { last: number };
    // With nobody at work any more there may be nothing to call for.
    while (performance.now() - fromMs < (this.loading ? feltLimitMs : quietLimitMs)) {
      await sleep(200);
      const news = (await installation.emulator.requests(realmId, last)) as {
        requests: { app?: string; status: number; fault?: string }[];
        last: number;
      };
      last = news.last;
      if (news.requests.some((row) => row.app === clientId && row.status === 200 && row.fault === undefined))
        return performance.now();
    }
    return undefined;
  }

  /** As the platform does it: one that does not answer its liveness probe is killed and started again. */
  private async probeLiveness(app: AppName): Promise<void> {
    const { installation, journal, say } = this.field;
    let [failures, of, nextMs] = [0, installation.pidOf(app), performance.now() + probe.everyMs];
    while (this.watching) {
      await sleep(250);
      const pid = installation.pidOf(app);
      if (pid !== of) [failures, of, nextMs] = [0, pid, performance.now() + 2 * probe.everyMs];
      if (pid === undefined || performance.now() < nextMs) continue;
      nextMs = performance.now() + probe.everyMs;
      failures = (await answers(`${installation.url(app)}/health/live`, probe.timeoutMs)) ? 0 : failures + 1;
      if (failures < probe.failures || installation.pidOf(app) !== pid) continue;
      const text = `${app} does not answer its liveness probe: killed and started again`;
      journal.write({ what: 'noticed', text });
      say(text);
      this.otherEnds++;
      installation.signal(app, 'SIGKILL');
    }
  }
}

async function answers(url: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Two acts upon one thing come one after the other. */
function thingOf(act: Act): string {
  switch (act.kind) {
    case 'app-kill':
    case 'app-stop':
    case 'app-freeze':
    case 'clock-skew':
      return act.app;
    case 'broker-kill':
    case 'broker-stop':
    case 'broker-freeze':
    case 'broker-disk-full':
      return 'kafka';
    case 'postgres-kill':
    case 'postgres-stop':
      return 'postgresql';
    case 'network':
      return act.link;
    case 'quickbooks':
    case 'grant-revoked':
      return `company ${act.company}`;
    default:
      return act.kind;
  }
}

function told(act: Act): string {
  const { kind, ...details } = act;
  return `${kind} ${Object.entries(details)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`.trim();
}
