// What every QBO answer carries beside its content (qbo-api.md 1.3, 13): book-keeping of the API, of the product and of
// the serializer. It is neither compared nor ever sent; the `*Ex` blocks would even be refused.
import type { Json } from '../model/json.js';
import { remembered } from './remembered.js';

const bookkeeping = new Set([
  'Id',
  'SyncToken',
  'MetaData',
  'domain',
  'sparse',
  'status',
  'V4IDPseudonym',
  'ClientEntityId',
  'ClientCompanyId',
  'IntuitId',
  'CustomExtensions',
  'RecurDataRef',
  'DeliveryInfo',
  'TxnSource',
  'Source',
]);

/** HomeTotalAmt, HomeBalance, HomeCostAmount ...: derived from ExchangeRate. */
const homeAmount = /^Home[A-Z]\w*$/;
/** LineEx, PurchaseEx ...: a dump of the serializer. */
const extension = /^[A-Z]\w*Ex$/;
const invoiceLink = /^InvoiceLink/;

/** The record without noise: header and lines lose their ids, references their names, addresses their coordinates. */
export function withoutNoise(record: Json): Json {
  return clean(record, true) as Json;
}

function clean(value: unknown, keepsEmptyLines = false): unknown {
  if (Array.isArray(value)) return value.filter((element) => !isServerLine(element)).map((element) => clean(element));
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  const source = value as Json;
  const cleaned: Json = {};
  for (const name of Object.keys(source)) {
    const field: unknown = source[name];
    if (isNoise(name, source, field)) continue;
    const kept = clean(field);
    // An empty Line list says something at the header: "nothing is applied by this payment".
    if (isEmpty(kept) && !(keepsEmptyLines && name === 'Line' && Array.isArray(field))) continue;
    cleaned[name] = kept;
  }
  return cleaned;
}

const isNoiseByName = remembered((name): 'yes' | 'as object' | 'no' => {
  if (bookkeeping.has(name) || homeAmount.test(name) || invoiceLink.test(name)) return 'yes';
  // The position in the list says the same as LineNum, and stays true when lines are removed.
  if (name === 'Lat' || name === 'Long' || name === 'LineNum') return 'yes';
  return extension.test(name) ? 'as object' : 'no';
});

function isNoise(name: string, owner: Json, field: unknown): boolean {
  if (field === undefined) return true;
  const always = isNoiseByName(name);
  if (always === 'yes' || (always === 'as object' && typeof field === 'object')) return true;
  // {value, name, type?}: the label follows the record it names, so a rename elsewhere would look like an edit here.
  if (name === 'name' && 'value' in owner) return true;
  return false;
}

/** The sub-total line is made by QBO and comes and goes between answers (qbo-api.md 2.2). */
export function isServerLine(element: unknown): boolean {
  return typeof element === 'object' && element !== null && (element as Json).DetailType === 'SubTotalLineDetail';
}

export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
