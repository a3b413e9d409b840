// How a stored record looks in an answer: live reference names, and the few fields that single answers, queries and
// write answers show differently (qbo-api.md 2.9). Copies only where something must be hidden.
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { refreshNames } from './references.js';

export type Channel = 'read' | 'created' | 'written' | 'query' | 'cdc';

type View = (rec: Rec, channel: Channel) => Rec;

const isSingle = (channel: Channel): boolean => channel === 'read' || channel === 'created' || channel === 'written';

const VIEWS: Record<string, View> = {
  Item: (rec, channel) => (isSingle(channel) ? rec : without(rec, 'DeferredRevenue')),
  Vendor: (rec, channel) => {
    if (isSingle(channel)) return rec;
    const zero = ['BillRate', 'CostRate'].filter((name) => rec[name] === 0);
    return zero.length === 0 ? rec : without(rec, ...zero);
  },
  Customer: (rec, channel) => {
    if (channel === 'created' || channel === 'written') return without(rec, 'V4IDPseudonym', 'ClientEntityId');
    if (channel === 'read') return without(rec, 'ClientEntityId');
    return { ...without(rec, 'DefaultTaxCodeRef'), ClientEntityId: '0' };
  },
  // The template is the object; its wrapper's id and times are the emulator's own book-keeping.
  RecurringTransaction: (rec) =>
    rec[rec['Type'] as string] ? { [rec['Type'] as string]: rec[rec['Type'] as string] as Rec } : rec,
  ExchangeRate: (rec) => without(rec, 'Id'),
  Account: (rec, channel) =>
    channel === 'created' ? { ...rec, MetaData: { CreateTime: rec['MetaData']?.CreateTime } } : rec,
};

function without(rec: Rec, ...names: string[]): Rec {
  const copy = { ...rec };
  for (const name of names) delete copy[name];
  return copy;
}

export function render(company: Company, entity: string, rec: Rec, channel: Channel): Rec {
  refreshNames(company, entity, rec);
  const view = VIEWS[entity];
  return view ? view(rec, channel) : rec;
}
