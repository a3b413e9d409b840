// Plans a handful of links together: loads what the decisions need (ids of parents, twins, records as they are now), asks
// the core for each link, and asks again when the core wanted to know more. Reads only; writes nothing.
import {
  definitionOf,
  faultBehind,
  freezesOthers,
  holderTypesOf,
  holdingCopy,
  inTurn,
  isCollision,
  isContentApplied,
  isEnteredBefore,
  isResting,
  isStockItem,
  itemsOf,
  namedLineReferences,
  planWrite,
  receiptOf,
  receivingTypes,
  restOf,
  stockTurn,
  takenTypesOf,
  typesInRankOrder,
  writePolicy,
  type Json,
  type Lookup,
  type Namesake,
  type MissingReference,
  type PairFacts,
  type Plan,
  type Receipt,
  type WriteFacts,
} from '#core';
import type { Clock } from '#common/clock';
import type { RequestClass } from '#qbo';
import { keyText, type Links, type LinkKey, type StoredLink } from '#storage';
import type { Pairs } from '../pairs/pairs.js';
import type { SyncSettings } from './sync-settings.js';
import { RollbackPlanner } from './rollback-planner.js';
import { followMergers, type LivesOn } from './mergers.js';
import { lookupKey, ReadRefused, type TargetReader } from './target-reader.js';

export interface Planned {
  stored: StoredLink;
  plan: Plan;
  /** what is known of the other side of a pair of opposite syncs */
  pair?: PairFacts | undefined;
  /** which version of its sync's settings it was planned under */
  settingsVersion?: number | undefined;
  /** goods that it brings in, and when: one such call after the other */
  receipt?: Receipt | undefined;
}

const definitions = typesInRankOrder();
export const batchedTypes = definitions.filter((d) => d.batchable).map((d) => d.type);
/** One at a time: QBO contends on names. */
export const namedTypes = definitions.filter((d) => !d.batchable).map((d) => d.type);
/** A name made inactive can still be pointed at; a deleted transaction cannot. */
const keptWhenRemoved = definitions.filter((d) => d.category !== 'transaction').map((d) => d.type);

/** Asked for more, given more, asks again: look up, then read, then decide. More turns than that are a loop. */
const maxTurns = 4;

interface Knowledge {
  candidates?: Json[];
  namesakes?: Namesake[];
  taken: Set<string>;
  targetNow?: Json | null;
  /** the target declined to show the record */
  refused?: { code: string; reason: string };
}

export class Planner {
  private readonly rollbacks: RollbackPlanner;

  constructor(
    private readonly ports: {
      links: Links;
      settings: SyncSettings;
      reader: TargetReader;
      pairs: Pairs;
      clock: Clock;
    },
  ) {
    this.rollbacks = new RollbackPlanner(ports);
  }

