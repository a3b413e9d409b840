// Which rows go to QBO together, and which alone. Pure: rows, room and budget in, calls out.
//
// Rules
// - Rows of one call do not touch each other, nor anything on its way: QBO promises no order within a batch, nor between
//   calls. A row that does stays for later, and everything behind it that touches the same stays behind it.
// - At most 30 in a batch (QBO), fewer when they are slow: a batch must end well before QBO's time-out of 120 s.
// - Large and slow rows go apart from quick ones, which would wait for them.
// - A request that is no batch costs one of 500 a minute, a batch one of 40: with a backlog the 40 carry 1,200 rows and the
//   other 460 requests carry one each. So a batch is used whenever the quota gives one now, and singles fill the wait.
// - Yet both at once: a minute's requests that were not made while batches took every call do not come back. Batches leave
//   the calls that singles at their full rate need, unless the batches alone need them.
// - Without a backlog what counts is when the last row is done: two edits at once are done sooner as two requests.
export interface Packable {
  /** what it touches in the target */
  keys: readonly string[];
  /** may be an item of a batch */
  batchable: boolean;
  /** expected time at QBO */
  itemMs: number;
  /** of its body */
  bytes: number;
}

export interface PackRoom {
  /** calls that may be started */
  calls: number;
  /** calls that may be on their way together */
  callsInAll: number;
  batchesOnTheirWay: number;
  /** of those, batches that still wait for leave: the outlook does not know of them */
  batchesInLine: number;
  /** items in a batch at most */
  batchSize: number;
  /** touched by what is on its way */
  touched: ReadonlySet<string>;
  /** more rows wait than these: what counts is rows per minute, not when the last of these is done */
  backlog: boolean;
  /** what a request costs beside its items */
  callMs: number;
  /** what the governor would say now; see pacing/outlook.ts */
  outlook: QuotaOutlook;
}

export interface QuotaOutlook {
  /** until a request may be sent */
  singleInMs: number;
  /** between two requests */
  spacingMs: number;
  /** until a batch may be sent */
  batchInMs: number;
  /** between two batches, when a minute's are spread over it */
  batchSpacingMs: number;
  /** batches that may follow each other from then on */
  batches: number;
}

/** A batch of slow items is cut to this: half of QBO's time-out, so that one twice as slow as expected still ends. */
const longestBatchMs = 60_000;
/** Rows this much slower than the quickest of a pack go apart. */
const slowFactor = 4;
/** And rows with bodies above this: 30 of them make a megabyte. */
const largeBytes = 32 * 1024;

export interface Packed<T> {
  calls: T[][];
  /** rows that stay for later, in their order */
  left: T[];
}

export function packCalls<T extends Packable>(rows: readonly T[], room: PackRoom): Packed<T> {
  const free = independent(rows, room.touched);
  const calls: T[][] = [];
  const taken = new Set<T>();
  let batches = room.outlook.batches - room.batchesInLine;
  let onTheirWay = room.batchesOnTheirWay;
  const start = (call: T[]): void => {
    calls.push(call);
    for (const row of call) taken.add(row);
    if (call.length === 1) return;
    batches--;
    onTheirWay++;
  };
  for (const group of byWeight(free)) {
    let open = group;
    while (open.length > 0 && calls.length < room.calls) {
      const first = open[0]!;
      const batch = first.batchable ? batchFrom(open, room.batchSize) : [first];
      const crowded = room.backlog && onTheirWay >= batchesAtOnce(batch, room);
      const early = room.backlog && rows.length - taken.size < room.batchSize && isShort(batch, room.batchSize);
      const alone = batch.length === 1 || crowded || early || !isBatchBetter(batch, room, batches, calls.length);
      start(alone ? [first] : batch);
      open = open.filter((row) => !taken.has(row));
    }
  }
  return { calls, left: rows.filter((row) => !taken.has(row)) };
}

/** Rows that may go now; a row behind one that may not, and touching the same, may not either. */
function independent<T extends Packable>(rows: readonly T[], touched: ReadonlySet<string>): T[] {
  const seen = new Set(touched);
  return rows.filter(({ keys }) => {
    const isFree = !keys.some((key) => seen.has(key));
    for (const key of keys) seen.add(key);
    return isFree;
  });
}

/** Quick rows first, then large and slow ones, each in their order. */
function byWeight<T extends Packable>(rows: readonly T[]): T[][] {
  const quickestMs = Math.min(...rows.map((row) => row.itemMs));
  const isHeavy = (row: T) => row.bytes > largeBytes || row.itemMs > slowFactor * quickestMs;
  const quick = rows.filter((row) => !isHeavy(row));
  const heavy = rows.filter(isHeavy);
  return [quick, heavy].filter((group) => group.length > 0);
}

function batchFrom<T extends Packable>(rows: readonly T[], batchSize: number): T[] {
  const batch: T[] = [];
  let takesMs = 0;
  for (const row of rows) {
    if (!row.batchable) continue;
    if (batch.length > 0 && (batch.length === batchSize || takesMs + row.itemMs > longestBatchMs)) break;
    batch.push(row);
    takesMs += row.itemMs;
  }
  return batch;
}

/**
 * Not for want of time. With a backlog, whose next rows are being planned, the rest of a stock goes alone: a batch of twenty
 * costs the same of the forty as one of thirty.
 */
function isShort(batch: readonly Packable[], batchSize: number): boolean {
  const itemsMs = batch.reduce((sum, row) => sum + row.itemMs, 0);
  return batch.length < batchSize && (itemsMs * (batch.length + 1)) / batch.length <= longestBatchMs;
}

/** With a backlog: what singles at their full rate leave free, or what it takes to spend a minute's batches in a minute. */
function batchesAtOnce(batch: readonly Packable[], { callMs, callsInAll, outlook }: PackRoom): number {
  const itemsMs = batch.reduce((sum, row) => sum + row.itemMs, 0);
  // One more stands at the gate: a call that ends finds its successor ready.
  const forSingles = Math.ceil((callMs + itemsMs / batch.length) / outlook.spacingMs) + 1;
  const forBatches = Math.ceil((callMs + itemsMs) / outlook.batchSpacingMs);
  return Math.max(callsInAll - forSingles, forBatches);
}

function isBatchBetter(batch: readonly Packable[], room: PackRoom, batches: number, callsBefore: number): boolean {
  const { singleInMs, spacingMs, batchInMs } = room.outlook;
  const batchMs = batches > 0 ? batchInMs : Number.POSITIVE_INFINITY;
  // A backlog: a batch whenever it would go as soon as a single would.
  if (room.backlog) return batchMs <= singleInMs + spacingMs;
  const itemsMs = batch.reduce((sum, row) => sum + row.itemMs, 0);
  const slowestMs = Math.max(...batch.map((row) => row.itemMs));
  const roomForSingles = room.calls - callsBefore;
  const together = batchMs + room.callMs + itemsMs;
  const apart = singleInMs + (batch.length - 1) * spacingMs + room.callMs + slowestMs;
  // More than there are calls for would wait for the first of them to end.
  return batch.length > roomForSingles ? batchMs < apart + room.callMs : together <= apart;
}
