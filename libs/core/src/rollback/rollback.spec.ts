// What becomes of each link when its sync is taken back: a table of facts, and what holds whatever the facts are.
import fc from 'fast-check';
import { contentHash } from '../canonical/index.js';
import { settle, type Link, type Plan } from '../links/index.js';
import type { Json } from '../model/json.js';
import { typesInRankOrder } from '../registry/index.js';
import { defaultRetryPolicy } from '../retry/index.js';
import { rollbackForecast, type LinkKind } from './outcome.js';
import { planRollback, rollbackHash, rollbackRank, rollbackVersion, type RollbackFacts } from './rollback.js';

const job = '7';
const link = (entityType: string, payload: Json, more: Partial<Link> = {}): Link => ({
  entityType,
  sourceId: '5',
  state: { kind: 'ready' },
  desired: { version: rollbackVersion(job), hash: rollbackHash(job), op: 'rollback', references: [] },
  applied: { version: 'v1', hash: 'h1', payload },
  target: { id: '97', syncToken: '3', deleted: false },
  generation: 0,
  attempts: 0,
  ...more,
});
const facts = (more: Partial<RollbackFacts> = {}): RollbackFacts => ({ origin: 'made', moving: [], held: [], ...more });
const invoice: Json = { DocNumber: '1', PrivateNote: 'ours', TxnDate: '2026-01-05' };
const customer: Json = { DisplayName: 'Ada', Notes: 'ours' };
const now = (body: Json, more: Json = {}): Json => ({ ...body, Id: '97', SyncToken: '3', ...more });

