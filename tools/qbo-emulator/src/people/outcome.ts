// What an act of a person came to, and what acts ask of the records they find.
import type { Rec } from '../types.js';

/** What was done: to which record, and what else took part: the invoice paid, the name that died, the record a file hangs on. */
export interface Touched {
  type: string;
  id: string;
  with?: { type: string; id: string }[];
  name?: string;
}

export type Outcome = Touched | undefined;

const nameOf = (rec: Rec): string | undefined => (rec.DisplayName ?? rec.Name ?? rec.DocNumber) as string | undefined;
export const outcome = (type: string, rec: Rec | undefined, others: { type: string; rec: Rec }[] = []): Outcome =>
  rec && {
    type,
    id: rec.Id as string,
    name: nameOf(rec),
    ...(others.length > 0 ? { with: others.map((one) => ({ type: one.type, id: one.rec.Id as string })) } : {}),
  };

export const isVoided = (rec: Rec): boolean => String(rec.PrivateNote ?? '').startsWith('Voided');
export const isUntouched = (rec: Rec): boolean =>
  !isVoided(rec) && ((rec.LinkedTxn as Rec[] | undefined)?.length ?? 0) === 0;
export const isOpen = (rec: Rec): boolean => Number(rec.Balance) > 0;
export const linkedTo = (rec: Rec): { type: string; rec: Rec }[] =>
  ((rec.Line as Rec[] | undefined) ?? []).flatMap((line) =>
    ((line.LinkedTxn as Rec[] | undefined) ?? []).map((link) => ({
      type: link.TxnType as string,
      rec: { Id: link.TxnId },
    })),
  );

/** The lines of a payment or deposit in the form a client sends. */
export function linesAsSent(rec: Rec): Rec[] {
  return ((rec.Line as Rec[] | undefined) ?? []).map((line) => {
    const sent: Rec = { Amount: line.Amount };
    for (const field of ['Id', 'DetailType', 'Description', 'LinkedTxn', 'DepositLineDetail'])
      if (line[field] !== undefined) sent[field] = line[field];
    return sent;
  });
}
