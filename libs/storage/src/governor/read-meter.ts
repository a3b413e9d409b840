// The meter of reads that QuickBooks counts against the month: by company, day and purpose. Calls are summed up in memory and
// written every half minute; a crash loses at most that, which is nothing beside half a million.
import { monthOf, qboLimits, readMonth, type ReadMonth, type ReadPurpose } from '#core';
import type { Clock } from '#common/clock';
import type { Database } from '../database.js';
import { readsAllowance, readsForecast, readsMetered } from './governor.metrics.js';

export interface CompanyReads {
  realmId: string;
  reads: number;
  byPurpose: Partial<Record<ReadPurpose, number>>;
}

export interface ReadReport extends ReadMonth {
  /** its first day */
  month: string;
  companies: CompanyReads[];
}

const writeEveryMs = 30_000;
const dayMs = 24 * 60 * 60_000;
/** Basis of the forecast: weekdays and week-ends both, yet a backfill of last month is out of it. */
const basisDays = 7;

export class ReadMeter {
  allowance: number = qboLimits.meteredReadsPerMonth.max;
  /** as last computed here; "none" until the first writing */
  month: ReadMonth | undefined;

  private readonly counted = new Map<string, { realmId: string; day: string; purpose: ReadPurpose; reads: number }>();
  private dueMs = -Infinity;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly onGuard: (month: ReadMonth) => void,
  ) {}

  /** Reads that QuickBooks answered: one, or the queries of a batch. */
  count(realmId: string, purpose: ReadPurpose, reads: number): void {
    const day = this.clock.now().toISOString().slice(0, 10);
    const key = `${realmId} ${day} ${purpose}`;
    const entry = this.counted.get(key) ?? { realmId, day, purpose, reads: 0 };
    entry.reads += reads;
    this.counted.set(key, entry);
    // With the calls themselves and not by a timer: a process that reads nothing has nothing to tell.
    if (this.clock.nowMs() < this.dueMs) return;
    this.dueMs = this.clock.nowMs() + writeEveryMs;
    this.write().catch(() => undefined);
  }

  /** Writes what was counted and looks at the month anew. What could not be written is written next time. */
  async write(): Promise<void> {
    await this.writing;
    this.writing = this.writeAll().finally(() => (this.writing = undefined));
    await this.writing;
  }

  async report(month: string = monthOf(this.clock.now())): Promise<ReadReport> {
    const now = this.clock.now();
    const rows = await this.db.query<{ realmId: string; purpose: ReadPurpose; reads: string }>(
      `select realm_id as "realmId", purpose, sum(reads) as reads from metered_reads
       where day >= $1::date and day < $1::date + interval '1 month'
       group by realm_id, purpose order by sum(reads) desc, realm_id, purpose`,
      [month],
    );
    const companies = new Map<string, CompanyReads>();
    for (const { realmId, purpose, reads } of rows) {
      const company = companies.get(realmId) ?? { realmId, reads: 0, byPurpose: {} };
      company.reads += Number(reads);
      company.byPurpose[purpose] = Number(reads);
      companies.set(realmId, company);
    }
    const sorted = [...companies.values()].sort((a, b) => b.reads - a.reads);
    if (month === monthOf(now)) return { month, ...(await this.look(now)), companies: sorted };
    const metered = sorted.reduce((sum, { reads }) => sum + reads, 0);
    return { month, metered, forecast: metered, allowance: this.allowance, guard: 'none', companies: sorted };
  }

  private async writeAll(): Promise<void> {
    const entries = [...this.counted.values()];
    this.counted.clear();
    try {
      if (entries.length > 0) {
        await this.db.query(
          `insert into metered_reads (realm_id, day, purpose, reads)
           select * from unnest($1::text[], $2::date[], $3::text[], $4::bigint[]) as counted(realm_id, day, purpose, reads)
           order by day, realm_id, purpose
           on conflict (day, realm_id, purpose) do update set reads = metered_reads.reads + excluded.reads`,
          [
            entries.map(({ realmId }) => realmId),
            entries.map(({ day }) => day),
            entries.map(({ purpose }) => purpose),
            entries.map(({ reads }) => reads),
          ],
        );
      }
    } catch (error) {
      for (const entry of entries) {
        const key = `${entry.realmId} ${entry.day} ${entry.purpose}`;
        const since = this.counted.get(key);
        if (since) since.reads += entry.reads;
        else this.counted.set(key, entry);
      }
      throw error;
    }
    const before = this.month?.guard ?? 'none';
    this.month = await this.look(this.clock.now());
    if (this.month.guard !== before) this.onGuard(this.month);
  }

  private async look(now: Date): Promise<ReadMonth> {
    const today = now.toISOString().slice(0, 10);
    const [row] = await this.db.query<{ metered: string; recent: string; first: string | null }>(
      `select coalesce(sum(reads) filter (where day >= $1::date), 0) as metered,
         coalesce(sum(reads) filter (where day > $2::date - $3::int), 0) as recent,
         min(day) filter (where day > $2::date - $3::int)::text as first
       from metered_reads where day >= least($1::date, $2::date - $3::int) and day <= $2::date`,
      [monthOf(now), today, basisDays],
    );
    // From midnight of its first day to now: today is not over.
    const basisMs = row?.first ? now.getTime() - Date.parse(`${row.first}T00:00:00Z`) : dayMs;
    const month = readMonth(Number(row?.metered ?? 0), Number(row?.recent ?? 0), basisMs, now, this.allowance);
    readsMetered.set(month.metered);
    readsForecast.set(month.forecast);
    readsAllowance.set(month.allowance);
    return month;
  }
}
