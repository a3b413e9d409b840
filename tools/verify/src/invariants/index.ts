// The thirteen invariants of docs/invariants.md.
import type { Books } from '../books.js';
import type { Verdict } from '../verdict.js';
import { applied } from './applied.js';
import { audit } from './audit.js';
import { balance } from './balance.js';
import { echo } from './echo.js';
import { neighbours } from './neighbours.js';
import { once } from './once.js';
import { order } from './order.js';
import { quota } from './quota.js';
import { redrive } from './redrive.js';
import { references } from './references.js';
import { replay } from './replay.js';
import { rest } from './rest.js';
import { tokens } from './tokens.js';

export const invariants: Readonly<Record<string, (books: Books) => Verdict>> = {
  'I-01': applied,
  'I-02': once,
  'I-03': order,
  'I-04': balance,
  'I-05': references,
  'I-06': quota,
  'I-07': tokens,
  'I-08': neighbours,
  'I-09': audit,
  'I-10': rest,
  'I-11': echo,
  'I-12': replay,
  'I-13': redrive,
};
