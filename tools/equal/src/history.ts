// One history: a source company with a person at work in it, an empty company that follows live, another that is filled by
// backfill, and what both look like at rest.
import { setTimeout as sleep } from 'node:timers/promises';
import { entityTypes } from '#core';
import type { EmulatorApp, Raw } from '#testing';
import type { Control, LinkRow, SyncState } from '../../installation/src/control.js';
import type { Installation } from '../../installation/src/installation.js';
import type { EqualOptions, How } from './arguments.js';
import { Books, type PostingLine } from './books.js';
import { judge, type Judgement } from './judgement.js';

const restTimeoutMs = 90_000;
export const sweepMs = 3_000;
/** A person does not do sixty things in one second; so many at a time, then a breath. */
const actsInOneGo = 5;
const breathMs = 400;

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

export const actsOf = ({ seed, acts, only }: EqualOptions): Act[] =>
  Array.from({ length: acts }, (_, index) => ({ index, seed: seed * 1_000_003 + index })).filter(
    ({ index }) => !only || only.includes(index),
  );

export class Histories {
  constructor(
    private readonly o: EqualOptions,
    private readonly installation: Installation,
    private readonly control: Control,
    private readonly app: EmulatorApp,
    private readonly say: (text: string) => void,
  ) {}

  async run(acts: readonly Act[], hows: readonly How[]): Promise<Outcome> {
    const { emulator } = this.installation;
    // Own document numbers everywhere: otherwise the target would number by the order of arrival.
    const preferences = { SalesFormsPrefs: { CustomTxnNumbers: true } };
    const foreign = this.o.currency !== undefined && { multicurrency: true, currency: this.o.currency };
    const source = (
      await emulator.createCompany({
        ...{ name: `Source ${this.o.seed}`, preset: this.o.preset, preferences, seed: this.o.seed, ...foreign },
        ...(this.o.preset === 'generated' && { transactions: this.o.transactions, years: 1 }),
      })
    ).realmId;
    const organization = await this.control.createOrganization(`History ${source}`);
    const connect = async (realmId: string): Promise<void> =>
      void (await this.control.connectCompany(
        organization.id,
        realmId,
        await emulator.grant(this.app.clientId, realmId),
      ));
    await connect(source);
    const targets: { how: How; target: string; before: Set<string>; syncId: string }[] = [];
    const addTarget = async (how: How): Promise<void> => {
      const target = (
        await emulator.createCompany({
          name: `${how} mirror`,
          preferences,
          multicurrency: this.o.currency !== undefined,
        })
      ).realmId;
      await connect(target);
      const before = keysOf((await emulator.dump(target)).records);
      const { id: syncId } = await this.control.createSync(source, target);
      targets.push({ how, target, before, syncId });
      await this.backfill(syncId);
    };
    await emulator.webhooks(
      this.o.shuffle
        ? {
            enabled: true,
            minDelayMs: 0,
            maxDelayMs: 800,
            dropRate: 0.2,
            duplicateRate: 0.2,
            shuffle: true,
            seed: this.o.seed,
          }
        : { enabled: true, minDelayMs: 0, maxDelayMs: 100, dropRate: 0, duplicateRate: 0, shuffle: false },
    );
    if (hows.includes('live')) {
      await addTarget('live');
      await this.rest(source, targets[0]!.syncId, 'backfill before the live acts');
    }
    const done = await this.work(source, acts);
    if (hows.includes('backfill')) await addTarget('backfill');
    const judgements: Outcome['judgements'] = [];
    for (const { how, target, before, syncId } of targets) {
      const unrest = await this.rest(source, syncId, how);
      const judgement = await this.judge(source, target, before, syncId);
      if (unrest) judgement.differences.push({ what: 'rest', key: how, text: 'did not come to rest', cause: unrest });
      judgements.push({ how, judgement });
      // Its work is over: it must not slow down the next.
      await this.control.pause(syncId);
    }
    return { done, judgements };
  }

  private async work(source: string, acts: readonly Act[]): Promise<Done[]> {
    const done: Done[] = [];
    for (const { index, seed } of acts) {
      const answer = await this.installation.emulator.edit(source, { count: 1, seed });
      for (const one of answer.done as Done[]) done.push({ ...one, index });
      if (done.length % actsInOneGo === 0) await sleep(breathMs);
    }
    return done;
  }

  private async backfill(syncId: string): Promise<void> {
    if (!this.o.shuffle) {
      await this.control.startJob(syncId, 'backfill');
      return;
    }
    // Children before their parents, type by type.
    const types = Object.values(entityTypes)
      .filter((one) => one.operations.includes('query'))
      .sort((a, b) => b.rank - a.rank)
      .map((one) => one.type);
    for (const type of types) {
      const { id } = await this.control.startJob(syncId, 'backfill', [type]);
      for (;;) {
        const job = (await this.control.sync(syncId)).jobs.find((one) => one.id === id);
        if (job?.state === 'failed') throw new Error(`the backfill of ${type} failed: ${job.error}`);
        if (job?.state === 'done') break;
        await sleep(100);
      }
    }
  }

  /** @returns why it is not at rest, if it does not come to rest */
  private async rest(source: string, syncId: string, what: string): Promise<string | undefined> {
    const deadline = performance.now() + restTimeoutMs;
    await sleep(2 * sweepMs);
    await this.control.look(source);
    let calm = 0;
    let state: SyncState;
    do {
      state = await Promise.race([this.control.sync(syncId), this.installation.broken]);
      const failed = state.jobs.find((job) => job.state === 'failed');
      if (failed) throw new Error(`${what}: the ${failed.kind} failed: ${failed.error}`);
      const working = state.jobs.some((job) => job.state === 'queued' || job.state === 'running');
      calm = state.quiet && !working ? calm + 1 : 0;
      if (calm >= 2) {
        this.say(`${what}: at rest, ${JSON.stringify(state.counts.byState)}`);
        return undefined;
      }
      await sleep(400);
    } while (performance.now() < deadline);
    return `after ${restTimeoutMs / 1000} s: ${state.motion.join('; ')}; last error ${JSON.stringify(state.lastError)}`;
  }

  private async judge(source: string, target: string, before: Set<string>, syncId: string): Promise<Judgement> {
    const [links, files] = [await this.control.links(syncId), await this.control.links(syncId, '&type=Attachable')];
    const { types } = this.o;
    return judge({
      source: await this.books(source),
      target: await this.books(target),
      targetBefore: before,
      links: [...links, ...files].filter(unique()),
      carried: carriedTypes,
      notPossible,
      nameLists,
      judged: (type) => !types || types.includes(type),
    });
  }

  private async books(realmId: string): Promise<Books> {
    const { emulator } = this.installation;
    const [dump, ledger] = await Promise.all([emulator.dump(realmId), emulator.ledger(realmId)]);
    return new Books(dump.records as Record<string, Raw[]>, ledger.lines as PostingLine[]);
  }
}

function unique(): (link: LinkRow) => boolean {
  const seen = new Set<string>();
  return ({ entityType, sourceId }) => seen.size < seen.add(`${entityType}/${sourceId}`).size;
}

const keysOf = (records: Record<string, Raw[]>): Set<string> =>
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
