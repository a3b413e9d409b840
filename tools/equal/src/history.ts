// One history: a source company with a person at work in it, an empty company that follows live, another that is filled by
// backfill, and what both look like at rest.
import { setTimeout as sleep } from 'node:timers/promises';
import { entityTypes, isSingleton } from '#core';
import type { EmulatorApp, EmulatorClient, Raw } from '#testing';
import { Chance } from '../../demo/src/chance.js';
import type { Control, LinkRow } from '../../installation/src/control.js';
import type { Installation } from '../../installation/src/installation.js';
import type { EqualOptions, How } from './arguments.js';
import { Books, type PostingLine } from './books.js';
import { judge, type Judgement } from './judgement.js';
import { Rest } from './rest.js';
import { makeSource, placeOf, preferences } from './source-company.js';
import { amidKills, misbehave, misbehaved } from './troubles.js';

export const sweepMs = 2_000;
/** A person does not do sixty things in one second; so many at a time, then a breath. */
const actsInOneGo = 5;
const breathMs = 400;
/** So many jobs one after the other, each of some types: what arrives when is left to chance. */
const shuffledJobs = 8;

export interface Act {
  /** place in the seed's list, the name of the act on the command line (`--only`) */
  index: number;
  seed: number;
}

export interface Done {
  index: number;
  act: string;
  type: string;
  id: string;
  name?: string;
  with?: { type: string; id: string }[];
}

export interface Outcome {
  done: Done[];
  judgements: { how: How; judgement: Judgement }[];
}

export const actsOf = ({ acts, only }: EqualOptions, seed: number): Act[] =>
  Array.from({ length: acts }, (_, index) => ({ index, seed: seed * 1_000_003 + index })).filter(
    ({ index }) => !only || only.includes(index),
  );

export class Histories {
  private readonly rest: Rest;
  private last: { syncs: readonly string[]; source: string } | undefined;

  constructor(
    private readonly o: EqualOptions,
    private readonly installation: Installation,
    private readonly control: Control,
    private readonly app: EmulatorApp,
    private readonly say: (text: string) => void,
  ) {
    this.rest = new Rest(control, installation.broken, say);
  }

  async run(seed: number, acts: readonly Act[], hows: readonly How[]): Promise<Outcome> {
    const { emulator } = this.installation;
    if (this.last) await this.putAway(this.last);
    this.last = undefined;
    const chance = new Chance(seed);
    const source = await makeSource(emulator, this.o, seed);
    const organization = await this.control.createOrganization(`History ${source}`);
    const connect = async (realmId: string): Promise<void> => {
      const grant = await emulator.grant(this.app.clientId, realmId);
      await this.control.connectCompany(organization.id, realmId, grant);
      if (this.o.faults) await misbehave(emulator, realmId, seed);
    };
    await connect(source);
    const targets: { how: How; target: string; before: Set<string>; syncId: string }[] = [];
    const addTarget = async (how: How): Promise<void> => {
      const multicurrency = this.o.currency !== undefined;
      const { realmId: target } = await emulator.createCompany({
        ...{ name: `${how} mirror`, preferences, multicurrency },
        ...placeOf(this.o),
      });
      await connect(target);
      const before = keysOf((await emulator.dump(target)).records);
      const { id: syncId } = await this.control.createSync(source, target);
      targets.push({ how, target, before, syncId });
    };
    await emulator.webhooks(this.o.shuffle ? { ...lossyWebhooks, seed } : goodWebhooks);
    let done: Done[] = [];
    const isMeanwhile = this.o.meanwhile && hows.includes('live');
    if (isMeanwhile) {
      await addTarget('live');
      const backfill = (): Promise<void> => this.backfill(targets[0]!.syncId, chance);
      await this.amidKills(chance, async () => {
        [done] = await Promise.all([this.work(source, acts), backfill()]);
      });
    } else if (hows.includes('live')) {
      await addTarget('live');
      await this.amidKills(chance, () => this.backfill(targets[0]!.syncId, chance));
      await this.atRest(source, targets[0]!.syncId, 'backfill before the live acts');
    }
    if (isMeanwhile) this.say('the acts were done while the backfill read');
    else if (targets.length > 0) await this.amidKills(chance, async () => void (done = await this.work(source, acts)));
    else done = await this.work(source, acts);
    if (hows.includes('backfill')) {
      await addTarget('backfill');
      await this.amidKills(chance, () => this.backfill(targets.at(-1)!.syncId, chance));
    }
    const judgements: Outcome['judgements'] = [];
    for (const { how, target, before, syncId } of targets) {
      const unrest = await this.atRest(source, syncId, how);
      const judgement = await judgeSync(this.o, this.installation, this.control, { source, target, before, syncId });
      if (unrest) judgement.differences.push({ what: 'rest', key: how, text: 'did not come to rest', cause: unrest });
      judgements.push({ how, judgement });
    }
    if (this.o.faults) this.say(`QuickBooks misbehaved: ${await misbehaved(emulator)}`);
    await emulator.clearFaults();
    this.last = { syncs: targets.map(({ syncId }) => syncId), source };
    return { done, judgements };
  }

