// Exchange rates: one per currency and day, upserted; no ids. A day without a rate answers the latest one before it.
import { entityType } from '../catalogue/catalogue.js';
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';
import { notFound, refusal, requiredMissing } from './refusals.js';
import { inFieldOrder, readDate, readEntity, withoutNulls } from './shape.js';

const keyOf = (currency: string, day: string): string => `${currency}|${day}`;

export function upsertExchangeRate(company: Company, body: Rec): Rec {
  const type = entityType('ExchangeRate');
  const given = withoutNulls(readEntity(body, type, { country: company.country(), creating: true }));
  for (const name of ['SourceCurrencyCode', 'AsOfDate', 'Rate'])
    if (given[name] === undefined) throw requiredMissing(name);
  const currency = given['SourceCurrencyCode'] as string;
  if (!/^[A-Z]{3}$/.test(currency))
    throw refusal('2220', `Invalid Currency : ${currency.slice(0, 20)}`, 'SourceCurrencyCode');
  if (!(given['Rate'] > 0)) throw refusal('2240', 'Number out of range : Rate must be greater than 0', 'Rate');
  const id = keyOf(currency, given['AsOfDate']);
  const before = company.get('ExchangeRate', id);
  const time = company.now();
  const rec = inFieldOrder(
    {
      SourceCurrencyCode: currency,
      TargetCurrencyCode: company.homeCurrency(),
      Rate: given['Rate'],
      AsOfDate: given['AsOfDate'],
      domain: 'QBO',
      sparse: false,
      Id: id,
      SyncToken: String(before ? Number(before['SyncToken']) + 1 : 0),
      MetaData: { ...(before?.['MetaData'] ?? { CreateTime: time }), LastUpdatedTime: time },
    },
    type,
  );
  if (before) company.replace('ExchangeRate', rec);
  else company.insert('ExchangeRate', rec);
  return withoutId(rec);
}

export function readExchangeRate(company: Company, currency: string | undefined, asOf: string | undefined): Rec {
  if (!currency) throw requiredMissing('sourcecurrencycode');
  const day = asOf === undefined ? company.today() : readDate(asOf, 'asofdate');
  let best: Rec | undefined;
  for (const rec of company.all('ExchangeRate')) {
    if (rec['SourceCurrencyCode'] !== currency || rec['AsOfDate'] > day) continue;
    if (!best || rec['AsOfDate'] > best['AsOfDate']) best = rec;
  }
  if (best) return { ...withoutId(best), AsOfDate: day };
  if (!/^[A-Z]{3}$/.test(currency)) throw notFound('sourcecurrencycode');
  return {
    SourceCurrencyCode: currency,
    TargetCurrencyCode: company.homeCurrency(),
    Rate: 1,
    AsOfDate: day,
    domain: 'QBO',
    sparse: false,
  };
}

function withoutId(rec: Rec): Rec {
  const copy = { ...rec };
  delete copy['Id'];
  return copy;
}
