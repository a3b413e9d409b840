// Whatever the source does with its names, in whatever order its records are written: at the end every copy has the name of its
// record. The target of this simulation takes a name from one active record only, as QuickBooks does.
import * as fc from 'fast-check';
import { sameName } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { defaultRetryPolicy } from '../retry/index.js';
import type { Link } from './link.js';
import { faultBehind, holdingCopy, inTurn, isCollision } from './names-in-turn.js';
import { defaultWritePolicy, planWrite, type Plan } from './plan.js';
import { settle } from './settle.js';

const timing = { nowMs: 0, jitter: 0, policy: defaultRetryPolicy };

interface Wish {
  /** absent: deleted or merged away */
  name?: string;
  active: boolean;
}

class Target {
  readonly records = new Map<string, Json>();
  private nextId = 100;

  find = (name: string): Json[] =>
    [...this.records.values()].filter((one) => shown(one).toLowerCase() === name.toLowerCase());

  /** Undefined: refused for its name. */
  write(body: Json): Json | undefined {
    const id = (body.Id as string | undefined) ?? String(this.nextId++);
    const before = this.records.get(id);
    const record = { Active: true, ...before, ...body, Id: id, SyncToken: String(Number(before?.SyncToken ?? -1) + 1) };
    const holder = [...this.records.values()].find((one) => one.Id !== id && shown(one) === shown(record));
    if (holder) return undefined;
    this.records.set(id, record);
    return record;
  }
}

/** QuickBooks puts a word behind the name of what is inactive; here with the id, for two may have been called the same. */
const shown = ({ DisplayName, Active, Id }: Json): string =>
  Active === false ? `${String(DisplayName)} (deleted-${String(Id)})` : String(DisplayName);

class Story {
  readonly target = new Target();
  private readonly links = new Map<string, Link>();
  private readonly faults = new Map<string, string>();
  private nowMs = 0;

  constructor(names: readonly string[]) {
    for (const [n, name] of names.entries()) {
      const sourceId = String(n + 1);
      const payload = { DisplayName: name, Active: true };
      const record = this.target.write(payload)!;
      this.links.set(sourceId, {
        ...{ entityType: 'Customer', sourceId, state: { kind: 'settled' }, generation: 0, attempts: 0 },
        desired: { version: '1', hash: '1', op: 'upsert', payload, references: [], naturalKey: { DisplayName: name } },
        applied: { version: '1', hash: '1', payload },
        target: { id: String(record.Id), syncToken: String(record.SyncToken), deleted: false },
      });
    }
  }

  tell(sourceId: string, { name, active }: Wish): void {
    const before = this.links.get(sourceId);
    const said =
      name === undefined
        ? { op: 'delete' as const }
        : { op: 'upsert' as const, payload: { DisplayName: name, Active: active }, naturalKey: { DisplayName: name } };
    const desired = { version: '2', hash: `2 ${name} ${active}`, references: [], ...said };
    const fresh = { entityType: 'Customer', sourceId, generation: 0, attempts: 0 };
    this.links.set(sourceId, { ...fresh, ...before, desired, state: { kind: 'ready' } });
  }

  /** All that are open, once, in this order; then half a second goes by. */
  round(order: readonly string[]): void {
    for (const id of order) if (this.links.get(id)!.state.kind !== 'settled') this.turn(id);
    this.nowMs += 500;
  }

  open = (): string[] =>
    [...this.links.values()].filter(({ state }) => state.kind !== 'settled').map((one) => one.sourceId);

  nameOf(sourceId: string): Json | undefined {
    return this.target.records.get(this.links.get(sourceId)?.target?.id ?? '');
  }

  private turn(sourceId: string): void {
    const link: Link = { ...this.links.get(sourceId)!, state: { kind: 'ready' } };
    const plan = this.plan(link);
    switch (plan.kind) {
      case 'postpone':
        this.faults.set(sourceId, plan.code);
        break;
      case 'noop':
        this.done(link, { operation: 'noop', ...(plan.applied && { applied: plan.applied }) });
        break;
      case 'create':
      case 'update':
      case 'deactivate': {
        const record = this.target.write(plan.body);
        if (!record) {
          this.faults.set(sourceId, 'QBO.6240');
          break;
        }
        const partial = plan.kind !== 'deactivate' && plan.partial === true;
        this.done(link, { operation: plan.kind, applied: plan.applied, body: plan.body, partial }, record);
        break;
      }
      default:
        throw new Error(`${sourceId}: ${JSON.stringify(plan)}`);
    }
  }