  /** Its work is over, it must not slow down the next: nothing is written any more, and the source is not looked at. */
  private async putAway({ syncs, source }: { syncs: readonly string[]; source: string }): Promise<void> {
    for (const syncId of syncs) await this.control.pause(syncId);
    await this.installation.emulator.revokeGrant(this.app.clientId, source);
  }

  private amidKills(chance: Chance, work: () => Promise<void>): Promise<void> {
    return amidKills(this.o.kills, this.installation, chance, work, this.say);
  }

  private async work(source: string, acts: readonly Act[]): Promise<Done[]> {
    const done: Done[] = [];
    for (const { index, seed } of acts) {
      const answer = await this.installation.emulator.edit(source, {
        count: 1,
        seed,
        movingPrices: this.o.movingPrices,
        awkward: this.o.awkward,
      });
      for (const one of answer.done as Done[]) done.push({ ...one, index });
      if (done.length % actsInOneGo === 0) await sleep(breathMs);
    }
    return done;
  }

  private async backfill(syncId: string, chance: Chance): Promise<void> {
    if (!this.o.shuffle) {
      await this.control.startJob(syncId, 'backfill');
      return;
    }
    const types = Object.values(entityTypes)
      .filter((one) => one.operations.includes('query'))
      .sort((a, b) => b.rank - a.rank)
      .map(({ type }) => ({ type, turn: chance.next() }));
    // As often as not strictly children first, the hardest order.
    if (chance.happens(0.5)) types.sort((a, b) => a.turn - b.turn);
    const size = Math.ceil(types.length / shuffledJobs);
    for (let at = 0; at < types.length; at += size) {
      const part = types.slice(at, at + size).map(({ type }) => type);
      const { id } = await this.control.startJob(syncId, 'backfill', part);
      for (;;) {
        const job = await Promise.race([this.control.job(id), this.installation.broken]);
        if (job.state === 'failed') throw new Error(`the backfill of ${part.join()} failed: ${job.error}`);
        if (job.state === 'done') break;
        await sleep(200);
      }
    }
  }

  private async atRest(source: string, syncId: string, what: string): Promise<string | undefined> {
    await sleep(2 * sweepMs);
    await this.control.look(source);
    return this.rest.of(syncId, what);
  }
}

export interface Judged {
  source: string;
  target: string;
  /** keys of what the target had before */
  before: ReadonlySet<string>;
  syncId: string;
  heldThere?: ReadonlySet<string>;
  oppositeId?: string;
}

/** Both companies as they are now, one against the other. */
export async function judgeSync(
  o: Pick<EqualOptions, 'types' | 'company'> & { together?: boolean },
  { emulator }: Installation,
  control: Control,
  { source, target, before, syncId, heldThere, oppositeId }: Judged,
): Promise<Judgement> {
  const [links, files] = [await control.links(syncId), await control.links(syncId, '&type=Attachable')];
  return judge({
    source: await booksOf(emulator, source),
    target: await booksOf(emulator, target),
    targetBefore: before,
    ...(heldThere && { heldThere }),
    ...(oppositeId !== undefined && { linksBack: await control.links(oppositeId) }),
    links: [...links, ...files].filter(unique()),
    carried: carriedTypes,
    notPossible,
    mappedOnly: (type, record) => isSingleton(type, record) || entityTypes[type]?.policy === 'adopted',
    nameLists,
    judged: (type) => !o.types || o.types.includes(type),
    fragment: o.company === 'fixtures',
    ...(o.together && { severalHands: true }),
  });
}

async function booksOf(emulator: EmulatorClient, realmId: string): Promise<Books> {
  const [dump, ledger] = await Promise.all([emulator.dump(realmId), emulator.ledger(realmId)]);
  return new Books(dump.records as Record<string, Raw[]>, ledger.lines as PostingLine[]);
}

export const goodWebhooks = {
  enabled: true,
  minDelayMs: 0,
  maxDelayMs: 100,
  dropRate: 0,
  duplicateRate: 0,
  shuffle: false,
};
export const lossyWebhooks = {
  enabled: true,
  minDelayMs: 0,
  maxDelayMs: 800,
  dropRate: 0.2,
  duplicateRate: 0.2,
  shuffle: true,
};

function unique(): (link: LinkRow) => boolean {
  const seen = new Set<string>();
  return ({ entityType, sourceId }) => seen.size < seen.add(`${entityType}/${sourceId}`).size;
}

export const keysOf = (records: Record<string, Raw[]>): Set<string> =>
  new Set(Object.entries(records).flatMap(([type, rows]) => rows.map((row) => `${type}/${row.Id}`)));

const definitions = Object.values(entityTypes);
export const carriedTypes: ReadonlySet<string> = new Set(
  definitions.filter((one) => one.policy !== 'reported').map((one) => one.type),
);
const nameLists: ReadonlySet<string> = new Set(
  definitions.filter((one) => one.category === 'name-list').map((one) => one.type),
);

/** The registry says of some records of a type that no API can make them. */
function notPossible(type: string, record: Raw): string | undefined {
  return entityTypes[type]?.specialCases.find(
    ({ when, notCarried }) =>
      notCarried !== undefined && Object.entries(when).every(([field, value]) => record[field] === value),
  )?.notCarried;
}