describe('a link that is taken back', () => {
  const made = link('Invoice', invoice);
  const name = link('Customer', customer);
  const before = { Id: '97', SyncToken: '1', DisplayName: 'Ada', Notes: 'theirs', CompanyName: 'Lovelace' };

  it.each<[string, Link, Partial<RollbackFacts>, object]>([
    ['is read before anything is done to it', made, {}, { kind: 'read', targetId: '97' }],
    [
      'is deleted when we made it',
      made,
      { targetNow: now(invoice) },
      { kind: 'delete', body: { Id: '97', SyncToken: '3' } },
    ],
    [
      'is made inactive when it is a name that we made',
      name,
      { targetNow: now(customer) },
      {
        kind: 'deactivate',
        body: { Id: '97', SyncToken: '3', sparse: true, Active: false },
        applied: { Active: false },
      },
    ],
    ['is done when it is gone', made, { targetNow: null }, { kind: 'noop', rolledBack: 'gone' }],
    [
      'is done when a person made it inactive',
      name,
      { targetNow: now(customer, { Active: false }) },
      { rolledBack: 'inactive' },
    ],
    ['was never written', { ...made, target: undefined }, {}, { kind: 'noop', rolledBack: 'nothing' }],
    ['waits for what refers to it', name, { moving: ['Invoice/9'] }, { kind: 'postpone', code: 'ROLLBACK.ORDER' }],
    ['is held when what refers to it is', name, { held: ['Invoice/9'] }, { kind: 'hold', code: 'ROLLBACK.DEPENDENT' }],
    [
      'is held when nobody knows whose it is',
      made,
      { origin: undefined, targetNow: now(invoice) },
      { code: 'ROLLBACK.UNKNOWN_ORIGIN' },
    ],
    [
      'is held when a person edited it',
      made,
      { targetNow: now(invoice, { PrivateNote: 'mine', SyncToken: '4' }) },
      { kind: 'hold', code: 'ROLLBACK.EDITED', asked: { mark: 'asked:ROLLBACK.EDITED', syncToken: '4' } },
    ],
    [
      'is held when a person added what we never wrote',
      made,
      {
        targetNow: now(invoice, { CustomerMemo: { value: 'x' }, SyncToken: '4' }),
        seenHash: contentHash('Invoice', invoice),
      },
      { kind: 'hold', code: 'ROLLBACK.EDITED' },
    ],
    [
      'is deleted when only its token moved, by a payment',
      made,
      { targetNow: now(invoice, { SyncToken: '4', Balance: 0 }), seenHash: contentHash('Invoice', invoice) },
      { kind: 'delete', body: { SyncToken: '4' } },
    ],
    [
      'is held when a document of theirs hangs on it',
      made,
      { targetNow: now(invoice, { LinkedTxn: [{ TxnId: '55', TxnType: 'Payment' }] }) },
      { kind: 'hold', code: 'ROLLBACK.LINKED', reason: expect.stringContaining('Payment 55') },
    ],
    [
      'stays when no API takes it away',
      link('TaxCode', { Name: 'X' }),
      {},
      { kind: 'noop', rolledBack: 'stays', code: 'ROLLBACK.STAYS' },
    ],
    [
      'is held when the stock that it began with is still on hand',
      link('Item', { Name: 'Pump', Type: 'Inventory' }),
      { targetNow: now({ Name: 'Pump', Type: 'Inventory', QtyOnHand: 3, InvStartDate: '2026-01-01' }) },
      { kind: 'hold', code: 'ROLLBACK.STOCK', reason: expect.stringContaining('2026-01-01') },
    ],
    [
      'is made inactive when none is',
      link('Item', { Name: 'Pump', Type: 'Inventory' }),
      { targetNow: now({ Name: 'Pump', Type: 'Inventory', QtyOnHand: 0 }) },
      { kind: 'deactivate' },
    ],
    [
      'gets back what it said before, and loses what it did not',
      link('Customer', { ...customer, Title: 'Dr' }),
      { origin: 'adopted', beforeImage: before, targetNow: now(before, { ...customer, Title: 'Dr', SyncToken: '3' }) },
      { kind: 'update', body: { Id: '97', SyncToken: '3', sparse: true, Notes: 'theirs', Title: null } },
    ],
    [
      'is woken under its own name when we had made it inactive',
      link('Customer', { ...customer, Active: false }, { target: { id: '97', syncToken: '3', deleted: true } }),
      {
        origin: 'adopted',
        beforeImage: before,
        targetNow: now(before, { DisplayName: 'Ada (deleted)', Active: false, Notes: 'ours', SyncToken: '3' }),
      },
      { kind: 'update', body: { Active: true, DisplayName: 'Ada', Notes: 'theirs' } },
    ],
    [
      'is left when it was adopted and never written',
      { ...name, target: { id: '97', syncToken: '1', deleted: false } },
      { origin: 'adopted', beforeImage: before },
      { kind: 'noop', rolledBack: 'left' },
    ],
    [
      'is left when it says again what it said before',
      name,
      { origin: 'adopted', beforeImage: before, targetNow: now(before, { SyncToken: '9' }) },
      { kind: 'noop', rolledBack: 'left' },
    ],
    [
      'is held when a person edited what was theirs all along',
      name,
      { origin: 'adopted', beforeImage: before, targetNow: now(before, { Notes: 'newer', SyncToken: '9' }) },
      { kind: 'hold', code: 'ROLLBACK.EDITED' },
    ],
    [
      'is held when it was theirs and went with its original',
      { ...made, target: { id: '97', deleted: true } },
      { origin: 'adopted', beforeImage: invoice },
      { kind: 'hold', code: 'ROLLBACK.NOT_POSSIBLE' },
    ],
    [
      'is not asked for when it is done',
      { ...made, applied: { version: 'v', hash: rollbackHash(job) } },
      {},
      { kind: 'noop', why: 'equal' },
    ],
  ])('%s', (_, one, known, expected) => {
    expect(planRollback(one, facts(known))).toMatchObject(expected);
  });

  it('of which an answer was lost and never found is a question', () => {
    const lost = { ...made, target: undefined };
    expect(planRollback(lost, facts(), 'QBO.READ_BACK')).toMatchObject({ code: 'ROLLBACK.MAY_EXIST' });
    expect(planRollback(asked(lost, facts(), 'QBO.READ_BACK'), facts())).toMatchObject({ rolledBack: 'nothing' });
  });

  it('is asked about once: released it goes, but not when it was edited again', () => {
    const edited = now(invoice, { PrivateNote: 'mine', SyncToken: '4' });
    const told = asked(made, facts({ targetNow: edited }));
    expect(planRollback(told, facts({ targetNow: edited }))).toMatchObject({
      kind: 'delete',
      body: { SyncToken: '4' },
    });
    const again = { ...edited, PrivateNote: 'mine too', SyncToken: '5' };
    expect(planRollback(told, facts({ targetNow: again }))).toMatchObject({ code: 'ROLLBACK.EDITED' });
    // Two questions about one record are two answers.
    const linked = { ...edited, LinkedTxn: [{ TxnId: '55', TxnType: 'Payment' }] };
    const twice = asked(told, facts({ targetNow: linked }));
    expect(planRollback(twice, facts({ targetNow: linked }))).toMatchObject({ kind: 'delete' });
    // Whose it is nobody can say by releasing it: it is left.
    const unknown = asked(made, facts({ origin: undefined }));
    expect(planRollback(unknown, facts({ origin: undefined }))).toMatchObject({ rolledBack: 'left' });
  });

  /** As the shell writes a question down. */
  function asked(one: Link, known: RollbackFacts, fault?: string): Link {
    const plan = planRollback(one, known, fault);
    if (plan.kind !== 'hold' || !plan.asked) throw new Error(`not asked but ${plan.kind}`);
    const { mark, syncToken } = plan.asked;
    return {
      ...one,
      applied: { ...(one.applied ?? { version: '' }), hash: mark },
      target: one.target && (syncToken === undefined ? one.target : { ...one.target, syncToken }),
    };
  }
});

