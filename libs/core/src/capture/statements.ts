// Query statements of capture. Every one names its order: without ORDERBY QBO sorts by what changes, and pages skip and
// repeat rows (qbo-api.md 5.1). Name lists answer only active rows unless the statement mentions Active.
import type { EntityDefinition } from '../registry/index.js';

/** QBO caps a page silently at 1,000; so a page of 1,000 rows means "perhaps more". */
export const pageSize = 1000;

/** A closed window over LastUpdatedTime, both ends inclusive, ISO 8601 UTC. */
export interface Window {
  readonly from: string;
  readonly to: string;
}

/** Every record of a type in the order of ids, from a 1-based position. */
export function statementOfAll(definition: EntityDefinition, startPosition: number): string {
  return statement(definition, conditionsOf(definition), definition.orderBy ?? 'Id', startPosition);
}

/** The records of a type that were last changed inside a window, oldest first. */
export function statementOfWindow(definition: EntityDefinition, window: Window, startPosition: number): string {
  const conditions = [
    ...conditionsOf(definition),
    `MetaData.LastUpdatedTime >= '${window.from}'`,
    `MetaData.LastUpdatedTime <= '${window.to}'`,
  ];
  return statement(definition, conditions, 'MetaData.LastUpdatedTime', startPosition);
}

export function statementOfIds(definition: EntityDefinition, ids: readonly string[]): string {
  const listed = ids.map((id) => `'${id.replace(/[\\']/g, '\\$&')}'`).join(', ');
  return statement(definition, [...conditionsOf(definition), `Id IN (${listed})`], 'Id', 1);
}

export function statementOfCount(definition: EntityDefinition): string {
  return `SELECT COUNT(*) FROM ${definition.type}${where(conditionsOf(definition))}`;
}

/** How many records of a type no API can make, and nobody misses in the ledger: one count for each kind of them. */
export function statementsOfNotCarried(definition: EntityDefinition): string[] {
  return definition.specialCases
    .filter(({ notCarried, posts, when }) => {
      const values = Object.values(when);
      return (
        notCarried !== undefined && !posts && values.length > 0 && values.every((value) => typeof value === 'string')
      );
    })
    .map(({ when }) => {
      const its = Object.entries(when).map(
        ([field, value]) => `${field} = '${String(value).replace(/[\\']/g, '\\$&')}'`,
      );
      return `SELECT COUNT(*) FROM ${definition.type}${where([...conditionsOf(definition), ...its])}`;
    });
}

function conditionsOf({ category }: EntityDefinition): string[] {
  return category === 'name-list' ? ['Active IN (true, false)'] : [];
}

function statement(definition: EntityDefinition, conditions: string[], order: string, startPosition: number): string {
  return (
    `SELECT * FROM ${definition.type}${where(conditions)}${order === '' ? '' : ` ORDERBY ${order} ASC`}` +
    ` STARTPOSITION ${startPosition} MAXRESULTS ${pageSize}`
  );
}

function where(conditions: string[]): string {
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

/** What the next page of a window is, given the page that came: keyset by time, so that rows which leave the window while
 * we page (somebody edits them) do not shift the rest past us. */
export type NextPage =
  { readonly kind: 'end' } | { readonly kind: 'page'; readonly window: Window; readonly startPosition: number };

export function nextWindowPage(
  window: Window,
  startPosition: number,
  rows: readonly { readonly lastUpdatedTime: string }[],
): NextPage {
  if (rows.length < pageSize) return { kind: 'end' };
  const last = utc(rows.at(-1)!.lastUpdatedTime);
  // The whole page shares one moment (an import): time cannot tell the rows apart, so go on by position.
  if (last <= utc(window.from)) return { kind: 'page', window, startPosition: startPosition + pageSize };
  return { kind: 'page', window: { from: last, to: window.to }, startPosition: 1 };
}

function utc(time: string): string {
  return new Date(time).toISOString();
}
