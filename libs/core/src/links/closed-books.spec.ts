import { judgeClosedBooks } from './closed-books.js';
import type { Link } from './link.js';

const link = (from: string | undefined, to: string | undefined): Link => ({
  entityType: 'Invoice',
  sourceId: '5',
  state: { kind: 'held', code: 'QBO.6200', reason: 'closed' },
  desired: { version: 'v2', hash: 'h2', op: 'upsert', payload: { ...(to && { TxnDate: to }) }, references: [] },
  ...(from && { applied: { version: 'v1', hash: 'h1', payload: { TxnDate: from } } }),
  generation: 0,
  attempts: 1,
});

describe('a write that was held for closed books', () => {
  it.each<[string, string | undefined, string | undefined, string | undefined, 'release' | 'hold']>([
    ['a new one on the closing date', undefined, '2025-12-31', '2025-12-31', 'hold'],
    ['a new one before it', undefined, '2025-06-30', '2025-12-31', 'hold'],
    ['a new one after it', undefined, '2026-01-01', '2025-12-31', 'release'],
    ['one that moves out of the period', '2025-12-01', '2026-01-01', '2025-12-31', 'hold'],
    ['one that moves into it', '2026-01-01', '2025-12-01', '2025-12-31', 'hold'],
    ['one after the date was moved back', undefined, '2025-12-01', '2025-11-30', 'release'],
    ['one after the books were opened', '2025-12-01', '2025-12-01', undefined, 'release'],
    ['one without a date, which means today', undefined, undefined, '2025-12-31', 'release'],
  ])('%s', (_, from, to, closingDate, verdict) => {
    expect(judgeClosedBooks(link(from, to), closingDate).kind).toBe(verdict);
  });

  it('says the closing date and its own', () => {
    expect(judgeClosedBooks(link(undefined, '2025-06-30'), '2025-12-31')).toMatchObject({
      reason: expect.stringContaining('closed up to 2025-12-31 and this is dated 2025-06-30'),
    });
  });
});
