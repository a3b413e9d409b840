// Fetches what belongs to a record and stands elsewhere: the starting stock of inventory items, the rates of tax codes and
// the codes of rates.
// Remembered for good: how an item began does not change, and a sale moves the item in every look.
import { startingDay, startingStockColumns, startingStockIn, withTaxCode, withTaxRates } from '#core';
import type { Json, Reading, StartingStock } from '#core';

/** The questions this asks of a source; undefined when QBO declines to answer, which leaves the fact out. */
export interface Asking {
  ledgerOf(day: string, columns: string): Promise<Json | undefined>;
  taxRates(): Promise<readonly Json[] | undefined>;
  taxCodes(): Promise<readonly Json[] | undefined>;
}

const remembered = 50_000;

export class Beside {
  private readonly stock = new Map<string, StartingStock | undefined>();

  async complete(realmId: string, readings: readonly Reading[], ask: Asking): Promise<Reading[]> {
    await this.learnStock(realmId, readings, ask);
    const rates = readings.some((one) => one.kind === 'record' && one.type === 'TaxCode')
      ? new Map((await ask.taxRates())?.map((rate) => [String(rate.Id), rate]))
      : new Map<string, Json>();
    const asksCodes = readings.some((one) => one.kind === 'record' && one.type === 'TaxRate');
    const codes = asksCodes ? ((await ask.taxCodes()) ?? []) : [];
    return readings.map((reading) => {
      if (reading.kind !== 'record') return reading;
      if (reading.type === 'TaxCode') return { ...reading, snapshot: withTaxRates(reading.snapshot, rates) };
      if (reading.type === 'TaxRate') return { ...reading, snapshot: withTaxCode(reading.snapshot, codes) };
      const stock = reading.type === 'Item' ? this.stock.get(`${realmId}/${reading.id}`) : undefined;
      return stock ? { ...reading, snapshot: { ...reading.snapshot, StartingStock: stock } } : reading;
    });
  }

  private async learnStock(realmId: string, readings: readonly Reading[], ask: Asking): Promise<void> {
    const days = new Map<string, string[]>();
    for (const reading of readings) {
      if (reading.kind !== 'record' || reading.type !== 'Item') continue;
      const day = startingDay(reading.snapshot);
      const key = `${realmId}/${reading.id}`;
      if (day === undefined || this.stock.has(key)) continue;
      days.set(day, [...(days.get(day) ?? []), reading.id]);
    }
    for (const [day, ids] of days) {
      const report = await ask.ledgerOf(day, startingStockColumns);
      if (!report) continue;
      const found = startingStockIn(report);
      if (this.stock.size > remembered) this.stock.clear();
      for (const id of ids) this.stock.set(`${realmId}/${id}`, found.get(id));
    }
  }
}
