// Which nemesis acts when, and upon what: all of it follows from the seed. Moments are numbers of changes made by the person at
// work, so that the same plan meets the same books on any machine. Pure.
import { appNames, type AppName } from '../../dev/src/apps.js';
import { Chance } from '../../demo/src/chance.js';

/** What may be switched on and off by name (`--nemesis`). */
export const nemeses = [
  'apps',
  'freezes',
  'brokers',
  'disk',
  'postgres',
  'network',
  'clock',
  'quickbooks',
  'webhooks',
  'grants',
  'writers',
] as const;
export type Nemesis = (typeof nemeses)[number];

/**
 * Multiples of the consumers' session time-out: short of it, over it, long after somebody else took over; and so long that the
 * platform's own probe ends the process.
 */
export const freezeLengths = [0.5, 1.5, 3, 10] as const;
const brokerFreezeLengths = [0.5, 1.5, 3] as const;
export const skewsMs = [-300_000, -20_000, 20_000, 300_000] as const;
export const networkTroubles = ['cut', 'silence', 'delay', 'throttle'] as const;
export type NetworkTrouble = (typeof networkTroubles)[number];

/** How QuickBooks misbehaves; each name is a rule of the emulator's steering (quickbooks.ts). */
export const quickbooksTroubles = [
  'server errors',
  'maintenance page',
  'throttled',
  'answers lost after the commit',
  'answers never come',
  'answers cut short',
  'batches done by half',
  'token refused',
] as const;
export type QuickbooksTrouble = (typeof quickbooksTroubles)[number];

export type Act =
  | { kind: 'app-kill' | 'app-stop'; app: AppName }
  | { kind: 'app-freeze'; app: AppName; sessions: number }
  | { kind: 'clock-skew'; app: AppName; byMs: number }
  | { kind: 'broker-kill' | 'broker-stop' | 'broker-disk-full'; broker: number }
  | { kind: 'broker-freeze'; broker: number; sessions: number }
  | { kind: 'postgres-kill' | 'postgres-stop' }
  | { kind: 'network'; trouble: NetworkTrouble; link: string; forMs: number }
  | { kind: 'quickbooks'; trouble: QuickbooksTrouble; company: number; forMs: number }
  | { kind: 'grant-revoked'; company: number; forMs: number }
  | { kind: 'webhooks'; dropRate: number; duplicateRate: number; shuffle: boolean; forMs: number }
  | { kind: 'writer-added' | 'writer-removed' };
export type ActKind = Act['kind'];

export interface PlannedAct {
  n: number;
  /** it begins when so many changes were made */
  atChange: number;
  /** it does not wait for the recovery from the last act against our own processes */
  joined: boolean;
  act: Act;
}

export interface PlanOptions {
  seed: number;
  changes: number;
  /** processes ended: apps, brokers and PostgreSQL together */
  kills: number;
  nemeses: ReadonlySet<Nemesis>;
  brokers: 1 | 3;
  /** companies with a person at work or its mirror; those of the canary are left alone */
  companies: number;
  /** names of connections that run through a proxy */
  links: readonly string[];
  /** no freezes beyond one session, nothing that lasts */
  brief?: boolean;
  /** how many of the acts against our own processes come while the last one is still felt */
  joinedShare?: number;
}

/** Ends a process; these make up `kills`. Weights: what a platform does most often comes most often. */
const killing: readonly { kind: ActKind; nemesis: Nemesis; weight: number }[] = [
  { kind: 'app-kill', nemesis: 'apps', weight: 12 },
  { kind: 'app-stop', nemesis: 'apps', weight: 4 },
  { kind: 'broker-kill', nemesis: 'brokers', weight: 4 },
  { kind: 'broker-stop', nemesis: 'brokers', weight: 2 },
  { kind: 'postgres-kill', nemesis: 'postgres', weight: 3 },
  { kind: 'postgres-stop', nemesis: 'postgres', weight: 1 },
];
const troubling: readonly { kind: ActKind; nemesis: Nemesis; weight: number }[] = [
  { kind: 'app-freeze', nemesis: 'freezes', weight: 3 },
  { kind: 'broker-freeze', nemesis: 'freezes', weight: 1 },
  { kind: 'broker-disk-full', nemesis: 'disk', weight: 1 },
  { kind: 'network', nemesis: 'network', weight: 5 },
  { kind: 'clock-skew', nemesis: 'clock', weight: 1 },
  { kind: 'quickbooks', nemesis: 'quickbooks', weight: 6 },
  { kind: 'webhooks', nemesis: 'webhooks', weight: 2 },
  { kind: 'grant-revoked', nemesis: 'grants', weight: 1 },
  { kind: 'writer-added', nemesis: 'writers', weight: 1 },
  { kind: 'writer-removed', nemesis: 'writers', weight: 1 },
];
const killingKinds: ReadonlySet<ActKind> = new Set(killing.map(({ kind }) => kind));
export const endsAProcess = ({ kind }: Act): boolean => killingKinds.has(kind);
export const canKill = (wanted: ReadonlySet<Nemesis>): boolean => killing.some(({ nemesis }) => wanted.has(nemesis));

/** Trouble that leaves our own processes alone goes on beside whatever comes next. */
const besideOthers: ReadonlySet<ActKind> = new Set([
  ...(['quickbooks', 'webhooks', 'grant-revoked', 'writer-added', 'writer-removed'] as const),
]);
export const goesOnBeside = ({ kind }: Act): boolean => besideOthers.has(kind);