  /** @throws TargetUnavailable when the target could not be asked; nothing has happened then */
  async plan(stored: readonly StoredLink[], callClass: RequestClass, signal: AbortSignal): Promise<Planned[]> {
    if (stored.length === 0) return [];
    const back = stored.filter(({ link }) => link.desired.op === 'rollback');
    if (back.length > 0) {
      const others = stored.filter(({ link }) => link.desired.op !== 'rollback');
      return [...(await this.rollbacks.plan(back, callClass, signal)), ...(await this.plan(others, callClass, signal))];
    }
    const livesOn = followMergers(await this.ports.links.mergers([...new Set(stored.map((one) => one.syncId))]));
    const [parents, wantedOut, policies, pending] = await Promise.all([
      this.parentsOf(stored, livesOn),
      this.membersWantingOut(stored),
      this.ports.settings.fresh(),
      this.pendingTransactions(stored),
    ]);
    const { lines, changing } = await this.namedLines(stored, livesOn, callClass, signal);
    const pairs = await this.ports.pairs.facts(stored);
    const stock = await this.stockOf(stored);
    const known = new Map<string, Knowledge>();
    // Two records of one round must not take the same twin.
    const chosen = new Set<string>();
    const decide = (one: StoredLink): Plan => {
      const knowledge = known.get(keyText(one));
      if (knowledge?.refused) return { kind: 'hold', ...knowledge.refused };
      const facts: WriteFacts = {
        resolve: (entityType, sourceId) => parents.get(keyText(livesOn({ syncId: one.syncId, entityType, sourceId }))),
        policy: writePolicy(policies.get(one.syncId)?.settings ?? {}, one.entityType),
        dependentsPending: pending.has(keyText(one)) || isLeavingAtFirstSight(one),
        letGo: wantedOut.get(keyText(one)) ?? [],
        linesOf: (entityType, sourceId) => lines.get(keyText(livesOn({ syncId: one.syncId, entityType, sourceId }))),
        isChanging: (entityType, sourceId) =>
          changing.has(keyText(livesOn({ syncId: one.syncId, entityType, sourceId }))),
        ...stock.turnOf(one),
        ...(pairs.has(keyText(one)) ? { pair: pairs.get(keyText(one))! } : {}),
        ...(one.lastFault === undefined ? {} : { lastFault: faultBehind(one.entityType, one.lastFault) }),
        ...(knowledge?.candidates === undefined ? {} : { candidates: knowledge.candidates }),
        ...(knowledge?.namesakes === undefined ? {} : { namesakes: knowledge.namesakes }),
        ...(knowledge?.targetNow === undefined ? {} : { targetNow: knowledge.targetNow }),
        taken: new Set([
          ...(knowledge?.taken ?? []),
          ...[...chosen]
            .filter((c) => c.startsWith(`${one.entityType}/`))
            .map((c) => c.slice(one.entityType.length + 1)),
        ]),
      };
      const plan = waitingForHeirs(planOrFail(one, facts), one.syncId, livesOn);
      if (plan.kind === 'adopt') chosen.add(`${one.entityType}/${plan.targetId}`);
      return plan;
    };
    const done: Planned[] = [];
    let open = [...stored];
    for (let turn = 1; open.length > 0; turn++) {
      const planned = open.map((one) => ({
        stored: one,
        plan: decide(one),
        pair: pairs.get(keyText(one)),
        settingsVersion: policies.get(one.syncId)?.version,
        receipt: stock.receipts.get(keyText(one)),
      }));
      const asking = planned.filter(({ plan }) => plan.kind === 'lookup' || plan.kind === 'read');
      done.push(...planned.filter(({ plan }) => plan.kind !== 'lookup' && plan.kind !== 'read'));
      if (asking.length > 0 && turn === maxTurns) {
        throw new Error(`planning of ${asking[0]!.stored.entityType} ${asking[0]!.stored.sourceId} keeps asking`);
      }
      await this.learn(asking, known, callClass, signal);
      open = asking.map((p) => p.stored);
      // What was read may have told of an edit on the other side.
      for (const [key, facts] of await this.ports.pairs.facts(open)) pairs.set(key, facts);
    }
    return inOrderOfReceipt(await this.namesInTurn(done));
  }

  /** Whose turn it is to bring in goods (core: stock-order.ts). Within this round `inOrderOfReceipt` decides. */
  private async stockOf(stored: readonly StoredLink[]): Promise<Stock> {
    const receipts = new Map<string, Receipt>();
    const receiving = stored.filter((one) => receiptOf(one.link, () => true));
    if (receiving.length === 0) return { receipts, turnOf: () => ({}) };
    const { links, clock } = this.ports;
    const keys = new Map<string, LinkKey>();
    for (const { syncId, link } of receiving)
      for (const sourceId of itemsOf(link)) {
        const key = { syncId, entityType: 'Item', sourceId };
        keys.set(keyText(key), key);
      }
    const items = await links.find([...keys.values()]);
    const isStock = new Set(items.filter(({ link }) => isStockItem(link.desired.payload)).map(keyText));
    for (const one of receiving) {
      const { syncId } = one;
      const receipt = receiptOf(one.link, (sourceId) => isStock.has(keyText({ syncId, entityType: 'Item', sourceId })));
      if (receipt) receipts.set(keyText(one), receipt);
    }
    const toMake = receiving.flatMap((one) => {
      const { syncId, entityType, sourceId, lane } = one;
      const receipt = receipts.get(keyText(one));
      return receipt ? [{ syncId, entityType, sourceId, lane, ...receipt }] : [];
    });
    const at = clock.now();
    const [before, reading] = await Promise.all([
      links.enteredBefore(toMake, receivingTypes),
      links.beingRead([...new Set(toMake.map(({ syncId }) => syncId))], at),
    ]);
    const here = new Set(stored.map(keyText));
    return {
      receipts,
      turnOf: (one) => {
        if (!receipts.has(keyText(one))) return {};
        const turn = stockTurn({
          before: (before.get(keyText(one)) ?? []).filter((other) => !here.has(keyText(other))),
          reading: reading.get(one.syncId),
          first: one.lane === 'live' && one.lastFault === undefined,
          waitedMs: at.getTime() - one.desiredAt.getTime(),
        });
        return turn ? { stockTurn: turn } : {};
      },
    };
  }

