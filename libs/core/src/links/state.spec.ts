import * as fc from 'fast-check';
import { allowedEvents, IllegalTransition, transition, type LinkEvent, type LinkState } from './state.js';

const states: LinkState[] = [
  { kind: 'ready' },
  { kind: 'sending' },
  { kind: 'settled' },
  { kind: 'waiting', on: ['Customer/58'] },
  { kind: 'backoff', dueAtMs: 5, code: 'QBO.10000', reason: 'r' },
  { kind: 'held', code: 'DRIFT', reason: 'r' },
  { kind: 'uncertain', dueAtMs: 5, reason: 'cut' },
  { kind: 'failed', code: 'QBO.2020', reason: 'r' },
];
const events: LinkEvent[] = [
  { kind: 'desired', work: true },
  { kind: 'desired', work: false },
  { kind: 'desired', work: true, failure: { code: 'MAPPING.BAD_RULE', reason: 'r' } },
  { kind: 'claimed' },
  { kind: 'settled', moved: false },
  { kind: 'settled', moved: true },
  { kind: 'parent-missing', on: ['Customer/58'] },
  { kind: 'parent-settled', left: [] },
  { kind: 'parent-settled', left: ['Item/3'] },
  { kind: 'refused-for-now', dueAtMs: 9, code: 'c', reason: 'r' },
  { kind: 'due' },
  { kind: 'answer-lost', dueAtMs: 9, reason: 'r' },
  { kind: 'held', code: 'c', reason: 'r' },
  { kind: 'failed', code: 'c', reason: 'r' },
  { kind: 'released' },
];
const state = (kind: LinkState['kind']) => states.find((candidate) => candidate.kind === kind)!;

describe('the states of a link', () => {
  const roads: [LinkState['kind'], LinkEvent, LinkState['kind']][] = [
    ['ready', { kind: 'claimed' }, 'sending'],
    ['sending', { kind: 'settled', moved: false }, 'settled'],
    ['sending', { kind: 'settled', moved: true }, 'ready'],
    ['sending', { kind: 'answer-lost', dueAtMs: 1, reason: 'cut' }, 'uncertain'],
    ['uncertain', { kind: 'claimed' }, 'sending'],
    ['uncertain', { kind: 'settled', moved: false }, 'settled'],
    ['ready', { kind: 'parent-missing', on: ['Customer/58'] }, 'waiting'],
    ['waiting', { kind: 'parent-settled', left: [] }, 'ready'],
    ['waiting', { kind: 'parent-settled', left: ['Item/3'] }, 'waiting'],
    ['backoff', { kind: 'due' }, 'ready'],
    ['held', { kind: 'released' }, 'ready'],
    ['failed', { kind: 'released' }, 'ready'],
    ['failed', { kind: 'desired', work: true }, 'ready'],
    ['settled', { kind: 'desired', work: true }, 'ready'],
    ['settled', { kind: 'desired', work: false }, 'settled'],
    ['waiting', { kind: 'desired', work: false }, 'settled'],
    ['ready', { kind: 'desired', work: true, failure: { code: 'c', reason: 'r' } }, 'failed'],
  ];
  it.each(roads)('%s + %o -> %s', (from, event, to) => {
    expect(transition(state(from), event).kind).toBe(to);
  });

  it('let a newer desired version arrive at any time, and never forget a call that is on its way', () => {
    for (const from of states) {
      expect(() => transition(from, { kind: 'desired', work: true })).not.toThrow();
    }
    for (const kind of ['sending', 'uncertain'] as const) {
      for (const work of [true, false]) expect(transition(state(kind), { kind: 'desired', work })).toEqual(state(kind));
    }
  });

  it('keep what a person was asked to decide until it is released', () => {
    expect(transition(state('held'), { kind: 'desired', work: true })).toEqual(state('held'));
    // Nobody was asked about this one: it may point at another parent now.
    const byParent: LinkState = { kind: 'held', code: 'PARENT.FAILED', reason: 'r' };
    expect(transition(byParent, { kind: 'desired', work: true })).toEqual({ kind: 'ready' });
    expect(transition(byParent, { kind: 'parent-settled', left: [] })).toEqual({ kind: 'ready' });
  });

  it('throw at everything the table does not allow, naming state and event', () => {
    for (const from of states) {
      for (const event of events) {
        if (allowedEvents[from.kind].includes(event.kind)) expect(() => transition(from, event)).not.toThrow();
        else expect(() => transition(from, event)).toThrow(IllegalTransition);
      }
    }
    expect(() => transition(state('settled'), { kind: 'claimed' })).toThrow('"settled" cannot take event "claimed"');
  });

  it('never reach "sending" without a claim, and always have a way back to "ready"', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), (life) => {
        let current: LinkState = { kind: 'ready' };
        for (const event of life) {
          if (!allowedEvents[current.kind].includes(event.kind)) continue;
          const next = transition(current, event);
          if (next.kind === 'sending' && current.kind !== 'sending') expect(event.kind).toBe('claimed');
          current = next;
        }
        const waysBack: Record<LinkState['kind'], LinkEvent[]> = {
          ready: [],
          sending: [{ kind: 'settled', moved: true }],
          settled: [{ kind: 'desired', work: true }],
          waiting: [{ kind: 'parent-settled', left: [] }],
          backoff: [{ kind: 'due' }],
          held: [{ kind: 'released' }],
          uncertain: [{ kind: 'settled', moved: true }],
          failed: [{ kind: 'released' }],
        };
        expect(waysBack[current.kind].reduce(transition, current).kind).toBe('ready');
      }),
    );
  });
});
