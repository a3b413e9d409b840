// Names that are woken for the documents that come after their deactivation.
import type { Link } from './link.js';
import { isContentApplied, marked, mayBeAsleep, mayWake } from './asleep.js';
import { defaultWritePolicy, planWrite, type WriteFacts } from './plan.js';
import { settle } from './settle.js';
import { defaultRetryPolicy } from '../retry/index.js';

const gone = { Name: 'Pump', Type: 'Service', Active: false };
const item = (o: Partial<Link> = {}): Link => ({
  entityType: 'Item',
  sourceId: '5',
  state: { kind: 'settled' },
  desired: { version: '1', hash: 'h', op: 'upsert', payload: gone, references: [] },
  applied: { version: '1', hash: 'h', payload: gone },
  target: { id: '70', syncToken: '3', deleted: false },
  generation: 0,
  attempts: 0,
  ...o,
});
const plan = (link: Link, dependentsPending: boolean, more: Partial<WriteFacts> = {}) =>
  planWrite(link, { resolve: () => undefined, policy: defaultWritePolicy, dependentsPending, ...more });
const timing = { nowMs: 0, jitter: 0, policy: defaultRetryPolicy };

describe('a name that is inactive when a document with it comes', () => {
  it('is active until nothing that may use it is on its way, and inactive then', () => {
    const woken = { ...marked(item())!, state: { kind: 'ready' } as const };
    const first = plan(woken, true);
    // QuickBooks may have put a suffix to its name.
    expect(first).toMatchObject({
      kind: 'update',
      body: { Id: '70', SyncToken: '3', sparse: true, Active: true, Name: 'Pump' },
      partial: true,
    });
    const { applied, body } = first as unknown as { applied: typeof gone; body: object };
    const attempt = { operation: 'update', version: '1', hash: 'h', applied, body, partial: true } as const;
    const done = settle(
      { ...woken, state: { kind: 'sending' } },
      attempt,
      { kind: 'done', record: { Id: '70', SyncToken: '4', ...applied } },
      timing,
    );
    expect(done.state).toEqual({ kind: 'ready' });
    const active: Link = { ...woken, state: done.state, applied: done.applied!, target: done.target! };
    expect(plan(active, true)).toMatchObject({ kind: 'postpone' });
    expect(plan(active, false)).toMatchObject({ kind: 'update', body: { Active: false, SyncToken: '4' } });
  });

  it('is woken under a name of its own when another one has its name by now, and rests under its own', () => {
    const woken = { ...marked(item())!, state: { kind: 'ready' } as const };
    const renamed = plan(woken, true, { lastFault: 'QBO.6240' });
    expect(renamed).toMatchObject({ kind: 'update', body: { Active: true, Name: 'Pump (~5)' }, partial: true });
    const { applied: payload } = renamed as unknown as { applied: typeof gone };
    const active = { ...woken, applied: { version: '1', hash: 'partial:h', payload } };
    expect(plan(active, false)).toMatchObject({ kind: 'update', body: { Active: false, Name: 'Pump' } });
  });

  it('sleeps on when nothing is on its way any more', () => {
    expect(plan({ ...marked(item())!, state: { kind: 'ready' } }, false)).toMatchObject({ kind: 'noop', why: 'equal' });
  });

  it.each([
    ['it is active', { applied: { version: '1', hash: 'h', payload: { ...gone, Active: true } } }],
    ['its call is on its way', { state: { kind: 'sending' } as const }],
    ['it was removed', { target: { id: '70', deleted: true } }],
    ['it is to be removed', { desired: { version: '1', hash: 'd', op: 'delete', references: [] } as const }],
    ['it is marked already', { applied: { version: '1', hash: 'asleep:h', payload: gone } }],
  ])('is not woken when %s', (_why, o) => {
    expect(
      marked(item({ ...o, desired: { ...item().desired, ...('desired' in o ? (o.desired as object) : {}) } })),
    ).toBe(undefined);
  });

  it('is not made active by an edit that the source makes of it while inactive', () => {
    const edited = item({ state: { kind: 'ready' } });
    edited.desired = { ...edited.desired, hash: 'h2', payload: { ...gone, Description: 'old' } };
    const planned = plan(edited, true);
    expect(planned).toMatchObject({ kind: 'update', body: { Description: 'old' } });
    expect((planned as { body: object }).body).not.toHaveProperty('Active');
  });

  it.each([
    ['update', '610', 'reread'],
    ['create', '610', 'parent-missing'],
    ['create', '620', 'others-first'],
  ] as const)(
    'lets a document wait for its turn, however often its %s was refused (%s)',
    (operation, code, faultClass) => {
      const { applied: _none, target: _neither, ...fresh } = item();
      const invoice: Link = { ...fresh, entityType: 'Invoice', state: { kind: 'sending' }, attempts: 99 };
      const attempt = { operation, version: '1', hash: 'h' };
      const answer = {
        kind: 'failed',
        failure: { kind: 'refused', class: faultClass, code, reason: 'inactive' },
      } as const;
      const waits = settle(invoice, { ...attempt, restingOn: ['Item/5'] }, answer, timing);
      expect(waits).toMatchObject({ state: { kind: 'waiting', on: ['Item/5'] }, attempts: 100 });
      expect(waits.result).toBeUndefined();
      // Nothing of it will be woken: then it is the document that cannot be made.
      expect(['failed', 'held']).toContain(settle(invoice, attempt, answer, timing).state.kind);
    },
  );

  it.each([
    ['it is to be marked', {}, true],
    ['its own write has not had its turn', { state: { kind: 'ready' } }, true],
    [
      'it is marked already',
      { state: { kind: 'ready' }, applied: { version: '1', hash: 'asleep:h', payload: gone } },
      true,
    ],
    [
      'it is awake',
      { state: { kind: 'ready' }, applied: { version: '1', hash: 'h', payload: { Name: 'Pump' } } },
      false,
    ],
    ['its write failed', { state: { kind: 'failed', code: 'c', reason: 'r' } }, false],
    ['it was removed', { target: { id: '70', deleted: true } }, false],
  ] as const)('is waited for when %s: %p -> %p', (_why, o, waitedFor) => {
    expect(mayWake(item(o))).toBe(waitedFor);
  });

  it('may be why a document is refused only where QuickBooks says that something is missing or inactive', () => {
    const refused = { kind: 'refused', code: '610', reason: '' } as const;
    expect(mayBeAsleep({ ...refused, class: 'parent-missing' })).toBe(true);
    expect(mayBeAsleep({ ...refused, class: 'never' })).toBe(false);
    expect(mayBeAsleep({ kind: 'unsent', reason: '' })).toBe(false);
  });
});

