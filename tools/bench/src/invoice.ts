// The record that benchmarks of the pipeline move: an invoice of ordinary size, the same in every benchmark so that their
// figures can be set side by side.
import type { ChangeEvent } from '#contracts';

/** @param n chooses one of 500 customers */
export function invoiceSnapshot(id: string, n: number): NonNullable<ChangeEvent['snapshot']> {
  return {
    Id: id,
    SyncToken: '1',
    DocNumber: `INV-${id}`,
    TxnDate: '2026-11-20',
    CustomerRef: { value: String(n % 500), name: 'A customer of ours' },
    Line: [
      {
        Id: '1',
        LineNum: 1,
        Amount: 125.5,
        DetailType: 'SalesItemLineDetail',
        SalesItemLineDetail: { ItemRef: { value: '7', name: 'Work' }, Qty: 1, UnitPrice: 125.5 },
      },
    ],
    TotalAmt: 125.5,
    Balance: 125.5,
    MetaData: { CreateTime: '2026-11-20T10:00:00-08:00', LastUpdatedTime: '2026-11-20T10:00:00-08:00' },
  };
}
