// A backfill job against a small scripted QuickBooks: pages, resumption, refusals, records that move while it reads.
import { ManualClock } from '#common/clock';
import { createLog } from '#common/logging';
import type { Json } from '#core';
import type { QboAnswer, QueryPage } from '#qbo';
import type { Job, Tx } from '#storage';
import type { ChangePublisher, Publication } from '../capture/change-publisher.js';
import { SourceReader } from '../capture/source-reader.js';
import { Backfill, JobLost } from './backfill.js';

/** Answers statements of capture over plain lists of ids. */
class ScriptedQbo {
  readonly statements: string[] = [];
  /** runs before the n-th statement (from 1) */
  readonly before = new Map<number, () => void>();
  /** answers instead, taken one per statement of the type */
  readonly answers = new Map<string, QboAnswer<QueryPage>[]>();

  constructor(readonly ids: Record<string, string[]>) {}

  report = (): Promise<QboAnswer<Json>> =>
    Promise.resolve({ kind: 'refused', faults: [], status: 400, tid: undefined });

  query = (_realmId: string, statement: string): Promise<QboAnswer<QueryPage>> => {
    this.statements.push(statement);
    this.before.get(this.statements.length)?.();
    const type = /FROM (\w+)/.exec(statement)![1]!;
    const instead = this.answers.get(type)?.shift();
    if (instead) return Promise.resolve(instead);
    const ids = this.ids[type] ?? [];
    const counting = statement.startsWith('SELECT COUNT');
    const start = Number(/STARTPOSITION (\d+)/.exec(statement)?.[1] ?? 1);
    const rows = counting ? [] : ids.slice(start - 1, start + 999).map((Id): Json => ({ Id }));
    const value = { rows, totalCount: counting ? ids.length : undefined, startPosition: start };
    return Promise.resolve({ kind: 'ok', value, tid: undefined, status: 200 });
  };

  cdc = (): never => {
    throw new Error('a backfill asks no CDC');
  };
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n + 1));