  /** What has the name or number that another record is to get may be a copy of the same sync (core: names-in-turn.ts). */
  private async namesInTurn(planned: readonly Planned[]): Promise<Planned[]> {
    const { links, clock } = this.ports;
    const done: Planned[] = [];
    for (const one of planned) {
      const { stored, plan } = one;
      if (!isCollision(plan)) {
        done.push(one);
        continue;
      }
      const candidates = plan.candidates ?? [];
      const copies = await links.ofCopies(stored.syncId, stored.targetRealmId, candidates);
      const holders = candidates.map((candidate) => {
        const holder = copies.find(({ entityType, link }) => `${entityType}/${link.target?.id}` === candidate);
        return holder && holdingCopy(stored.link, plan.code, holder.link);
      });
      const waitedMs = clock.nowMs() - stored.desiredAt.getTime();
      done.push({ ...one, plan: inTurn(stored.link, plan, holders, waitedMs) });
    }
    return done;
  }

  private async learn(
    asking: readonly Planned[],
    known: Map<string, Knowledge>,
    callClass: RequestClass,
    signal: AbortSignal,
  ): Promise<void> {
    const lookups = asking.flatMap(({ stored, plan }) =>
      plan.kind === 'lookup'
        ? plan.lookups.map((lookup) => ({
            stored,
            lookup,
            // Who holds a name is asked anew: a person may have freed it and pressed "again" at once.
            // And what QBO makes beside something else, a rate with its code, may be there since a moment.
            fresh:
              stored.lastFault !== undefined ||
              lookup.entityType !== stored.entityType ||
              definitionOf(stored.entityType).policy === 'adopted',
          }))
        : [],
    );
    if (lookups.length > 0) {
      const rows = await this.ports.reader.lookUp(lookups, callClass, signal);
      await this.noteCandidates(lookups, rows, known);
    }
    for (const { stored, plan } of asking) {
      if (plan.kind !== 'read') continue;
      const knowledge = known.get(keyText(stored)) ?? { taken: new Set<string>() };
      try {
        const targetNow = await this.ports.reader.read(stored.entityType, plan.targetId, callClass, signal);
        known.set(keyText(stored), { ...knowledge, targetNow });
        await this.ports.pairs.noteRead(stored, targetNow);
      } catch (error) {
        if (!(error instanceof ReadRefused)) throw error;
        known.set(keyText(stored), { ...knowledge, refused: { code: `QBO.${error.code}`, reason: error.message } });
      }
    }
  }

