// TaxService: the one way to make tax codes and rates. Takes a code name with rates to make or to reuse, answers the bare
// object with the ids it gave (qbo-api.md 13.1).
import { entityType } from '../catalogue/catalogue.js';
import { putTaxCode, putTaxRate } from '../company/empty-company.js';
import type { Rec } from '../types.js';
import type { Engine, Happening } from './engine.js';
import { badReference, duplicateName, refusal, requiredMissing } from './refusals.js';
import { readEntity, withoutNulls } from './shape.js';

export function createTaxCode(engine: Engine, body: Rec): { body: Rec; happenings: Happening[] } {
  const { company } = engine;
  engine.mustBeWritable();
  const given = withoutNulls(
    readEntity(body, entityType('TaxService'), { country: company.country(), creating: true }),
  );
  const name = given['TaxCode'] as string | undefined;
  const details = (given['TaxRateDetails'] as Rec[] | undefined) ?? [];
  if (!name) throw requiredMissing('TaxCode');
  if (details.length === 0) throw requiredMissing('TaxRateDetails');
  if (company.nameHolder('TaxCode', name, undefined)) throw duplicateName('TaxCode');
  const seen = new Set<string>();
  // Everything is checked before the first rate is made: a refused call leaves no half tax code.
  for (const detail of details) {
    const key = detail['TaxRateId'] ?? detail['TaxRateName'];
    if (key === undefined) throw requiredMissing('TaxRateName');
    if (seen.has(String(key)))
      throw refusal(
        '2600',
        `Conflicting elements : the rate ${String(key).slice(0, 60)} occurs twice`,
        'TaxRateDetails',
      );
    seen.add(String(key));
    if (detail['TaxRateId'] !== undefined) {
      if (!company.get('TaxRate', detail['TaxRateId']))
        throw badReference('TaxRate', String(detail['TaxRateId']), 'TaxRateId');
      continue;
    }
    if (detail['RateValue'] === undefined) throw requiredMissing('RateValue');
    if (detail['RateValue'] < 0 || detail['RateValue'] > 100)
      throw refusal('2150', 'Invalid Percent : RateValue is between 0 and 100', 'RateValue');
    if (!detail['TaxAgencyId']) throw requiredMissing('TaxAgencyId');
    if (!company.get('TaxAgency', String(detail['TaxAgencyId'])))
      throw badReference('TaxAgency', String(detail['TaxAgencyId']), 'TaxAgencyId');
    if (company.nameHolder('TaxRate', detail['TaxRateName'], undefined)) throw duplicateName('TaxRate');
  }
  const shown: Rec[] = [];
  const sales: string[] = [];
  const purchases: string[] = [];
  for (const detail of details) {
    const rate =
      detail['TaxRateId'] !== undefined
        ? company.get('TaxRate', detail['TaxRateId'])!
        : putTaxRate(company, detail['TaxRateName'], detail['RateValue'], String(detail['TaxAgencyId']));
    (detail['TaxApplicableOn'] === 'Purchase' ? purchases : sales).push(rate['Id']);
    shown.push({
      TaxRateName: rate['Name'],
      TaxRateId: rate['Id'],
      RateValue: rate['RateValue'],
      TaxAgencyId: rate['AgencyRef']?.value,
      TaxApplicableOn: detail['TaxApplicableOn'] ?? 'Sales',
    });
  }
  const code = putTaxCode(company, { name, description: name, rateIds: sales, purchaseRateIds: purchases });
  return { body: { TaxCode: name, TaxCodeId: code['Id'], TaxRateDetails: shown }, happenings: [] };
}