/** So much other trouble per kill; with none to kill, so many acts per hundred changes. */
const troublePerKill = 0.7;
const troublePerHundredChanges = 2;
const fewJoined = 0.2;
/** For runs of hours: what does not depend on each other recovers side by side. The others are enough to say how long one takes. */
export const manyJoined = 0.6;

export function planOf(o: PlanOptions): PlannedAct[] {
  const chance = new Chance(o.seed);
  const kills = canKill(o.nemeses) ? o.kills : 0;
  const troubles =
    kills > 0 ? Math.ceil(kills * troublePerKill) : Math.ceil((o.changes / 100) * troublePerHundredChanges);
  const able = ({ kind, nemesis }: { kind: ActKind; nemesis: Nemesis }): boolean =>
    o.nemeses.has(nemesis) && (kind !== 'network' || o.links.length > 0) && kind !== 'writer-removed';
  const kinds = shuffled(chance, [
    ...drawn(chance, killing.filter(able), kills),
    ...drawn(chance, troubling.filter(able), troubles),
  ]);
  const bags = new Bags(chance);
  let writers = 0;
  let before: PlannedAct | undefined;
  return kinds.map((drawnKind, n) => {
    // What was added can be removed again: by turns.
    const kind = drawnKind === 'writer-added' && writers > 0 ? 'writer-removed' : drawnKind;
    if (kind === 'writer-added') writers++;
    if (kind === 'writer-removed') writers--;
    const act = actOf(kind, o, chance, bags);
    const beside = goesOnBeside(act);
    // At most two at once, besides what goes on beside everything.
    const joined =
      beside || (before?.joined === false && mayJoin(before.act, act) && chance.happens(o.joinedShare ?? fewJoined));
    const planned = { n, atChange: Math.floor(((n + 0.5) * o.changes) / kinds.length), joined, act };
    if (!beside) before = planned;
    return planned;
  });
}

function actOf(kind: ActKind, o: PlanOptions, chance: Chance, bags: Bags): Act {
  const lastsMs = o.brief ? 1_500 : 4_000;
  const forMs = (): number => lastsMs + chance.between(0, lastsMs);
  const sessions = (): number => (o.brief ? freezeLengths[0] : bags.next('freeze', freezeLengths));
  const broker = (): number =>
    bags.next(
      'broker',
      Array.from({ length: o.brokers }, (_, i) => i + 1),
    );
  const company = (): number => chance.between(0, o.companies - 1);
  switch (kind) {
    case 'app-kill':
    case 'app-stop':
      return { kind, app: bags.next(kind, appNames) };
    case 'app-freeze':
      return { kind, app: bags.next(kind, appNames), sessions: sessions() };
    case 'clock-skew':
      return { kind, app: bags.next(kind, appNames), byMs: bags.next('skew', skewsMs) };
    case 'broker-kill':
    case 'broker-stop':
    case 'broker-disk-full':
      return { kind, broker: broker() };
    case 'broker-freeze':
      return { kind, broker: broker(), sessions: o.brief ? 0.5 : bags.next('broker-freeze', brokerFreezeLengths) };
    case 'postgres-kill':
    case 'postgres-stop':
    case 'writer-added':
    case 'writer-removed':
      return { kind };
    case 'network':
      return { kind, trouble: bags.next(kind, networkTroubles), link: bags.next('link', o.links), forMs: forMs() };
    case 'quickbooks': {
      let trouble = bags.next(kind, quickbooksTroubles);
      // A company rests for a minute after a 429, and the brief form is to be over by then: the others prove it.
      while (o.brief && trouble === 'throttled') trouble = bags.next(kind, quickbooksTroubles);
      return { kind, trouble, company: company(), forMs: forMs() };
    }
    case 'grant-revoked':
      return { kind, company: company(), forMs: forMs() };
    case 'webhooks': {
      const share = (): number => chance.between(0, 5) / 10;
      return { kind, dropRate: share(), duplicateRate: share(), shuffle: chance.happens(0.5), forMs: 2 * forMs() };
    }
    default:
      return kind satisfies never;
  }
}

/** Two things of one kind at once are one larger outage; what is asked here is two different ones. */
function mayJoin(before: Act, act: Act): boolean {
  return partOf(before) !== partOf(act);
}

function partOf({ kind }: Act): string {
  return kind.split('-')[0]!;
}

/** Every kind once before any comes twice, then by weight. */
function drawn(chance: Chance, kinds: readonly { kind: ActKind; weight: number }[], count: number): ActKind[] {
  if (kinds.length === 0) return [];
  const first = shuffled(chance, kinds).map(({ kind }) => kind);
  // In a plan of few acts the frequent kinds come first.
  if (count < kinds.length) first.sort((a, b) => weightOf(kinds, b) - weightOf(kinds, a));
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
  const more = Array.from({ length: Math.max(0, count - first.length) }, () => {
    let at = chance.next() * total;
    return kinds.find(({ weight }) => (at -= weight) < 0)?.kind ?? kinds[0]!.kind;
  });
  return [...first, ...more].slice(0, count);
}

const weightOf = (kinds: readonly { kind: ActKind; weight: number }[], kind: ActKind): number =>
  kinds.find((one) => one.kind === kind)!.weight;

function shuffled<T>(chance: Chance, items: readonly T[]): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = chance.between(0, i);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

/** Draws without putting back, until all were drawn: in a long run nobody is spared. */
class Bags {
  private readonly left = new Map<string, unknown[]>();

  constructor(private readonly chance: Chance) {}

  next<T>(name: string, all: readonly T[]): T {
    let bag = this.left.get(name) as T[] | undefined;
    if (!bag || bag.length === 0) this.left.set(name, (bag = shuffled(this.chance, all)));
    return bag.pop()!;
  }
}
