// The opposite syncs of those that write into one company (core: pair.ts): what their links say to the planner, and how they
// follow what is settled. Without an opposite sync it asks for nothing and changes nothing.
import {
  bindReferences,
  changedAt,
  conflictText,
  definitionOf,
  desiredHash,
  encodeVersion,
  DELETED_SYNC_TOKEN,
  mapChange,
  pendingOf,
  reflect,
  typesInRankOrder,
  withIdentity,
  type Desired,
  type Json,
  type OtherSide,
  type PairFacts,
  type Resolve,
  type RuleSet,
} from '#core';
import type { WriteEvent } from '#contracts';
import type { Clock } from '#common/clock';
import {
  keyText,
  type Decided,
  type DesiredLink,
  type LinkKey,
  type Links,
  type MappingLayers,
  type MirrorPlace,
  type StoredLink,
  type SyncRow,
  type Syncs,
} from '#storage';
import { desiredLink } from '../intake/desired-link.js';
import { retold } from '../results.js';
import { followMergers } from '../round/mergers.js';

export interface Pair {
  opposite: SyncRow;
  /** the sync that writes into this company is the elder one */
  elder: boolean;
  /** when the younger one began */
  since: string;
}

/** One write that has an answer: what the mirror must follow. */
export interface Written extends LinkKey {
  /** the record of this company */
  targetId: string;
  /** as it is now by the answer; absent: it is gone, or nothing was answered */
  record?: Json | undefined;
  removed: boolean;
  /** fields that the write named */
  written: readonly string[];
  pendingBefore: Json;
  changeId: string;
}

export interface Mirroring {
  place: MirrorPlace;
  written: Written;
  opposite: SyncRow;
  seen: { desired: DesiredLink; body: Json; moved: boolean } | undefined;
  removedVersion: string;
}

/** A sync that begins is noticed this soon; until then the planner's check for records that were made finds its pairs. */
const rememberMs = 500;
/** What QuickBooks says of a reference to what is not there. */
const parentFaults = ['QBO.2500', 'QBO.610', 'PAIR.PARENT_GONE'];
const removedHash = desiredHash('delete', undefined, []);
const keptWhenRemoved = typesInRankOrder()
  .filter((definition) => definition.category !== 'transaction')
  .map((definition) => definition.type);

export class Pairs {
  private known: { pairs: ReadonlyMap<string, Pair>; atMs: number } | undefined;

  constructor(
    private readonly realmId: string,
    private readonly ports: { links: Links; syncs: Syncs; layers: MappingLayers; clock: Clock },
  ) {}

  /** By the id of the sync that writes into this company. */
  async all(): Promise<ReadonlyMap<string, Pair>> {
    const { syncs, clock } = this.ports;
    const nowMs = clock.nowMs();
    if (this.known && nowMs - this.known.atMs < rememberMs) return this.known.pairs;
    const [into, outOf] = await Promise.all([syncs.byTarget([this.realmId]), syncs.activeBySource([this.realmId])]);
    const pairs = new Map<string, Pair>();
    for (const sync of into) {
      const opposite = outOf.find(
        (one) => one.targetRealmId === sync.sourceRealmId && one.organizationId === sync.organizationId,
      );
      if (opposite) pairs.set(sync.id, { opposite, ...ages(sync, opposite) });
    }
    this.known = { pairs, atMs: nowMs };
    return pairs;
  }

  /** Where the mirror of a link is, once it has a target. */
  mirrorKey(pair: Pair | undefined, entityType: string, targetId: string | undefined): LinkKey | undefined {
    if (!pair || targetId === undefined) return undefined;
    return { syncId: pair.opposite.id, entityType, sourceId: targetId };
  }

  /** What the planner must know of the other side, by link. */
  async facts(stored: readonly StoredLink[]): Promise<Map<string, PairFacts>> {
    const pairs = await this.all();
    const facts = new Map<string, PairFacts>();
    const paired = stored.filter((one) => pairs.has(one.syncId));
    if (paired.length === 0) return facts;
    const mirrorOf = (one: StoredLink) => this.mirrorKey(pairs.get(one.syncId), one.entityType, one.link.target?.id);
    const others = await this.others(paired.flatMap((one) => mirrorOf(one) ?? []));
    const origins = await this.origins(
      paired.filter((one) => one.link.target === undefined),
      pairs,
    );
    const orphans = await this.orphans(paired, pairs);
    for (const one of paired) {
      const { elder, since } = pairs.get(one.syncId)!;
      const mirror = mirrorOf(one);
      const other = mirror && others.get(keyText(mirror));
      facts.set(keyText(one), {
        elder,
        since,
        ...(other ? { other } : {}),
        ...origins.get(keyText(one)),
        ...orphans.get(keyText(one)),
      });
    }
    return facts;
  }

