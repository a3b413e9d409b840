// RecurringTransaction: a template of another type, wrapped in it. Created and deleted, never updated (qbo-api.md 13.4).
import { entityType } from '../catalogue/catalogue.js';
import type { Rec } from '../types.js';
import type { Engine, Written } from './engine.js';
import { duplicateName, refusal, requiredMissing, stale, unsupportedProperty } from './refusals.js';
import { gate } from './rules.js';
import { inFieldOrder, readEntity, withoutNulls } from './shape.js';

const RECUR_TYPES = new Set(['Automated', 'Reminded', 'UnScheduled', 'Unscheduled']);

/** The body may come bare or inside its own name, singly or as a list of one. */
function unwrapped(body: Rec): Rec {
  const inner: unknown = body['RecurringTransaction'];
  if (inner === undefined) return body;
  const first: unknown = Array.isArray(inner) ? inner[0] : inner;
  if (typeof first !== 'object' || first === null) throw unsupportedProperty('RecurringTransaction');
  return first as Rec;
}

export function createTemplate(engine: Engine, body: Rec): Written {
  const { company } = engine;
  engine.mustBeWritable();
  const type = entityType('RecurringTransaction');
  gate(company, type);
  const given = unwrapped(body);
  const wrapped = Object.keys(given).filter((key) => type.wraps?.includes(key));
  if (wrapped.length !== 1) {
    if (wrapped.length === 0) throw requiredMissing('RecurringTransaction template');
    throw refusal('2600', 'Conflicting elements : a recurring transaction holds exactly one template');
  }
  for (const key of Object.keys(given))
    if (!type.wraps?.includes(key) && !type.fields.has(key) && key !== 'sparse' && key !== 'domain')
      throw unsupportedProperty(key);
  const kind = wrapped[0]!;
  const template = withoutNulls(
    readEntity(given[kind], entityType(kind), { country: company.country(), creating: true }),
  );
  const info = template['RecurringInfo'] as Rec | undefined;
  if (!info?.['Name']) throw requiredMissing('RecurringInfo.Name');
  if (info['RecurType'] !== undefined && !RECUR_TYPES.has(info['RecurType'])) {
    throw refusal('2170', `Invalid Enumeration : RecurType=${String(info['RecurType']).slice(0, 40)}`, 'RecurType');
  }
  for (const other of company.all('RecurringTransaction')) {
    if (String(templateOf(other)['RecurringInfo']?.Name).toLowerCase() === String(info['Name']).toLowerCase()) {
      throw duplicateName('RecurringTransaction');
    }
  }
  const time = company.now();
  const id = company.nextId(type.idSequence);
  const meta = { CreateTime: time, LastUpdatedTime: time };
  delete template['Id'];
  delete template['SyncToken'];
  template['RecurringInfo'] = { RecurType: 'UnScheduled', Active: true, ...info };
  template['RecurDataRef'] = { value: id };
  Object.assign(template, { domain: 'QBO', sparse: false, Id: id, SyncToken: '0', MetaData: meta });
  // Id and times stand on the outer object for the emulator's own tables; clients find them inside the template.
  const rec: Rec = {
    Id: id,
    SyncToken: '0',
    MetaData: meta,
    Type: kind,
    [kind]: inFieldOrder(template, entityType(kind)),
  };
  company.insert('RecurringTransaction', rec);
  return { type: 'RecurringTransaction', id, rec, act: 'create', happenings: [] };
}

export function removeTemplate(engine: Engine, body: Rec): Written {
  const { company } = engine;
  engine.mustBeWritable();
  const given = unwrapped(body);
  const inner = Object.values(given).find((v: unknown): v is Rec => typeof v === 'object' && v !== null && 'Id' in v);
  const pair = given['Id'] !== undefined ? given : inner;
  if (!pair?.['Id']) throw requiredMissing('Id');
  const rec = engine.existing('RecurringTransaction', String(pair['Id']));
  if (pair['SyncToken'] === undefined) throw requiredMissing('SyncToken');
  if (String(pair['SyncToken']) !== rec['SyncToken']) throw stale('RecurringTransaction');
  company.bury('RecurringTransaction', rec['Id']);
  return { type: 'RecurringTransaction', id: rec['Id'], rec, act: 'delete', happenings: [] };
}

export function templateOf(rec: Rec): Rec {
  return (rec[rec['Type'] as string] as Rec | undefined) ?? {};
}
