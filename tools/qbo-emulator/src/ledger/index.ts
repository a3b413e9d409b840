// The general ledger: posting rules, FIFO stock, balances, open amounts.
export {
  Ledger,
  applicationsOf,
  isProfitAndLoss,
  splitKey,
  type AccountSums,
  type LedgerLine,
  type PostEffects,
  type SystemTransaction,
} from './ledger.js';
export { buildPosting, isVoided, labelOf, POSTING_TYPES } from './build-posting.js';
export { dateOf, keyOf, Line, LineKind, linkedType, Posting, ymdOf } from './posting.js';
export { ItemStock, Movement } from './fifo.js';