  private async noteCandidates(
    lookups: readonly { stored: StoredLink; lookup: Lookup }[],
    rows: Map<string, Json[]>,
    known: Map<string, Knowledge>,
  ): Promise<void> {
    const idsByList = new Map<string, { stored: StoredLink; ids: Set<string> }>();
    for (const { stored, lookup } of lookups) {
      const list = `${stored.syncId} ${stored.entityType}`;
      if (lookup.entityType !== stored.entityType) continue;
      const entry = idsByList.get(list) ?? { stored, ids: new Set<string>() };
      for (const row of rows.get(lookupKey(lookup)) ?? []) entry.ids.add(String(row.Id));
      idsByList.set(list, entry);
    }
    const owners = new Map<string, Map<string, string>>();
    for (const [list, { stored, ids }] of idsByList) {
      owners.set(
        list,
        ids.size === 0
          ? new Map<string, string>()
          : await this.ports.links.linkedTargets(stored.syncId, stored.entityType, [...ids]),
      );
    }
    for (const { stored, lookup } of lookups) {
      const found = rows.get(lookupKey(lookup)) ?? [];
      const before = known.get(keyText(stored));
      if (lookup.entityType !== stored.entityType) {
        const others = found.map((record) => ({ entityType: lookup.entityType, record }));
        const namesakes = [...(before?.namesakes ?? []), ...others];
        known.set(keyText(stored), { ...before, taken: before?.taken ?? new Set<string>(), namesakes });
        continue;
      }
      const byId = new Map([...(before?.candidates ?? []), ...found].map((row) => [String(row.Id), row]));
      const owner = owners.get(`${stored.syncId} ${stored.entityType}`)!;
      const taken = new Set(
        [...owner].filter(([, sourceId]) => sourceId !== stored.sourceId).map(([targetId]) => targetId),
      );
      known.set(keyText(stored), { ...before, candidates: [...byId.values()], taken });
    }
  }

  private async parentsOf(stored: readonly StoredLink[], livesOn: LivesOn): Promise<Map<string, string>> {
    const keys = new Map<string, LinkKey>();
    for (const { syncId, link } of stored) {
      for (const { entityType, sourceId } of link.desired.references) {
        const key = livesOn({ syncId, entityType, sourceId });
        keys.set(keyText(key), key);
      }
    }
    const ids = await this.ports.links.targetIds([...keys.values()], keptWhenRemoved);
    return this.ports.pairs.livingOn([...keys.values()], ids);
  }

  /**
   * Lines of the copies whose lines are named one by one (core: named-lines.ts). One that was never changed since it was made has
   * them numbered from 1, as we sent them; any other is read.
   */
  private async namedLines(
    stored: readonly StoredLink[],
    livesOn: LivesOn,
    callClass: RequestClass,
    signal: AbortSignal,
  ): Promise<{ lines: Map<string, Json[]>; changing: Set<string> }> {
    const keys = new Map<string, LinkKey>();
    for (const { syncId, entityType: type, link } of stored) {
      for (const { entityType, sourceId } of namedLineReferences(type, link.desired.references)) {
        const key = livesOn({ syncId, entityType, sourceId });
        keys.set(keyText(key), key);
      }
    }
    const [found, changing] = [new Map<string, Json[]>(), new Set<string>()];
    for (const parent of await this.ports.links.find([...keys.values()])) {
      const { target, applied, state } = parent.link;
      const isUnderWay = ['ready', 'sending', 'backoff', 'uncertain'].includes(state.kind);
      if (!target || target.deleted) continue;
      if (isUnderWay && !isContentApplied(parent.link)) {
        changing.add(keyText(parent));
        continue;
      }
      const sent = (applied?.payload?.Line as Json[] | undefined) ?? [];
      if (target.syncToken === '0' && sent.length > 0) {
        found.set(
          keyText(parent),
          sent.map((line, n) => ({ ...line, Id: String(n + 1) })),
        );
        continue;
      }
      try {
        const now = await this.ports.reader.read(parent.entityType, target.id, callClass, signal);
        if (now) found.set(keyText(parent), (now.Line as Json[] | undefined) ?? []);
      } catch (error) {
        if (!(error instanceof ReadRefused)) throw error;
      }
    }
    return { lines: found, changing };
  }