describe('a backfill job', () => {
  const clock = new ManualClock();
  let saved: Json;
  let ours: boolean;
  let published: { type: string; ids: string[]; o: Publication }[];
  let kafkaAway: boolean;
  beforeEach(() => {
    saved = {};
    ours = true;
    published = [];
    kafkaAway = false;
  });

  const publisher = {
    publish: async (
      _realm: string,
      readings: { type: string; id: string }[],
      o: Publication,
      then: (tx: Tx) => Promise<void>,
    ) => {
      if (kafkaAway) throw new Error('not acknowledged');
      await then({} as Tx);
      published.push({ type: readings[0]?.type ?? '', ids: readings.map(({ id }) => id), o });
      return { published: readings.length };
    },
  } as unknown as ChangePublisher;
  const jobs = {
    progress: (_id: string, _owner: string, progress: Json) => {
      if (ours) saved = structuredClone(progress);
      return Promise.resolve(ours);
    },
  };
  const backfill = (
    qbo: ScriptedQbo,
    o: { progress?: Json; types?: string[]; signal?: AbortSignal } = {},
  ): Backfill => {
    const job = { id: 'job', progress: o.progress ?? {}, params: { types: o.types ?? ['Customer', 'Invoice'] } };
    return new Backfill(
      { reader: new SourceReader(qbo, () => clock.now()), publisher, jobs, owner: 'me', clock, log: createLog('spec') },
      job as unknown as Job,
      '1',
      o.signal ?? new AbortController().signal,
    );
  };

  it('reads by pages of 1,000, parents first, and notes every page and what to expect', async () => {
    const qbo = new ScriptedQbo({ Customer: ids(3), Invoice: ids(2500) });
    const job = backfill(qbo);
    expect(await job.run()).toEqual({ kind: 'done' });
    expect(published.map(({ type, ids }) => [type, ids.length])).toEqual([
      ['Customer', 3],
      ['Invoice', 1000],
      ['Invoice', 1000],
      ['Invoice', 500],
    ]);
    expect(published.every(({ o }) => o.lane === 'bulk' && o.origin.kind === 'backfill' && o.known === 'again')).toBe(
      true,
    );
    expect(saved).toMatchObject({
      types: { Customer: { done: true, count: 3 }, Invoice: { done: true, count: 2500 } },
      expected: { Customer: 3, Invoice: 2500 },
    });
    expect(job.totals).toEqual({ published: 2503, expected: 2503 });
  });

  it('counts a second time what took several pages, and nothing that came in one', async () => {
    const qbo = new ScriptedQbo({ Customer: ids(3), Invoice: ids(1001) });
    await backfill(qbo).run();
    const counts = qbo.statements.filter((statement) => statement.startsWith('SELECT COUNT'));
    expect(counts.map((statement) => /FROM (\w+)/.exec(statement)![1])).toEqual(['Customer', 'Invoice', 'Invoice']);
  });

  it('goes on with the page after the last one noted', async () => {
    const qbo = new ScriptedQbo({ Customer: ids(3), Invoice: ids(2500) });
    const progress = {
      types: { Customer: { start: 1, done: true, count: 3 }, Invoice: { start: 1001, done: false, count: 1000 } },
      expected: { Customer: 3, Invoice: 2500 },
    };
    expect(await backfill(qbo, { progress }).run()).toEqual({ kind: 'done' });
    expect(published.map(({ ids }) => [ids[0], ids.length])).toEqual([
      ['1001', 1000],
      ['2001', 500],
    ]);
    expect(saved.types.Invoice).toMatchObject({ done: true, count: 2500 });
  });

  it('reads a type again when a deletion moved records past it', async () => {
    const qbo = new ScriptedQbo({ Invoice: ids(1500) });
    // Statements: count, page 1, (two records of page 1 vanish) page 2, count.
    qbo.before.set(3, () => qbo.ids.Invoice!.splice(10, 2));
    // And one appears, so that the count alone would not show the loss of both.
    qbo.before.set(4, () => qbo.ids.Invoice!.push('2001', '2002', '2003'));
    expect(await backfill(qbo, { types: ['Invoice'] }).run()).toEqual({ kind: 'done' });
    const seen = new Set(published.flatMap((page) => page.ids));
    for (const id of qbo.ids.Invoice!) expect(seen.has(id)).toBe(true);
    expect(published.at(-1)!.o.known).toBeUndefined();
  });

  it('waits where it is while QuickBooks or Kafka is away, and then loses nothing', async () => {
    const qbo = new ScriptedQbo({ Customer: ids(3) });
    qbo.answers.set('Customer', [
      { kind: 'unsent', reason: 'breaker open' },
      { kind: 'throttled', reason: '429', status: 429, tid: undefined },
      { kind: 'unauthorized', reason: 'revoked', reconnect: true },
    ]);
    kafkaAway = true;
    const running = backfill(qbo, { types: ['Customer'] }).run();
    await clock.advance(120_000);
    expect(published).toEqual([]);
    kafkaAway = false;
    await clock.advance(60_000);
    expect(await running).toEqual({ kind: 'done' });
    expect(published.flatMap((page) => page.ids)).toEqual(ids(3));
  });

  it('asks again at once where an answer was lost', async () => {
    const qbo = new ScriptedQbo({ Customer: ids(3) });
    const lost = { kind: 'uncertain', reason: 'answer cut' } as const;
    qbo.answers.set('Customer', [lost, lost]);
    expect(await backfill(qbo, { types: ['Customer'] }).run()).toEqual({ kind: 'done' });
    expect(published.flatMap((page) => page.ids)).toEqual(ids(3));
  });

  it.each([
    ['Class', '5030', 'Feature Not Supported Error'],
    ['PurchaseOrder', '5020', 'Permission Denied Error'],
    ['Budget', '4001', 'Invalid query'],
  ])(
    'fails no job over %s: fault %s says the company has none, or nobody waits for it',
    async (type, code, message) => {
      const qbo = new ScriptedQbo({ [type]: [], Customer: ids(2) });
      const fault = { code, message, detail: '', type: 'ValidationFault' };
      const refused = { kind: 'refused', faults: [fault], status: 400, tid: undefined } as const;
      qbo.answers.set(type, [refused, refused]);
      expect(await backfill(qbo, { types: [type, 'Customer'] }).run()).toEqual({ kind: 'done' });
      expect(published.flatMap((page) => page.ids)).toEqual(ids(2));
    },
  );

  it('notes a type that QuickBooks refuses, carries the rest, and says so at the end', async () => {
    const qbo = new ScriptedQbo({ Customer: ids(3), Invoice: ids(2) });
    const fault = { code: '4001', message: 'Invalid query', detail: '', type: 'ValidationFault' };
    qbo.answers.set('Customer', [{ kind: 'refused', faults: [fault], status: 400, tid: undefined }]);
    expect(await backfill(qbo).run()).toEqual({ kind: 'failed', error: 'Customer: 4001 Invalid query' });
    expect(published.map(({ type }) => type)).toEqual(['Invoice']);
  });

  it('stops at once when the job is no longer ours', async () => {
    ours = false;
    await expect(backfill(new ScriptedQbo({ Customer: ids(3) })).run()).rejects.toBeInstanceOf(JobLost);
    expect(published).toEqual([]);
  });

  it('stops when told', async () => {
    const abort = new AbortController();
    const qbo = new ScriptedQbo({ Invoice: ids(5000) });
    qbo.before.set(3, () => abort.abort());
    await expect(backfill(qbo, { types: ['Invoice'], signal: abort.signal }).run()).rejects.toThrow();
    expect(saved.types?.Invoice?.done ?? false).toBe(false);
  });
});
