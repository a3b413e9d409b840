// What the system must carry, in the checker's own words: a type that somebody drops from the registry must not vanish from
// the promise with it. Kept by hand from QuickBooks' documentation.
import type { Raw } from '#testing';
import type { SyncRow, Tables } from './evidence.js';

/** Records that no API can make, or that each company keeps for itself. */
const neverCarried: Readonly<Record<string, string>> = {
  Budget: 'not reliably writable',
  CompanyInfo: 'who a company is',
  Preferences: 'settings',
  CustomerType: 'cannot be created',
  JournalCode: 'numbered per company',
  TaxRate: 'made with its tax code',
  ReimburseCharge: 'made by QuickBooks from an expense',
  TaxPayment: 'read only',
  TaxService: 'a call, not a record',
};

/** Read by each company from its own market, or made by use: the target may have its own. */
const derived: ReadonlySet<string> = new Set(['ExchangeRate', 'CompanyCurrency']);

export interface Scope {
  /** why a source record has no link, when that is in order */
  excuse(type: string, record: Raw, id: string): string | undefined;
}

export function scopeOf(sync: SyncRow, tables: Tables): Scope {
  const rules = tables.layers.filter(
    (layer) =>
      layer.layer === 'template' ||
      (layer.layer === 'organization' && layer.organization_id === sync.organization_id) ||
      layer.sync_id === sync.id,
  );
  const backfilled = tables.jobs.some(
    (job) =>
      job.sync_id === sync.id && job.kind === 'backfill' && job.state === 'done' && !Array.isArray(job.params?.types),
  );
  return {
    excuse(type, record, id) {
      if (neverCarried[type] !== undefined) return neverCarried[type];
      if (derived.has(type)) return 'each company has its own';
      if (type === 'Item' && record.Type === 'Group') return 'bundles cannot be created';
      if (rules.some((layer) => speaksOf(layer.rules, type, id))) return 'left out by a rule of the tenant';
      if (!backfilled && Date.parse(record.MetaData?.LastUpdatedTime ?? 0) < sync.created_at.getTime() - 60_000)
        return 'older than the sync, and nobody asked for a backfill';
      return undefined;
    },
  };
}

/** A rule leaves records of this type out, or sends them elsewhere. Which ones is the mapping's affair. */
function speaksOf(rules: Raw, type: string, id: string): boolean {
  return [rules?.[type], rules?.['*']].some(
    (own: Raw) =>
      own &&
      ((own.excluded !== undefined && own.excluded !== false) ||
        (Array.isArray(own.exclude) && own.exclude.length > 0) ||
        Object.hasOwn(own.redirect ?? {}, id)),
  );
}

/** Rules other than leaving out: contents may differ by wish. */
export const isReshaped = (sync: SyncRow, tables: Tables): boolean =>
  tables.layers.some(
    (layer) =>
      layer.layer === 'template' ||
      (layer.layer === 'organization' && layer.organization_id === sync.organization_id) ||
      layer.sync_id === sync.id,
  );