  /** Of each record that freezes others (core: frozen.ts), those that must change and therefore be let go. */
  private async membersWantingOut(stored: readonly StoredLink[]): Promise<Map<string, MissingReference[]>> {
    const holders = stored.filter((one) => freezesOthers(one.entityType));
    const wanted = await this.ports.links.waitingForRelease(holders);
    // Let go already and not yet written: they must not be taken in again before they are.
    for (const one of holders.filter(({ link }) => link.applied?.hash.startsWith('partial:'))) {
      const members = one.link.desired.references.map((r) => ({ ...r, syncId: one.syncId }));
      const changing = (await this.ports.links.find(members)).filter(
        ({ entityType, link }) =>
          holderTypesOf(entityType).includes(one.entityType) &&
          ['ready', 'sending', 'backoff', 'uncertain'].includes(link.state.kind),
      );
      const known = wanted.get(keyText(one)) ?? [];
      wanted.set(keyText(one), [
        ...known,
        ...changing.map(({ entityType, sourceId }) => ({ type: entityType, sourceId })),
      ]);
    }
    return wanted;
  }

  /** Only asked of what comes to rest: transactions on their way may still need it awake (core: asleep.ts). */
  private async pendingTransactions(stored: readonly StoredLink[]): Promise<Set<string>> {
    const leaving = stored.filter(
      ({ entityType, link }) =>
        isResting(entityType, link.desired.payload) ||
        (definitionOf(entityType).category === 'name-list' && ['delete', 'exclude'].includes(link.desired.op)),
    );
    const byTaken = new Map<string, StoredLink[]>();
    for (const one of leaving) {
      const taken = takenTypesOf(one.entityType).join();
      byTaken.set(taken, [...(byTaken.get(taken) ?? []), one]);
    }
    const needed = await Promise.all(
      [...byTaken].map(([taken, those]) => this.ports.links.stillNeeded(those, taken.split(','))),
    );
    return new Set(needed.flatMap((keys) => [...keys]));
  }
}

/**
 * A name is made inactive, and an order closed, at the second look at it, two seconds later: a document that a person made with it just before may
 * arrive just after, over another partition, and QuickBooks would refuse it for the inactive name (610).
 */
const isLeavingAtFirstSight = ({ entityType, lastFault, mergedInto }: StoredLink): boolean =>
  lastFault === undefined && mergedInto === undefined && restOf(entityType) !== undefined;

interface Stock {
  receipts: ReadonlyMap<string, Receipt>;
  turnOf: (one: StoredLink) => Pick<WriteFacts, 'stockTurn'>;
}

/** Of two of one round the earlier one may not go yet; then the later one does not, either. */
function inOrderOfReceipt(planned: readonly Planned[]): Planned[] {
  const late = planned
    .filter(({ receipt }) => receipt !== undefined)
    .sort((a, b) => (isEnteredBefore(a.stored.sourceId, b.stored.sourceId) ? -1 : 1));
  const stopped: Planned[] = [];
  const replaced = new Map<Planned, Planned>();
  for (const one of late) {
    const first = stopped.find(
      ({ stored, receipt }) =>
        stored.syncId === one.stored.syncId &&
        receipt!.date === one.receipt!.date &&
        receipt!.items.some((item) => one.receipt!.items.includes(item)),
    );
    const turn =
      one.plan.kind === 'create' && first
        ? stockTurn({ before: [first.stored], first: false, waitedMs: 0 })
        : undefined;
    const now: Planned = turn ? { ...one, plan: { kind: 'postpone', ...turn } } : one;
    if (turn) replaced.set(one, now);
    if (now.plan.kind === 'wait' || now.plan.kind === 'postpone') stopped.push(now);
  }
  return planned.map((one) => replaced.get(one) ?? one);
}

/** Nobody waits for a name that is gone, but for the one it became. */
function waitingForHeirs(plan: Plan, syncId: string, livesOn: LivesOn): Plan {
  if (plan.kind !== 'wait') return plan;
  const heirs = plan.missing.map(({ type, sourceId }) => ({
    type,
    sourceId: livesOn({ syncId, entityType: type, sourceId }).sourceId,
  }));
  return { kind: 'wait', missing: heirs };
}

/** One record that breaks the planner must not stop its company: it fails by itself, with what was thrown. */
function planOrFail({ link }: StoredLink, facts: WriteFacts): Plan {
  try {
    return planWrite(link, facts);
  } catch (error) {
    return { kind: 'fail', code: 'PLAN.BROKEN', reason: (error as Error).message };
  }
}
