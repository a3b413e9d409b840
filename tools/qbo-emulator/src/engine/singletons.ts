// Preferences and CompanyInfo: one record each. The API changes few of their fields; a person (steering) changes all.
import type { EntityType } from '../catalogue/catalogue.js';
import type { Rec } from '../types.js';
import type { Engine, Written } from './engine.js';
import { stale } from './refusals.js';
import { inFieldOrder, readEntity, withoutNulls } from './shape.js';

/** Dropped silently when the API sends them, as the service does with what it does not let clients change. */
const API_REFUSED: Record<string, readonly string[]> = {
  AccountingInfoPrefs: ['BookCloseDate', 'TrackDepartments', 'FirstMonthOfFiscalYear', 'TaxYearMonth'],
  SalesFormsPrefs: ['AutoApplyCredit', 'AutoApplyPayments', 'CustomTxnNumbers'],
};

export function updateSingleton(engine: Engine, type: EntityType, body: Rec): Written {
  const { company } = engine;
  engine.mustBeWritable();
  const given = withoutNulls(readEntity(body, type, { country: company.country(), creating: false }));
  const before = company.get(type.entity, '1')!;
  if (given['SyncToken'] !== undefined && String(given['SyncToken']) !== before['SyncToken']) throw stale(type.entity);
  delete given['Id'];
  delete given['SyncToken'];
  for (const [group, names] of Object.entries(API_REFUSED)) {
    if (given[group]) for (const name of names) delete given[group][name];
  }
  return mergeSingleton(engine, type, given);
}

/** Merges groups field by field; an unchanged result moves nothing. */
export function mergeSingleton(engine: Engine, type: EntityType, patch: Rec): Written {
  const { company } = engine;
  const before = company.get(type.entity, '1')!;
  const stored: Rec = { ...before };
  for (const [name, value] of Object.entries(patch)) {
    stored[name] = mergedValue(before[name], value);
  }
  if (JSON.stringify(stored) === JSON.stringify(before)) {
    return { type: type.entity, id: '1', rec: before, act: 'update', happenings: [] };
  }
  stored['SyncToken'] = String(Number(before['SyncToken']) + 1);
  stored['MetaData'] = { ...before['MetaData'], LastUpdatedTime: company.now() };
  const rec = inFieldOrder(stored, type);
  company.replace(type.entity, rec);
  return {
    type: type.entity,
    id: '1',
    rec,
    act: 'update',
    happenings: [{ type: type.entity, id: '1', act: 'update' }],
  };
}

function mergedValue(before: unknown, value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) {
    // Name-value lists are merged by name: a patch names only what it changes.
    if (
      Array.isArray(value) &&
      Array.isArray(before) &&
      value.every((v: Rec) => v && typeof v === 'object' && 'Name' in v)
    ) {
      const names = new Set(value.map((v: Rec) => v['Name']));
      return [...(before as Rec[]).filter((b) => !names.has(b['Name'])), ...(value as Rec[])];
    }
    return value;
  }
  const out: Rec = { ...(typeof before === 'object' && before !== null ? before : {}) };
  for (const [key, inner] of Object.entries(value as Rec)) {
    const merged = mergedValue(out[key], inner);
    if (merged === undefined) delete out[key];
    else out[key] = merged;
  }
  return out;
}