  /**
   * Copies of names as they live on: a person may have merged a copy into another name of this company, which only the
   * opposite sync hears of. Not one that is on its way: it is being made again.
   * @param ids target ids of the keys
   */
  async livingOn(keys: readonly LinkKey[], ids: ReadonlyMap<string, string>): Promise<Map<string, string>> {
    const { links } = this.ports;
    const living = new Map(ids);
    const pairs = await this.all();
    const opposites = [...new Set(keys.flatMap(({ syncId }) => pairs.get(syncId)?.opposite.id ?? []))];
    if (opposites.length === 0) return living;
    const livesOn = followMergers(await links.mergers(opposites));
    const heirs = keys.flatMap((key) => {
      const [pair, id] = [pairs.get(key.syncId), ids.get(keyText(key))];
      if (!pair || id === undefined) return [];
      const heir = livesOn({ syncId: pair.opposite.id, entityType: key.entityType, sourceId: id }).sourceId;
      return heir === id ? [] : [{ key, heir }];
    });
    const stored = new Map((await links.find(heirs.map(({ key }) => key))).map((one) => [keyText(one), one]));
    for (const { key, heir } of heirs)
      if (stored.get(keyText(key))?.link.state.kind === 'settled') living.set(keyText(key), heir);
    return living;
  }

  /**
   * What was just read of the target and the opposite sync has not heard of is taken in for it now: the write that waits for
   * this read must know of it. Capture will tell the same again.
   */
  async noteRead(stored: StoredLink, record: Json | null): Promise<void> {
    const pair = (await this.all()).get(stored.syncId);
    const targetId = stored.link.target?.id;
    if (!pair || targetId === undefined) return;
    const [known] = await this.ports.links.find([this.mirrorKey(pair, stored.entityType, targetId)!]);
    if (!known) return;
    const at = this.ports.clock.now();
    const changeId = `read:${stored.changeId}`;
    const rules = (await this.ports.layers.ruleSets([scopeOf(pair.opposite)])).get(pair.opposite.id)!;
    const place = { entityType: stored.entityType, sourceId: targetId, changeId };
    const news =
      record === null ? removal(pair.opposite, rules, place, at) : mappedBy(pair.opposite, rules, record, place, at);
    if (!news || news.hash === known.link.desired.hash) return;
    await this.ports.links.intake([news], at);
  }

  /** Loads what the mirrors of these writes become; the decision itself is made on their rows under lock. */
  async prepare(writes: readonly Written[]): Promise<Mirroring[]> {
    const pairs = await this.all();
    const paired = writes.filter((one) => pairs.has(one.syncId));
    if (paired.length === 0) return [];
    const opposites = [...new Set(paired.map((one) => pairs.get(one.syncId)!.opposite))];
    const rules = await this.ports.layers.ruleSets(opposites.map(scopeOf));
    const at = this.ports.clock.now();
    const mapped = paired.map((written) => {
      const { opposite } = pairs.get(written.syncId)!;
      const place = { entityType: written.entityType, sourceId: written.targetId, changeId: written.changeId };
      const desired =
        written.record === undefined
          ? undefined
          : mappedBy(opposite, rules.get(opposite.id)!, written.record, place, at);
      return { written, opposite, desired };
    });
    const resolve = await this.resolver(mapped.flatMap(({ desired }) => (desired ? [desired] : [])));
    const namesOf = await this.namesInSource(paired, opposites);
    return mapped.map(({ written, opposite, desired }) => ({
      written,
      opposite,
      place: {
        syncId: opposite.id,
        entityType: written.entityType,
        sourceId: written.targetId,
        organizationId: opposite.organizationId,
        sourceRealmId: opposite.sourceRealmId,
        targetRealmId: opposite.targetRealmId,
        rank: definitionOf(written.entityType).rank,
        changeId: written.changeId,
      },
      seen: desired && seenIn(desired, resolve(opposite.id), namesOf(written, desired)),
      removedVersion: encodeVersion({
        lastUpdatedTime: at.toISOString(),
        syncToken: DELETED_SYNC_TOKEN,
        observedAt: at.toISOString(),
      }),
    }));
  }

