// A company without an engine: records in maps, enough of CompanyView for the ledger's own specs and tools.
import type { Clock, CompanyView, Rec } from '../types.js';
import type { Switches } from '../tax/index.js';

export class RecordedCompany implements CompanyView {
  readonly realmId = '1';
  readonly clock: Clock = { now: () => Date.UTC(2026, 10, 21) };
  readonly records = new Map<string, Map<string, Rec>>();
  prefs: Rec = { TaxPrefs: { UsingSalesTax: true }, SalesFormsPrefs: {} };
  info: Rec = { Country: 'US', FiscalYearStartMonth: 'January' };
  switches?: Partial<Switches>;
  multi = false;
  home = 'USD';
  day = '2026-11-21';
  private nextAccount = 9000;

  put(type: string, rec: Rec): Rec {
    let ofType = this.records.get(type);
    if (!ofType) this.records.set(type, (ofType = new Map()));
    ofType.set(String(rec.Id), rec);
    return rec;
  }

  drop(type: string, id: string): void {
    this.records.get(type)?.delete(id);
  }

  country(): string {
    return String(this.info.Country);
  }
  homeCurrency(): string {
    return this.home;
  }
  multicurrency(): boolean {
    return this.multi;
  }
  utcOffsetMinutes(): number {
    return 0;
  }
  today(): string {
    return this.day;
  }
  preferences(): Rec {
    return this.prefs;
  }
  companyInfo(): Rec {
    return this.info;
  }
  get(type: string, id: string): Rec | undefined {
    return this.records.get(type)?.get(id);
  }
  all(type: string): Iterable<Rec> {
    return this.records.get(type)?.values() ?? [];
  }
  count(type: string): number {
    return this.records.get(type)?.size ?? 0;
  }
  accountBySubType(subType: string, currency?: string): Rec | undefined {
    for (const account of this.all('Account')) {
      if (account.AccountSubType !== subType || account.Active === false) continue;
      if (currency === undefined || (account.CurrencyRef?.value ?? this.home) === currency) return account;
    }
    return undefined;
  }
  ensureAccount(spec: { name: string; type: string; subType: string; currency?: string }): Rec {
    for (const account of this.all('Account')) if (account.Name === spec.name) return account;
    return this.put('Account', {
      Id: String(this.nextAccount++),
      Name: spec.name,
      FullyQualifiedName: spec.name,
      AccountType: spec.type,
      AccountSubType: spec.subType,
      Active: true,
      CurrencyRef: { value: spec.currency ?? this.home },
    });
  }
}
