// The records of one type with the latest change first, kept between queries: that is the order QBO answers documents in,
// and reading the time of every record of a large company again for each page is what a query would spend its time on.
// Writes only name the ids they moved; the next reader merges those into the order.
import { storedMoment } from '../query/moment.js';
import type { Rec } from '../types.js';

interface Entry {
  readonly rec: Rec;
  readonly id: number;
  readonly changedMs: number;
}

export class NewestFirst {
  // Times and ids stand beside the records: comparing must not fetch a record from memory.
  private order: { recs: Rec[]; ids: Float64Array; changedMs: Float64Array } | undefined;
  private readonly moved = new Set<string>();

  constructor(private readonly table: ReadonlyMap<string, Rec>) {}

  /** The record of this id came, went, was replaced, or its time changed. */
  note(id: string): void {
    if (!this.order) return;
    this.moved.add(id);
    // So much moved that sorting anew costs no more than merging.
    if (this.moved.size > 1_000 && this.moved.size * 2 > this.order.recs.length) this.drop();
  }

  /** Latest change first, higher ids first within one second; undefined when an id is no plain number. */
  records(): readonly Rec[] | undefined {
    if (this.order && this.moved.size === 0) return this.order.recs;
    const fresh = entriesOf(this.order ? this.movedRecords() : this.table.values());
    if (!fresh) {
      this.drop();
      return undefined;
    }
    fresh.sort((a, b) => b.changedMs - a.changedMs || b.id - a.id);
    this.order = this.merged(fresh);
    this.moved.clear();
    return this.order.recs;
  }

  private drop(): void {
    this.order = undefined;
    this.moved.clear();
  }

  private *movedRecords(): Iterable<Rec> {
    for (const id of this.moved) {
      const rec = this.table.get(id);
      if (rec) yield rec;
    }
  }

  private merged(fresh: readonly Entry[]): NonNullable<NewestFirst['order']> {
    const old = this.order ?? { recs: [], ids: new Float64Array(), changedMs: new Float64Array() };
    const stale = new Set([...this.moved].filter(isPlainNumber).map(Number));
    const size = this.table.size;
    const next = { recs: new Array<Rec>(size), ids: new Float64Array(size), changedMs: new Float64Array(size) };
    let at = 0;
    let taken = 0;
    const put = (rec: Rec, id: number, changedMs: number): void => {
      next.recs[at] = rec;
      next.ids[at] = id;
      next.changedMs[at++] = changedMs;
    };
    for (let i = 0; i < old.recs.length; i++) {
      const id = old.ids[i]!;
      if (stale.has(id)) continue;
      const changedMs = old.changedMs[i]!;
      for (; taken < fresh.length; taken++) {
        const one = fresh[taken]!;
        if (one.changedMs < changedMs || (one.changedMs === changedMs && one.id < id)) break;
        put(one.rec, one.id, one.changedMs);
      }
      put(old.recs[i]!, id, changedMs);
    }
    for (; taken < fresh.length; taken++) put(fresh[taken]!.rec, fresh[taken]!.id, fresh[taken]!.changedMs);
    return next;
  }
}

function entriesOf(recs: Iterable<Rec>): Entry[] | undefined {
  const entries: Entry[] = [];
  for (const rec of recs) {
    const id = rec['Id'] as string;
    if (!isPlainNumber(id)) return undefined;
    entries.push({ rec, id: Number(id), changedMs: storedMoment(rec['MetaData']?.LastUpdatedTime) });
  }
  return entries;
}

const isPlainNumber = (id: string): boolean => Number.isSafeInteger(Number(id)) && String(Number(id)) === id;