  private done(link: Link, attempt: Omit<Parameters<typeof settle>[1], 'version' | 'hash'>, record?: Json): void {
    const { version, hash } = link.desired;
    const sent: Link = record ? { ...link, state: { kind: 'sending' } } : link;
    const answer = {
      kind: 'done' as const,
      ...(record && { record: { ...record, DisplayName: attempt.applied?.DisplayName } }),
    };
    const { state, applied, target } = settle(sent, { ...attempt, version, hash }, answer, timing);
    this.faults.delete(link.sourceId);
    this.links.set(link.sourceId, { ...link, state, ...(applied && { applied }), ...(target && { target }) });
  }

  private plan(link: Link): Plan {
    const lastFault = this.faults.get(link.sourceId);
    const owners = [...this.links.values()].filter(({ target, sourceId }) => target && sourceId !== link.sourceId);
    const facts = {
      ...{
        resolve: () => undefined,
        policy: defaultWritePolicy,
        taken: new Set(owners.map(({ target }) => target!.id)),
      },
      ...(lastFault && { lastFault: faultBehind(link.entityType, lastFault) }),
    };
    const first = planWrite(link, facts);
    const candidates =
      first.kind === 'lookup' ? first.lookups.flatMap(({ value }) => this.target.find(value ?? '')) : [];
    const plan = first.kind === 'lookup' ? planWrite(link, { ...facts, candidates, namesakes: [] }) : first;
    if (!isCollision(plan)) return plan;
    const holders = (plan.candidates ?? []).map((candidate) => {
      const holder = owners.find(({ target }) => `Customer/${target!.id}` === candidate);
      return holder && holdingCopy(link, plan.code, holder);
    });
    return inTurn(link, plan, holders, this.nowMs);
  }
}

const story = fc.integer({ min: 2, max: 6 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    // Old names and new ones, dealt to the old records and to two new ones.
    dealt: fc.shuffledSubarray(
      Array.from({ length: count + 3 }, (_, n) => `Name ${n}`),
      { minLength: count + 2 },
    ),
    fates: fc.array(fc.constantFrom('named', 'named', 'named', 'retired', 'retired under its old name', 'gone'), {
      minLength: count,
      maxLength: count,
    }),
    order: fc.shuffledSubarray(
      Array.from({ length: count + 2 }, (_, n) => String(n + 1)),
      { minLength: count + 2 },
    ),
    /** a record of which nothing is heard for some rounds */
    late: fc.integer({ min: 1, max: count + 2 }).map(String),
  }),
);

it('names that move in any way between records arrive, in whatever order the records are written', () => {
  fc.assert(
    fc.property(story, ({ count, dealt, fates, order, late }) => {
      const names = Array.from({ length: count }, (_, n) => `Name ${n}`);
      const told = new Story(names);
      const wishes = new Map<string, Wish>();
      for (let n = 0; n < count + 2; n++) {
        const fate = n < count ? fates[n]! : 'named';
        const name = fate === 'retired under its old name' ? names[n]! : dealt[n]!;
        wishes.set(String(n + 1), fate === 'gone' ? { active: false } : { name, active: fate === 'named' });
      }
      for (const [id, wish] of wishes) if (id !== late) told.tell(id, wish);
      const known = order.filter((id) => id !== late);
      for (let n = 0; n < 8; n++) told.round(known);
      told.tell(late, wishes.get(late)!);
      for (let n = 0; n < 60 && told.open().length > 0; n++) told.round(n % 2 === 0 ? order : [...order].reverse());
      expect(told.open()).toEqual([]);
      for (const [id, { name, active }] of wishes) {
        const copy = told.nameOf(id);
        if (name === undefined) expect(copy?.Active).not.toBe(true);
        else expect([id, copy?.Active, sameName(String(copy?.DisplayName), name)]).toEqual([id, active, true]);
      }
      expect(told.target.records.size).toBeLessThanOrEqual(count + 2);
    }),
    { numRuns: 400 },
  );
});
