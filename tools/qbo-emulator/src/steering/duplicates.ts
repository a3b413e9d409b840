// Finds live records that look like the same thing made twice: equal but for ids, tokens, times and numbers, made within
// ten minutes by the same app. This is how a test sees that a retry was not idempotent.
import { createHash } from 'node:crypto';
import { entityTypes } from '../catalogue/catalogue.js';
import type { Seat } from '../seat.js';
import type { Rec } from '../types.js';

const WINDOW_MS = 10 * 60_000;
const IGNORED = new Set([
  ...[
    'Id',
    'SyncToken',
    'MetaData',
    'DocNumber',
    'domain',
    'sparse',
    'LinkedTxn',
    'Balance',
    'UnappliedAmt',
    'RemainingCredit',
  ],
  ...[
    'V4IDPseudonym',
    'name',
    'LineEx',
    'FileAccessUri',
    'TempDownloadUri',
    'TxnStatus',
    'POStatus',
    'Received',
    'DeliveryInfo',
  ],
]);

export function duplicateSuspects(seat: Seat): { type: string; ids: string[] }[] {
  const found: { type: string; ids: string[] }[] = [];
  for (const type of entityTypes) {
    if (type.category !== 'transaction' && type.entity !== 'Attachable') continue;
    const groups = new Map<string, { id: string; atMs: number }[]>();
    for (const rec of seat.company.all(type.entity)) {
      const maker = seat.makers.get(`${type.entity}|${rec['Id']}`);
      if (!maker?.clientId) continue;
      const key = `${maker.clientId}|${contentHash(rec)}`;
      const group = groups.get(key);
      if (group) group.push({ id: rec['Id'], atMs: maker.atMs });
      else groups.set(key, [{ id: rec['Id'], atMs: maker.atMs }]);
    }
    for (const group of groups.values()) {
      group.sort((a, b) => a.atMs - b.atMs);
      let run: typeof group = [];
      for (const one of group) {
        if (run.length > 0 && one.atMs - run.at(-1)!.atMs > WINDOW_MS) {
          if (run.length > 1) found.push({ type: type.entity, ids: run.map((r) => r.id) });
          run = [];
        }
        run.push(one);
      }
      if (run.length > 1) found.push({ type: type.entity, ids: run.map((r) => r.id) });
    }
  }
  return found;
}

function contentHash(rec: Rec): string {
  const text = JSON.stringify(rec, (key, value: unknown) => (IGNORED.has(key) ? undefined : value));
  return createHash('md5').update(text).digest('base64');
}
