// Companies in other shapes than one source and its copy: two in opposite syncs with a person at work in both, and a chain A to
// B to C. Judged as any other copy, and then by what follows rest: QuickBooks' own count of writes may not grow any more.
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorApp } from '#testing';
import { Chance } from '../../demo/src/chance.js';
import type { Control } from '../../installation/src/control.js';
import type { Installation } from '../../installation/src/installation.js';
import type { EqualOptions } from './arguments.js';
import {
  goodWebhooks,
  judgeSync,
  keysOf,
  lossyWebhooks,
  sweepMs,
  type Act,
  type Done,
  type Judged,
} from './history.js';
import type { Judgement } from './judgement.js';
import { told, type Reported } from './report.js';
import { Rest } from './rest.js';
import { makeSource, placeOf, preferences } from './source-company.js';
import { amidKills, misbehave, misbehaved } from './troubles.js';

/** Two people do not do five things each in one second. */
const actsInOneGo = 4;
const breathMs = 500;
/** Looks at every company after rest: what one sync wrote must not come back through another, however long it takes. */
const looksAfterRest = 3;

interface Company {
  name: string;
  realmId: string;
  /** as it was before any sync */
  before: ReadonlySet<string>;
}

interface Direction {
  name: string;
  id: string;
  from: Company;
  to: Company;
}

export interface Rested extends Reported {
  writesAfterRest: number;
}

export class Shaped {
  private readonly rest: Rest;
  private last: { companies: readonly Company[]; syncs: readonly Direction[] } | undefined;

  constructor(
    private readonly o: EqualOptions,
    private readonly shape: 'two-way' | 'chain',
    private readonly installation: Installation,
    private readonly control: Control,
    private readonly app: EmulatorApp,
    private readonly say: (text: string) => void,
  ) {
    this.rest = new Rest(control, installation.broken, say);
  }

  async run(seed: number, acts: readonly Act[]): Promise<Rested> {
    const { emulator } = this.installation;
    await this.putAway();
    const chance = new Chance(seed);
    await emulator.webhooks(this.o.shuffle ? { ...lossyWebhooks, seed } : goodWebhooks);
    const names = this.shape === 'chain' ? ['A', 'B', 'C'] : ['A', 'B'];
    const companies = await this.companies(names, seed);
    const syncs: Direction[] = [];
    this.last = { companies, syncs };
    const [a, b] = companies as [Company, Company];
    for (const [from, to] of this.shape === 'chain' ? pairsOf(companies) : [[a, b] as const, [b, a] as const]) {
      const { id } = await this.control.createSync(from.realmId, to.realmId);
      syncs.push({ name: `${from.name} to ${to.name}`, id, from, to });
    }
    await amidKills(this.o.kills, this.installation, chance, () => this.fill(syncs), this.say);
    await this.allAtRest(companies, syncs, 'before the acts');
    const at = this.shape === 'chain' ? [a] : companies;
    let done: (Done & { in: string })[] = [];
    const work = async (): Promise<void> => void (done = await this.work(at, syncs, acts, new Chance(seed)));
    await amidKills(this.o.kills, this.installation, chance, work, this.say);
    const unrest = await this.allAtRest(companies, syncs, 'after the acts');
    const judgements = await this.judge(syncs);
    if (unrest)
      judgements[0]!.judgement.differences.push({
        what: 'rest',
        key: 'all',
        text: 'did not come to rest',
        cause: unrest,
      });
    if (this.o.faults) this.say(`QuickBooks misbehaved: ${await misbehaved(emulator)}`);
    await emulator.clearFaults();
    const writesAfterRest = unrest ? 0 : await this.writesFrom(companies, syncs);
    if (writesAfterRest > 0 || judgements.some(({ judgement }) => judgement.differences.length > 0))
      for (const one of done) this.say(`  in ${one.in} ${told(one)}`);
    return { judgements, writesAfterRest };
  }

  private async companies(names: readonly string[], seed: number): Promise<Company[]> {
    const { emulator } = this.installation;
    const organization = await this.control.createOrganization(`${this.shape} ${seed}`);
    const companies: Company[] = [];
    for (const name of names) {
      const made = { name, preferences, multicurrency: this.o.currency !== undefined, ...placeOf(this.o) };
      const realmId =
        name === 'A' ? await makeSource(emulator, this.o, seed) : (await emulator.createCompany(made)).realmId;
      await this.control.connectCompany(organization.id, realmId, await emulator.grant(this.app.clientId, realmId));
      if (this.o.faults) await misbehave(emulator, realmId, seed + companies.length);
      companies.push({ name, realmId, before: keysOf((await emulator.dump(realmId)).records) });
    }
    return companies;
  }

