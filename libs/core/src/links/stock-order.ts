// What a sold good costs is what the oldest of its kind on hand cost, and goods that came in on one day count in the order
// in which their documents were entered. A copy is entered when we write it. So of two documents of one day that bring in the
// same stock item, the one that was entered later in the source waits for the other one. Pure.
//
// Only documents that bring goods in: sales of one day, in whatever order, cost the same together.
import type { Json } from '../model/json.js';
import { definitionOf, typesInRankOrder } from '../registry/index.js';
import type { Link } from './link.js';

/** Types of documents that may bring stock in. */
export const receivingTypes: readonly string[] = typesInRankOrder()
  .filter(({ receivesStock }) => receivesStock === true)
  .map(({ type }) => type);

/** A copy to be made of a document that brings these goods in on this day. */
export interface Receipt {
  date: string;
  /** source ids */
  items: readonly string[];
}

/** @param isStock whether goods on hand are counted of this item of the source */
export function receiptOf(link: Link, isStock: (itemId: string) => boolean): Receipt | undefined {
  const { entityType, desired, target } = link;
  if (definitionOf(entityType).receivesStock !== true || desired.op !== 'upsert') return undefined;
  if (target && !target.deleted) return undefined;
  const date: unknown = desired.payload?.TxnDate;
  const items = [...new Set(itemsOf(link).filter(isStock))];
  return typeof date === 'string' && items.length > 0 ? { date, items } : undefined;
}

export function itemsOf({ desired }: Link): string[] {
  return desired.references.filter((one) => one.entityType === 'Item').map((one) => one.sourceId);
}

export const isStockItem = (payload: Json | undefined): boolean => payload?.Type === 'Inventory';

/** Ids of one company are one sequence, whatever the type. */
export function isEnteredBefore(id: string, other: string): boolean {
  return id.length === other.length ? id < other : id.length < other.length;
}

export interface StockTurn {
  code: 'STOCK.ORDER';
  reason: string;
  delayMs: number;
}

/** Work is told in no order: what was entered a moment before may arrive a moment after, over another partition. */
const firstLookMs = 700;
/** The end of the other document's write wakes it; this is for a wake that was missed. */
const nextLookMs = 2_000;
/** A backfill reads type by type: what was entered before is there when all of it was read. No longer than `readMayComeMs`: then
    nobody sleeps beyond that. */
const whileReadingMs = 5_000;
/** Whoever waits longer than this waits for something that does not come; the sum of the books is right all the same. */
export const stockPatienceMs = 10 * 60_000;

/** What a backfill read last may be on its way this long after its end. */
export const readMayComeMs = 5_000;

const waits = (because: string): string => `brings in stock on a day on which ${because}`;
/** Also how a waiting document is found when that other one's write has ended (storage: stock.ts). */
export const afterReceipt = ({ entityType, sourceId }: { entityType: string; sourceId: string }): string =>
  waits(`${entityType} ${sourceId}, entered before it, does so too`);

/** Why a copy is not made yet; undefined: it is its turn. */
export function stockTurn(o: {
  before: readonly { entityType: string; sourceId: string }[];
  /** a backfill: it reads, or has read, and what it read may still come for so long */
  reading?: 'now' | { forMs: number } | undefined;
  /** looked at for the first time, and told live */
  first: boolean;
  waitedMs: number;
}): StockTurn | undefined {
  if (o.waitedMs > stockPatienceMs) return undefined;
  const wait = (reason: string, delayMs: number): StockTurn => ({ code: 'STOCK.ORDER', reason, delayMs });
  const [first] = o.before;
  if (first) return wait(afterReceipt(first), nextLookMs);
  if (o.reading) {
    const delayMs = o.reading === 'now' ? whileReadingMs : o.reading.forMs;
    return wait(waits('others may do so that are still being read'), delayMs);
  }
  return o.first ? wait(waits('others may do so that were entered just before it'), firstLookMs) : undefined;
}
