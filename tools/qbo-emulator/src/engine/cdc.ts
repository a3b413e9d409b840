// Change data capture: 30 days back, 1,000 objects in all without any sign that more were cut, tombstones after the live
// rows of a type, five types left out (qbo-api.md 6).
import { entityNamed, type EntityType } from '../catalogue/catalogue.js';
import { touchedAt, type Company } from '../company/company.js';
import { objectTime, readInstant } from '../company/time.js';
import type { Rec } from '../types.js';
import { refusal, requiredMissing } from './refusals.js';
import { render } from './render.js';

const LOOK_BACK_MS = 30 * 86_400_000;

export function changeData(
  company: Company,
  entities: string | undefined,
  changedSince: string | undefined,
  most: number,
): Rec {
  if (!entities) throw requiredMissing('entities');
  if (!changedSince) throw requiredMissing('changedSince');
  const types = entities
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => {
      const type = entityNamed(name);
      if (!type || !(type.cdc || type.entity === 'TimeActivity') || type.entity === 'JournalCode') {
        throw refusal(
          '2000',
          `Invalid Object Name : ${name.slice(0, 40)} is not supported by change data capture`,
          'entities',
        );
      }
      return type;
    });
  const sinceMs = readInstant(changedSince, company.utcOffsetMinutes());
  if (sinceMs === undefined)
    throw refusal('2060', `Invalid Date Format : changedSince=${changedSince.slice(0, 40)}`, 'changedSince');
  if (sinceMs < company.clock.now() - LOOK_BACK_MS) {
    throw refusal(
      company.behaviour().cdcTooOld,
      'Date out of range : changedSince must be within the last 30 days',
      'changedSince',
    );
  }
  let room = most;
  const groups = types.map((type) => {
    const group = groupOf(company, type, sinceMs, room);
    room -= group.length;
    if (group.length === 0) return {};
    return {
      [type.jsonName]: group,
      startPosition: 1,
      maxResults: group.length,
      ...(type.totalCount && { totalCount: group.length }),
    };
  });
  return { CDCResponse: { QueryResponse: groups } };
}

function groupOf(company: Company, type: EntityType, sinceMs: number, room: number): Rec[] {
  if (room <= 0) return [];
  const live: Rec[] = [];
  for (const rec of company.all(type.entity)) if (touchedAt(rec) >= sinceMs) live.push(rec);
  live.sort((a, b) => touchedAt(a) - touchedAt(b));
  const rows = live.slice(0, room).map((rec) => render(company, type.entity, rec, 'cdc'));
  if (rows.length >= room) return rows;
  const dead: { id: string; atMs: number }[] = [];
  for (const [id, grave] of company.gravesOf(type.entity))
    if (grave.atMs >= sinceMs) dead.push({ id, atMs: grave.atMs });
  dead.sort((a, b) => a.atMs - b.atMs);
  const offset = company.utcOffsetMinutes();
  for (const { id, atMs } of dead.slice(0, room - rows.length)) {
    rows.push({ domain: 'QBO', status: 'Deleted', Id: id, MetaData: { LastUpdatedTime: objectTime(atMs, offset) } });
  }
  return rows;
}
