// Which tax engine a company has, and what a tax code means in it on a given day.
import type { CompanyView, Rec } from '../types.js';
import { textOf } from '../text.js';

export type TaxProfile = 'none' | 'us-manual' | 'us-automated' | 'vat';

export interface Rate {
  readonly id: string;
  readonly percent: number;
  /** Compound rates (old Quebec) are applied in order on amount plus earlier tax. */
  readonly onTax: boolean;
}

export function taxProfileOf(company: CompanyView): TaxProfile {
  const tax = company.preferences().TaxPrefs ?? {};
  if (tax.UsingSalesTax === false) return 'none';
  if (!isUs(company)) return 'vat';
  if (tax.PartnerTaxEnabled === true) return 'us-automated';
  return tax.PartnerTaxEnabled === false ? 'none' : 'us-manual';
}

export function isUs(company: CompanyView): boolean {
  const country = company.country();
  return country === 'US' || country === 'USA';
}

/** Rates of a code for sales or purchases, in TaxOrder, with the percent valid on the transaction's date. */
export function ratesOf(company: CompanyView, code: Rec, side: 'sales' | 'purchase', date: string): Rate[] {
  const list = side === 'sales' ? code.SalesTaxRateList : code.PurchaseTaxRateList;
  const details: Rec[] = list?.TaxRateDetail ?? [];
  return [...details]
    .sort((a, b) => Number(a.TaxOrder ?? 0) - Number(b.TaxOrder ?? 0))
    .map((detail) => {
      const id = textOf(detail.TaxRateRef?.value ?? '');
      return {
        id,
        percent: percentOn(company.get('TaxRate', id), date),
        onTax: detail.TaxTypeApplicable === 'TaxOnAmountPlusTax' || detail.TaxTypeApplicable === 'TaxOnTax',
      };
    });
}

export function percentOn(rate: Rec | undefined, date: string): number {
  if (!rate) return 0;
  const history: Rec[] = Array.isArray(rate.EffectiveTaxRate) ? rate.EffectiveTaxRate : [];
  const day = (value: unknown): string => textOf(value).slice(0, 10);
  for (const step of history) {
    if (step.EffectiveDate && day(step.EffectiveDate) > date) continue;
    if (step.EndDate && day(step.EndDate) < date) continue;
    return Number(step.RateValue ?? 0);
  }
  return Number(rate.RateValue ?? 0);
}