// An order that a person closed with half of it received takes no bill, as an inactive name takes none.
describe('an order that a person closed, and that a bill received a part of', () => {
  const closed = { DocNumber: '7', POStatus: 'Closed', Line: [{ Amount: 1 }] };
  const order = (o: Partial<Link> = {}): Link => ({
    ...item(),
    entityType: 'PurchaseOrder',
    desired: { version: '1', hash: 'h', op: 'upsert', payload: closed, references: [] },
    applied: { version: '1', hash: 'h', payload: closed },
    ...o,
  });
  const { POStatus: _closed, ...open } = closed;

  it('is made open while its bills are on their way, and closed when they are there', () => {
    const { applied: _none, target: _neither, ...fresh } = order({ state: { kind: 'ready' } });
    expect(plan(fresh, true)).toMatchObject({ kind: 'create', body: open, applied: open, partial: true });
    expect((plan(fresh, true) as { body: object }).body).not.toHaveProperty('POStatus');
    expect(plan(fresh, false)).toMatchObject({ kind: 'create', body: closed, partial: false });
    const made = order({ state: { kind: 'ready' }, applied: { version: '1', hash: 'partial:h', payload: open } });
    expect(plan(made, true)).toMatchObject({ kind: 'postpone' });
    expect(plan(made, false)).toMatchObject({ kind: 'update', body: { POStatus: 'Closed' } });
  });

  // A bill that names its lines waits for them (LINES.CHANGING), and this one waits for the bill.
  it('gets what else has changed before it is closed: its bills wait for that', () => {
    const edited = order({ state: { kind: 'ready' }, applied: { version: '0', hash: 'h0', payload: open } });
    edited.desired = { ...edited.desired, payload: { ...closed, PrivateNote: 'enough' } };
    const first = plan(edited, true);
    expect(first).toMatchObject({ kind: 'update', body: { PrivateNote: 'enough' }, partial: true });
    expect((first as { body: object }).body).not.toHaveProperty('POStatus');
    expect((first as { applied: object }).applied).toEqual({ ...open, PrivateNote: 'enough' });
    expect(isContentApplied(edited)).toBe(false);
    const { applied: payload } = first as unknown as { applied: typeof open };
    const sent = { ...edited, applied: { version: '1', hash: 'partial:h', payload } };
    expect(plan(sent, true)).toMatchObject({ kind: 'postpone' });
    expect(isContentApplied(sent)).toBe(true);
    expect(plan(sent, false)).toMatchObject({ kind: 'update', body: { POStatus: 'Closed' } });
  });

  it('is opened again for a bill that comes after it was closed', () => {
    const woken: Link = { ...marked(order())!, state: { kind: 'ready' } };
    expect(plan(woken, true)).toMatchObject({ kind: 'update', body: { POStatus: 'Open' }, partial: true });
    expect(mayBeAsleep({ kind: 'refused', class: 'others-first', code: '620', reason: '' })).toBe(true);
    expect(mayBeAsleep({ kind: 'refused', class: 'others-first', code: '6220', reason: '' })).toBe(false);
  });
});