  /** Adds to what was decided about the writes what becomes of their mirrors. */
  mirrored<D extends Decided>(decided: D, mirrorings: readonly Mirroring[], rows: readonly StoredLink[]): D {
    if (mirrorings.length === 0) return decided;
    const byKey = new Map(rows.map((row) => [keyText(row), row]));
    const mirrors = [...(decided.mirrors ?? [])];
    const changes = decided.changes.map((change) => {
      const mirroring = mirrorings.find(({ written }) => keyText(written) === keyText(change.key));
      const own = byKey.get(keyText(change.key));
      const mirror = mirroring && byKey.get(keyText(mirroring.place));
      const isDone = change.target?.id === mirroring?.written.targetId;
      if (!mirroring || !own || !mirror || !isDone) return change;
      const { written, seen, removedVersion } = mirroring;
      const syncToken = tokenIn(own.link.desired.version);
      const reflected = reflect(mirror.link, {
        ...(seen ? { seen: { desired: coreDesired(seen.desired), body: seen.body, moved: seen.moved } } : {}),
        written: written.written,
        pendingBefore: written.pendingBefore,
        ...(written.removed ? { removed: { version: removedVersion, hash: removedHash } } : {}),
        target: { id: own.sourceId, deleted: false, ...(syncToken === undefined ? {} : { syncToken }) },
      });
      if (!reflected) return change;
      mirrors.push({
        key: { syncId: mirror.syncId, entityType: mirror.entityType, sourceId: mirror.sourceId },
        state: reflected.state,
        attempts: 0,
        applied: reflected.applied,
        target: reflected.target,
        wakes: !reflected.target.deleted,
        desired: desiredRow(reflected.desired, mirroring),
      });
      if (Object.keys(reflected.lost).length === 0 || !change.announce) return change;
      const reason = conflictText('won', reflected.lost);
      return { ...change, announce: retold(change.announce, { outcome: 'drift', code: 'CONFLICT.WON', reason }) };
    });
    return { ...decided, changes, mirrors };
  }

  /**
   * For the names that a copy refers to and that live on in others here: what the record in its own company refers to still,
   * by the reference of the copy. No API tells QuickBooks that two names are one, so what names the dead one must be written.
   */
  private async namesInSource(
    writes: readonly Written[],
    opposites: readonly SyncRow[],
  ): Promise<(written: Written, desired: DesiredLink) => ReadonlyMap<string, string | undefined>> {
    const { links } = this.ports;
    const mergers = await links.mergers(opposites.map(({ id }) => id));
    if (mergers.size === 0) return () => new Map();
    const livesOn = followMergers(mergers);
    const own = new Map((await links.find(writes)).map((one) => [keyText(one), one]));
    const keysOf = ({ syncId, link }: StoredLink): LinkKey[] =>
      link.desired.references.map(({ entityType, sourceId }) => ({ syncId, entityType, sourceId }));
    const ids = await links.targetIds([...own.values()].flatMap(keysOf), keptWhenRemoved);
    const heirOf = (syncId: string, entityType: string, sourceId: string): string =>
      livesOn({ syncId, entityType, sourceId }).sourceId;
    return (written, desired) => {
      const names = new Map<string, string | undefined>();
      for (const { entityType, sourceId } of desired.references)
        if (heirOf(desired.syncId, entityType, sourceId) !== sourceId)
          names.set(`${entityType}/${sourceId}`, undefined);
      const stored = own.get(keyText(written));
      for (const key of stored ? keysOf(stored) : []) {
        const id = ids.get(keyText(key));
        const heir = id === undefined ? id : heirOf(desired.syncId, key.entityType, id);
        if (heir !== undefined && heir !== id) names.set(`${key.entityType}/${heir}`, key.sourceId);
      }
      return names;
    };
  }

  private async others(keys: readonly LinkKey[]): Promise<Map<string, OtherSide>> {
    const mirrors = await this.ports.links.find(keys);
    const resolve = await this.resolver(
      mirrors.flatMap(({ syncId, link }) => [{ syncId, references: link.desired.references }]),
    );
    return new Map(
      mirrors.map((mirror): [string, OtherSide] => [
        keyText(mirror),
        {
          state: mirror.link.state.kind,
          op: mirror.link.desired.op,
          changedAt: changedAt(mirror.link.desired.version),
          pending: pendingOf(mirror.link, resolve(mirror.syncId)),
        },
      ]),
    );
  }

