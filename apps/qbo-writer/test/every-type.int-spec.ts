// Every type and every kind of link, from a company that has one of each to an empty one, children before parents, through
// the real writer: afterwards the books, the records and their links are the same.
import {
  definitionOf,
  startingStockColumns,
  startingStockIn,
  typesInRankOrder,
  withIdentity,
  withTaxCode,
  withTaxRates,
  type Json,
} from '#core';
import type { WriteEvent } from '#contracts';
import { Installation } from './installation.js';

const carriedTypes = typesInRankOrder()
  .filter(({ policy, type }) => policy === 'carried' && type !== 'Attachable')
  .map(({ type }) => type);
/** Bundles are expanded into their lines; the item itself cannot be made through the API. */
const isCarried = (type: string, record: Json) => !(type === 'Item' && record.Type === 'Group');
/** Numbers are kept, classes and foreign money possible, as a person prepares a target. */
const prepared = {
  preferences: {
    SalesFormsPrefs: { CustomTxnNumbers: true },
    AccountingInfoPrefs: { ClassTrackingPerTxnLine: true, TrackDepartments: true },
  },
};

describe('a company that has one of everything', () => {
  let w: Installation;

  beforeAll(async () => {
    w = await Installation.start();
    await w.begin({}, { source: { preset: 'sample' }, target: prepared });
    const events: WriteEvent[] = [];
    for (const type of [...carriedTypes].reverse()) {
      for (const record of await sourceRecords(type)) {
        if (isCarried(type, record)) events.push(w.event(type, record, 'bulk'));
      }
    }
    await w.take(events);
    w.startWriter();
    await w.quiet(240_000);
  }, 300_000);
  afterAll(() => w.stop());

  const rows = async (company: Installation['source'], type: string): Promise<Json[]> => {
    const where = definitionOf(type).category === 'name-list' ? ' where Active in (true, false)' : '';
    const found = await w.query(company, `select * from ${definitionOf(type).endpoint}${where} maxresults 1000`);
    return found.map((row) => withIdentity(type, row));
  };

  /** Records as capture reads them: with what stands beside them. */
  async function sourceRecords(type: string): Promise<Json[]> {
    const records = await rows(w.source, type);
    if (type === 'TaxCode') {
      const rates = new Map((await rows(w.source, 'TaxRate')).map((rate) => [String(rate.Id), rate]));
      return records.map((code) => withTaxRates(code, rates));
    }
    if (type === 'TaxRate') {
      const codes = await rows(w.source, 'TaxCode');
      return records.map((rate) => withTaxCode(rate, codes)).filter((rate) => 'UsedBy' in rate);
    }
    if (type !== 'Item') return records;
    const days = [...new Set(records.flatMap((item) => (item.InvStartDate as string | undefined) ?? []))].sort();
    const period = `start_date=${days[0]}&end_date=${days.at(-1)}&columns=${startingStockColumns}`;
    const report = await w.emulator.api(
      w.source.realmId,
      w.source.accessToken,
      'GET',
      `reports/GeneralLedger?${period}`,
    );
    const stock = startingStockIn(report.body as Json);
    return records.map((item) => ({ ...item, StartingStock: stock.get(String(item.Id)) }));
  }

  it('has equal books, account by account', async () => {
    const books = async (realmId: string) => {
      const { rows: accounts } = (await w.emulator.trialBalance(realmId)) as { rows: Json[] };
      return accounts.map(({ name, debit, credit }) => `${String(name)} ${String(debit)} ${String(credit)}`).sort();
    };
    expect(await books(w.target.realmId)).toEqual(await books(w.source.realmId));
  });

  it.each(carriedTypes)('%s: every record once, linked as in the source', async (type) => {
    const source = (await rows(w.source, type)).filter((record) => isCarried(type, record));
    const links = (await w.links()).filter((link) => link.entityType === type);
    expect(links).toHaveLength(source.length);
    const target = new Map((await rows(w.target, type)).map((record) => [String(record.Id), record]));
    expect(new Set(links.map((link) => link.targetId)).size).toBe(links.length);
    const twin = await twins();
    for (const record of source) {
      const link = links.find(({ sourceId }) => sourceId === String(record.Id))!;
      const copy = target.get(link.targetId!)!;
      expect({ id: record.Id as string, found: copy !== undefined }).toEqual({ id: record.Id, found: true });
      expect(linkedFrom(type, copy)).toEqual(
        linkedFrom(type, record)
          .map((one) => twin(one))
          .sort(),
      );
      for (const field of [
        'TotalAmt',
        'Balance',
        'UnappliedAmt',
        'RemainingCredit',
        'QtyOnHand',
        'TxnStatus',
        'POStatus',
      ])
        expect({ field, id: record.Id as string, value: copy[field] as unknown }).toEqual({
          field,
          id: record.Id,
          value: record[field],
        });
    }
    if (definitionOf(type).category === 'transaction') expect(target.size).toBe(source.length);
  });

  it('answers nothing otherwise than it was sent', async () => {
    const differing = (await w.results()).filter(({ code }) => code === 'ANSWER.DIFFERS');
    expect(differing.map(({ entityType, sourceId, reason }) => [entityType, sourceId, reason])).toEqual([]);
  });

  /** "Invoice/12" in the source -> the same record in the target. */
  async function twins(): Promise<(named: string) => string> {
    const links = new Map(
      (await w.links()).map((l) => [`${l.entityType}/${l.sourceId}`, `${l.entityType}/${l.targetId}`]),
    );
    return (named) => links.get(named) ?? `no copy of ${named}`;
  }

  /** What a record links to by its own doing, as "Invoice/12". */
  function linkedFrom(type: string, record: Json): string[] {
    const rules = definitionOf(type).references.filter(({ kind }) => kind === 'linked-txn');
    const lists = [
      ...(rules.some(({ path }) => path === 'LinkedTxn.*') ? [record.LinkedTxn as Json[] | undefined] : []),
      ...(rules.some(({ path }) => path === 'Line.*.LinkedTxn.*')
        ? ((record.Line as Json[] | undefined) ?? []).map((line) => line.LinkedTxn as Json[] | undefined)
        : []),
    ];
    return lists
      .flatMap((list) => list ?? [])
      .flatMap(({ TxnId, TxnType }) => {
        const name = String(TxnType);
        const rule = rules.find(({ types, aliases }) => types.includes(aliases?.[name] ?? name));
        return rule ? [`${rule.aliases?.[name] ?? name}/${String(TxnId)}`] : [];
      })
      .sort();
  }
});
