// How a stored record looks in an answer: live reference names, and the few fields that single answers, queries and
// write answers show differently (qbo-api.md 2.9). Copies only where something must be hidden.
import { Decimal } from 'decimal.js';
import { entityType } from '../catalogue/catalogue.js';
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { entityOfLabel } from './links.js';
import { refreshNames } from './references.js';
import { inFieldOrder } from './shape.js';

export type Channel = 'read' | 'created' | 'written' | 'query' | 'cdc';

type View = (rec: Rec, channel: Channel, company: Company) => Rec;

const isSingle = (channel: Channel): boolean => channel === 'read' || channel === 'created' || channel === 'written';

/** The JAXB dump that the service leaves in payments and purchases: noise to readers, refused when it comes back. */
function extension(pairs: readonly (readonly [string, string])[]): Rec {
  return {
    any: pairs.map(([Name, Value]) => ({
      name: '{http://schema.intuit.com/finance/v3}NameValue',
      declaredType: 'com.intuit.schema.finance.v3.NameValue',
      scope: 'javax.xml.bind.JAXBElement$GlobalScope',
      value: { Name, Value },
      nil: false,
      globalScope: true,
      typeSubstituted: false,
    })),
  };
}

/** What was open for the line before it was applied, with two decimals, and the number of what it pays. */
function appliedLine(company: Company, line: Rec): Rec {
  const linked = (line['LinkedTxn'] as Rec[] | undefined)?.[0];
  const target = linked && company.get(entityOfLabel(linked['TxnType']), linked['TxnId']);
  if (!linked || !target) return line;
  const open = new Decimal(company.ledger.openBalance(entityOfLabel(linked['TxnType']), linked['TxnId'])).plus(
    line['Amount'] ?? 0,
  );
  const pairs: [string, string][] = [
    ['txnId', linked['TxnId']],
    ['txnOpenBalance', open.toFixed(2)],
  ];
  if (target['DocNumber']) pairs.push(['txnReferenceNumber', target['DocNumber']]);
  return { Amount: line['Amount'], LinkedTxn: line['LinkedTxn'], LineEx: extension(pairs) };
}

// Numbers of the product's own transaction types, as captured.
const PURCHASE_NUMBER: Record<string, string> = { Check: '3', Cash: '54', CreditCard: '54' };

const VIEWS: Record<string, View> = {
  Payment: (rec, _channel, company) => {
    const lines = (rec['Line'] as Rec[] | undefined) ?? [];
    return lines.length === 0 ? rec : { ...rec, Line: lines.map((line) => appliedLine(company, line)) };
  },
  Purchase: (rec) => {
    if (rec['PurchaseEx']) return rec;
    const number = rec['Credit'] === true ? '11' : (PURCHASE_NUMBER[rec['PaymentType'] as string] ?? '54');
    // A new object in the captured order: the block stands before the envelope fields.
    return inFieldOrder({ ...rec, PurchaseEx: extension([['TxnType', number]]) }, entityType('Purchase'));
  },
  Item: (rec, channel) => (isSingle(channel) ? rec : without(rec, 'DeferredRevenue')),
  Vendor: (rec, channel) => {
    if (isSingle(channel)) return rec;
    const zero = ['BillRate', 'CostRate'].filter((name) => rec[name] === 0);
    return zero.length === 0 ? rec : without(rec, ...zero);
  },
  Customer: (rec, channel) => {
    if (channel === 'created' || channel === 'written') return without(rec, 'V4IDPseudonym', 'ClientEntityId');
    if (channel === 'read') return without(rec, 'ClientEntityId');
    const view: Rec = {};
    for (const name of Object.keys(rec)) {
      if (name === 'domain') view['ClientEntityId'] = '0';
      if (name !== 'DefaultTaxCodeRef' && name !== 'ClientEntityId') view[name] = rec[name];
    }
    return view;
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
  return view ? view(rec, channel, company) : rec;
}