  /** Of records that were refused for what they refer to: whether somebody deleted the copy of that. */
  private async orphans(
    stored: readonly StoredLink[],
    pairs: ReadonlyMap<string, Pair>,
  ): Promise<Map<string, Pick<PairFacts, 'parentGone'>>> {
    const orphans = new Map<string, Pick<PairFacts, 'parentGone'>>();
    const refused = stored.filter(({ lastFault }) => lastFault !== undefined && parentFaults.includes(lastFault));
    if (refused.length === 0) return orphans;
    const keysOf = ({ syncId, link }: StoredLink): LinkKey[] =>
      link.desired.references
        // A name that is gone may have been merged, of which is heard later.
        .filter(({ entityType }) => !keptWhenRemoved.includes(entityType))
        .map(({ entityType, sourceId }) => ({ syncId, entityType, sourceId }));
    const ids = await this.ports.links.targetIds(refused.flatMap(keysOf), []);
    const mirrorOf = (key: LinkKey): LinkKey | undefined =>
      this.mirrorKey(pairs.get(key.syncId), key.entityType, ids.get(keyText(key)));
    const found = await this.ports.links.find(
      refused.flatMap((one) => keysOf(one).flatMap((key) => mirrorOf(key) ?? [])),
    );
    const gone = new Map(
      found.filter(({ link }) => link.desired.op === 'delete').map((one) => [keyText(one), one.link.state] as const),
    );
    for (const one of refused) {
      for (const key of keysOf(one)) {
        const mirror = mirrorOf(key);
        const state = mirror && gone.get(keyText(mirror));
        if (!mirror || !state) continue;
        const { entityType, sourceId } = key;
        const reason = 'reason' in state ? { reason: state.reason } : {};
        const parentGone = { entityType, sourceId, targetId: mirror.sourceId, state: state.kind, ...reason };
        orphans.set(keyText(one), { parentGone });
        break;
      }
    }
    return orphans;
  }

  /** Of records without a target: whether the opposite sync made them, or may be making them now. */
  private async origins(
    stored: readonly StoredLink[],
    pairs: ReadonlyMap<string, Pair>,
  ): Promise<Map<string, Pick<PairFacts, 'madeFrom' | 'beingMade'>>> {
    const origins = new Map<string, Pick<PairFacts, 'madeFrom' | 'beingMade'>>();
    if (stored.length === 0) return origins;
    const groups = new Map<string, StoredLink[]>();
    for (const one of stored) {
      const group = `${one.syncId} ${one.entityType}`;
      groups.set(group, [...(groups.get(group) ?? []), one]);
    }
    const oppositeIds = [...new Set(stored.map((one) => pairs.get(one.syncId)!.opposite.id))];
    // The order matters: a call that ends between the two questions is seen by the second.
    const open = await this.ports.links.openCreations(oppositeIds, [...new Set(stored.map((one) => one.entityType))]);
    for (const group of groups.values()) {
      const [{ syncId, entityType }] = group as [StoredLink];
      const oppositeId = pairs.get(syncId)!.opposite.id;
      const made = await this.ports.links.linkedTargets(
        oppositeId,
        entityType,
        group.map((one) => one.sourceId),
      );
      const openSince = open.get(`${oppositeId}/${entityType}`);
      for (const one of group) {
        const sourceId = made.get(one.sourceId);
        // A call that was written down after the record was heard of did not make it.
        const beingMade = openSince !== undefined && openSince <= one.desiredAt;
        origins.set(keyText(one), { ...(sourceId === undefined ? {} : { madeFrom: { sourceId } }), beingMade });
      }
    }
    return origins;
  }

  /** Target ids of what these desired records refer to, each within its own sync. */
  private async resolver(
    wanted: readonly { syncId: string; references: readonly { entityType: string; sourceId: string }[] }[],
  ): Promise<(syncId: string) => Resolve> {
    const keys = wanted.flatMap(({ syncId, references }) =>
      references.map(({ entityType, sourceId }) => ({ syncId, entityType, sourceId })),
    );
    const ids = await this.ports.links.targetIds(keys, keptWhenRemoved);
    return (syncId) => (entityType, sourceId) => ids.get(keyText({ syncId, entityType, sourceId }));
  }
}