describe('whatever the facts', () => {
  const types = typesInRankOrder().filter(({ policy }) => policy !== 'reported');
  const arbitraryFacts = fc.record({
    origin: fc.constantFrom<RollbackFacts['origin']>('made', 'adopted', undefined),
    beforeImage: fc.constantFrom<Json | undefined>(undefined, { Id: '97', SyncToken: '1', PrivateNote: 'theirs' }),
    targetNow: fc.constantFrom<Json | null | undefined>(
      undefined,
      null,
      now(invoice),
      now(invoice, { PrivateNote: 'mine', SyncToken: '8' }),
      now(invoice, { LinkedTxn: [{ TxnId: '55', TxnType: 'Payment' }] }),
    ),
    moving: fc.constantFrom<string[]>([], ['Payment/1']),
    held: fc.constantFrom<string[]>([], ['Payment/2']),
  });
  const arbitraryLink = fc.record({
    type: fc.constantFrom(...types.map(({ type }) => type)),
    target: fc.constantFrom<Link['target']>(
      undefined,
      { id: '97', syncToken: '3', deleted: false },
      { id: '97', deleted: true },
    ),
  });
  const removes = (plan: Plan) => ['delete', 'deactivate'].includes(plan.kind);

  it('nothing is removed but what we made, and nothing that a person touched or that something still needs', () => {
    fc.assert(
      fc.property(arbitraryLink, arbitraryFacts, ({ type, target }, known) => {
        const plan = planRollback({ ...link(type, invoice), target }, known);
        if (!removes(plan)) return;
        expect(known.origin).toBe('made');
        expect([known.moving, known.held]).toEqual([[], []]);
        expect(known.targetNow).toEqual(now(invoice));
      }),
    );
  });

  it('nothing is made, and nothing is written to a record that was never ours to write', () => {
    fc.assert(
      fc.property(arbitraryLink, arbitraryFacts, ({ type, target }, known) => {
        const plan = planRollback({ ...link(type, invoice), target }, known);
        expect(['create', 'adopt', 'lookup', 'gone', 'pair', 'void', 'wait']).not.toContain(plan.kind);
        if (plan.kind === 'update') expect(known.origin).toBe('adopted');
      }),
    );
  });

  it('what was done is settled, and planned again it is nothing', () => {
    fc.assert(
      fc.property(arbitraryLink, arbitraryFacts, ({ type, target }, known) => {
        const one = { ...link(type, invoice), target };
        const plan = planRollback(one, known);
        if (!removes(plan) && plan.kind !== 'update') return;
        const { kind, body } = plan as Extract<Plan, { kind: 'delete' | 'deactivate' | 'update' }>;
        const { version, hash } = one.desired;
        const sending: Link = { ...one, state: { kind: 'sending' } };
        const timing = { nowMs: 0, jitter: 0, policy: defaultRetryPolicy };
        const settled = settle(
          sending,
          { operation: kind, version, hash, body },
          { kind: 'done', record: now(invoice) },
          timing,
        );
        expect(settled).toMatchObject({ state: { kind: 'settled' }, rolledBack: expect.any(String) as string });
        const after: Link = { ...one, state: settled.state, applied: settled.applied, target: settled.target };
        expect(planRollback(after, known)).toEqual({ kind: 'noop', why: 'equal' });
        // A refusal that no retry mends is held with QuickBooks' words, and never lost.
        const failure = { kind: 'refused', class: 'never', code: '6000', reason: 'no' } as const;
        const refused = settle(sending, { operation: kind, version, hash, body }, { kind: 'failed', failure }, timing);
        expect(refused.state).toEqual({ kind: 'held', code: 'QBO.6000', reason: 'no' });
        // Released and refused with the same words once more, it stays.
        const again = { ...sending, applied: refused.applied };
        const stayed = settle(again, { operation: kind, version, hash, body }, { kind: 'failed', failure }, timing);
        expect(stayed).toMatchObject({ state: { kind: 'settled' }, rolledBack: 'stays', applied: { hash } });
      }),
    );
  });

  it('what refers never has its turn after what is referred to', () => {
    const late = types.flatMap((definition) =>
      definition.references
        .filter(({ deferrable, kind }) => !deferrable && kind !== 'code')
        .flatMap((rule) => types.filter(({ type }) => rule.types.includes(type)))
        // Within one rank the links themselves are asked (facts.moving).
        .filter((parent) => rollbackRank(definition) > rollbackRank(parent))
        .map((parent) => `${definition.type} after ${parent.type}`),
    );
    expect(late).toEqual([]);
  });

  it('the forecast deletes nothing of which it is not known that we made it', () => {
    const kinds = fc.record<LinkKind>({
      entityType: fc.constantFrom(...types.map(({ type }) => type)),
      origin: fc.constantFrom<LinkKind['origin']>('made', 'adopted', null),
      hasTarget: fc.boolean(),
      targetDeleted: fc.boolean(),
      hasBeforeImage: fc.boolean(),
      untouched: fc.boolean(),
      mayExist: fc.boolean(),
    });
    fc.assert(
      fc.property(kinds, (kind) => {
        const forecast = rollbackForecast(kind);
        if (forecast === 'deleted' || forecast === 'inactive')
          expect(kind).toMatchObject({ origin: 'made', hasTarget: true });
        if (kind.hasTarget && kind.origin === null) expect(forecast).toBe('held');
      }),
    );
  });
});
