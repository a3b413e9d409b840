// Fetches what belongs to a record and stands elsewhere: the starting stock of inventory items, the rates of tax codes and
// the codes of rates.
// Remembered: a sale moves the item in every look, and says nothing of how it began. An item that moved although no document
// of the same look mentions it was touched by a person: that may have been its starting value, which no field of it shows.
import { startingDay, startingStockColumns, startingStockIn, withTaxCode, withTaxRates } from '#core';
import type { Json, Reading, StartingStock } from '#core';

/** The questions this asks of a source; undefined when QBO declines to answer, which leaves the fact out. */
export interface Asking {
  ledgerOf(day: string, columns: string): Promise<Json | undefined>;
  taxRates(): Promise<readonly Json[] | undefined>;
  taxCodes(): Promise<readonly Json[] | undefined>;
}

const remembered = 50_000;

interface Begun {
  stock: StartingStock | undefined;
  /** as the item was when this was learnt, or when a document last explained its moving */
  day: string;
  token: string;
}

export class Beside {
  private readonly begun = new Map<string, Begun>();

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
      const stock = reading.type === 'Item' ? this.begun.get(`${realmId}/${reading.id}`)?.stock : undefined;
      return stock ? { ...reading, snapshot: { ...reading.snapshot, StartingStock: stock } } : reading;
    });
  }

  private async learnStock(realmId: string, readings: readonly Reading[], ask: Asking): Promise<void> {
    const days = new Map<string, { id: string; token: string }[]>();
    const mentioned = itemsIn(readings);
    for (const reading of readings) {
      if (reading.kind !== 'record' || reading.type !== 'Item') continue;
      const { id, snapshot } = reading;
      const day = startingDay(snapshot);
      if (day === undefined) continue;
      const token = String(snapshot.SyncToken ?? '');
      const known = this.begun.get(`${realmId}/${id}`);
      if (known?.day === day && (known.token === token || mentioned.has(id))) known.token = token;
      else days.set(day, [...(days.get(day) ?? []), { id, token }]);
    }
    for (const [day, items] of days) {
      const report = await ask.ledgerOf(day, startingStockColumns);
      if (!report) continue;
      const found = startingStockIn(report);
      if (this.begun.size > remembered) this.begun.clear();
      for (const { id, token } of items) this.begun.set(`${realmId}/${id}`, { stock: found.get(id), day, token });
    }
  }
}

/** Items that the documents of a look mention, wherever in them. */
function itemsIn(readings: readonly Reading[]): Set<string> {
  const found = new Set<string>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      const { ItemRef } = value as { ItemRef?: { value?: unknown } };
      if (typeof ItemRef?.value === 'string') found.add(ItemRef.value);
      Object.values(value).forEach(walk);
    }
  };
  for (const reading of readings) if (reading.kind === 'record' && reading.type !== 'Item') walk(reading.snapshot);
  return found;
}