function ages(sync: SyncRow, opposite: SyncRow): Pick<Pair, 'elder' | 'since'> {
  const [own, other] = [sync.createdAt.toISOString(), opposite.createdAt.toISOString()];
  return { elder: own === other ? sync.id < opposite.id : own < other, since: own > other ? own : other };
}

const scopeOf = ({ id: syncId, organizationId }: SyncRow) => ({ syncId, organizationId });

interface Place {
  entityType: string;
  sourceId: string;
  changeId: string;
}

function envelopeOf(sync: SyncRow, changeId: string) {
  const { id: syncId, organizationId, sourceRealmId, targetRealmId } = sync;
  return { syncId, organizationId, sourceRealmId, targetRealmId, changeId, lane: 'live' as const };
}

/** What a sync would desire of a record of its source; undefined when it does not carry it or cannot say its version. */
function mappedBy(sync: SyncRow, rules: RuleSet, record: Json, place: Place, at: Date): DesiredLink | undefined {
  const snapshot = withIdentity(place.entityType, record);
  const time: unknown = (snapshot.MetaData as Json | undefined)?.LastUpdatedTime;
  if (String(snapshot.Id) !== place.sourceId || typeof time !== 'string' || Number.isNaN(Date.parse(time))) {
    return undefined;
  }
  const version = encodeVersion({
    lastUpdatedTime: time,
    syncToken: Number(snapshot.SyncToken) || 0,
    observedAt: at.toISOString(),
  });
  const change = { realmId: sync.sourceRealmId, entityType: place.entityType, id: place.sourceId, version };
  const mapped = mapChange({ ...change, deleted: false, snapshot }, rules);
  if (mapped.kind !== 'write') return undefined;
  return desiredLink({ ...mapped.write, ...envelopeOf(sync, place.changeId) } as WriteEvent, undefined);
}

function removal(sync: SyncRow, rules: RuleSet, place: Place, at: Date): DesiredLink | undefined {
  const seenAt = at.toISOString();
  const version = encodeVersion({ lastUpdatedTime: seenAt, syncToken: DELETED_SYNC_TOKEN, observedAt: seenAt });
  const change = { realmId: sync.sourceRealmId, entityType: place.entityType, id: place.sourceId, version };
  const mapped = mapChange({ ...change, deleted: true }, rules);
  if (mapped.kind !== 'write') return undefined;
  return desiredLink({ ...mapped.write, ...envelopeOf(sync, place.changeId) } as WriteEvent, undefined);
}

/** @param names of `namesInSource`; undefined there: as it is bound otherwise */
function seenIn(
  desired: DesiredLink,
  resolve: Resolve,
  names: ReadonlyMap<string, string | undefined>,
): Mirroring['seen'] & object {
  const isNamed = ({ entityType, sourceId }: DesiredLink['references'][number]): boolean =>
    names.has(`${entityType}/${sourceId}`);
  const body = boundBody(desired, (type, id) => names.get(`${type}/${id}`) ?? resolve(type, id));
  return { desired, body, moved: desired.references.some(isNamed) };
}

function boundBody(desired: DesiredLink, resolve: Resolve): Json {
  const bound = bindReferences(desired.payload ?? {}, desired.references, resolve, () => true);
  return bound.kind === 'bound' ? bound.body : {};
}

function coreDesired({ version, hash, op, payload, references, naturalKey }: DesiredLink): Desired {
  return { version, hash, op, references, ...(payload ? { payload } : {}), ...(naturalKey ? { naturalKey } : {}) };
}

/** The row of what a mirror desires from now on; what it desired already stays as it was told. */
function desiredRow(desired: Desired | undefined, { seen, place, opposite }: Mirroring): DesiredLink | undefined {
  if (!desired) return undefined;
  if (seen && desired.version === seen.desired.version) return seen.desired;
  if (desired.op !== 'delete') return undefined;
  return {
    ...envelopeOf(opposite, place.changeId),
    ...place,
    rank: place.rank,
    version: desired.version,
    hash: desired.hash,
    op: 'delete',
    references: [],
    mappingVersion: seen?.desired.mappingVersion ?? 0,
  };
}

/** SyncToken of our source's record in the version that was carried. */
function tokenIn(version: string): string | undefined {
  const token = Number(version.split('_')[1]);
  return Number.isSafeInteger(token) && token < DELETED_SYNC_TOKEN ? String(token) : undefined;
}