  private async fill(syncs: readonly Direction[]): Promise<void> {
    for (const sync of syncs) {
      await this.control.startJob(sync.id, 'backfill');
      await this.rest.of(sync.id, `backfill ${sync.name}`);
    }
  }

  /**
   * Some acts in one company, then some in another. In turns what was done is carried before somebody acts on the other side;
   * together nobody waits, and two people may well do what cannot both be (deposit one payment twice).
   */
  private async work(
    at: readonly Company[],
    syncs: readonly Direction[],
    acts: readonly Act[],
    chance: Chance,
  ): Promise<(Done & { in: string })[]> {
    const done: (Done & { in: string })[] = [];
    let company = at[0]!;
    for (const [n, { index, seed }] of acts.entries()) {
      if (n % actsInOneGo === 0) {
        const next = at[Math.floor(chance.next() * at.length)]!;
        if (next !== company && !this.o.together) {
          // A webhook under way is no work yet: what was done is looked at, then carried.
          for (const { realmId } of at) await this.control.look(realmId);
          for (const sync of syncs) await this.rest.of(sync.id, '', () => undefined);
        } else await sleep(breathMs);
        company = next;
      }
      const answer = await this.installation.emulator.edit(company.realmId, {
        count: 1,
        seed,
        movingPrices: this.o.movingPrices,
        awkward: this.o.awkward,
      });
      for (const one of answer.done as Done[]) done.push({ ...one, index, in: company.name });
    }
    return done;
  }

  /** All of them at once: what comes to rest in one may make work in another, so they are asked until none moved in a round. */
  private async allAtRest(
    companies: readonly Company[],
    syncs: readonly Direction[],
    what: string,
  ): Promise<string | undefined> {
    for (let before = -1; ;) {
      await this.lookAtAll(syncs);
      for (const sync of syncs) {
        const unrest = await this.rest.of(sync.id, `${what}, ${sync.name}`);
        if (unrest) return `${sync.name}: ${unrest}`;
      }
      const writes = await this.writes(companies);
      if (writes === before) return undefined;
      before = writes;
    }
  }

  /** Only at sources: the last company of a chain is nobody's. */
  private async lookAtAll(syncs: readonly Direction[]): Promise<void> {
    for (const { from } of syncs) await this.control.look(from.realmId);
    await sleep(2 * sweepMs);
    for (const { from } of syncs) await this.control.look(from.realmId);
  }

  private async judge(syncs: readonly Direction[]): Promise<{ how: string; judgement: Judgement }[]> {
    const judged = ({ id, from, to }: Direction, more: Partial<Judged> = {}): Promise<Judgement> => {
      const what = { source: from.realmId, target: to.realmId, before: to.before, syncId: id, ...more };
      return judgeSync(this.o, this.installation, this.control, what);
    };
    const judgements = [];
    if (this.shape === 'chain') {
      for (const sync of syncs) judgements.push({ how: sync.name, judgement: await judged(sync) });
      return judgements;
    }
    // Everything of both is compared, also what they had before; what the way back lists as held is not there to be found.
    const before = new Set<string>();
    const [there, back] = syncs as [Direction, Direction];
    const { held } = await judged(back, { before, oppositeId: there.id });
    const heldThere = new Set(held.map(({ key }) => key));
    const judgement = await judged(there, { before, heldThere, oppositeId: back.id });
    const text = ({ key, reason, amount }: (typeof held)[number]): string =>
      `held on the way back: ${key}, amount ${amount}: ${reason}`;
    judgement.notes.push(...held.map(text));
    return [{ how: there.name, judgement }];
  }

  private async writesFrom(companies: readonly Company[], syncs: readonly Direction[]): Promise<number> {
    const before = await this.writes(companies);
    for (let n = 0; n < looksAfterRest; n++) {
      await this.lookAtAll(syncs);
      for (const sync of syncs) await this.rest.of(sync.id, `look ${n + 1} after rest, ${sync.name}`);
    }
    return (await this.writes(companies)) - before;
  }

  /** As QuickBooks counts them. */
  private async writes(companies: readonly Company[]): Promise<number> {
    let sum = 0;
    for (const { realmId } of companies) sum += Number((await this.installation.emulator.stats(realmId)).writes);
    return sum;
  }

  private async putAway(): Promise<void> {
    for (const { id } of this.last?.syncs ?? []) await this.control.pause(id);
    for (const { realmId } of this.last?.companies ?? [])
      await this.installation.emulator.revokeGrant(this.app.clientId, realmId);
    this.last = undefined;
  }
}

/** A to B, B to C. */
const pairsOf = (companies: readonly Company[]): (readonly [Company, Company])[] =>
  companies.slice(1).map((to, n) => [companies[n]!, to]);
