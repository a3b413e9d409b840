// docs/entity-types.md holds what the registry says, for people. `UPDATE_DOCS=1` writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EntityDefinition } from './definition.js';
import { typesInRankOrder } from './registry.js';

const path = join(process.cwd(), 'docs', 'entity-types.md');
const begin = '<!-- from the registry -->';

describe('docs/entity-types.md', () => {
  it('says what the registry says', () => {
    const text = readFileSync(path, 'utf8');
    const written = `${text.slice(0, text.indexOf(begin))}${begin}\n\n${table()}`;
    if (process.env.UPDATE_DOCS) writeFileSync(path, written);
    expect(cells(readFileSync(path, 'utf8'))).toEqual(cells(written));
  });
});

/** White space is the formatter's. */
function cells(text: string): string[] {
  return text.split('\n').map((line) => line.replace(/\s+/g, ' ').replace(/-{3,}/g, '---').trim());
}

function table(): string {
  const rows = typesInRankOrder().map((definition) => `| ${columns(definition).join(' | ')} |`);
  return [
    '| type | rank | policy | heard of by | written | void | found by | notes |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function columns(definition: EntityDefinition): string[] {
  const { type, rank, policy, cdc, webhook, batchable, voidForm, naturalKeys, wireForm, operations } = definition;
  const heard = [cdc ? 'change data' : 'sweep', ...(webhook ? ['webhook'] : [])].join(', ');
  const written =
    policy === 'reported' ? '' : [batchable ? 'in batches' : 'alone', ...(wireForm ? [wireForm] : [])].join(', ');
  const voids = voidForm === 'none' ? '' : voidForm;
  const isUpdated = operations.some((operation) => operation.endsWith('update'));
  const remarks = [
    definition.reportedBecause,
    ...definition.specialCases.map(({ notCarried }) => notCarried && `not carried: ${notCarried}`),
    policy === 'carried' && !isUpdated && operations.includes('delete')
      ? 'a change deletes it and makes it anew'
      : undefined,
    definition.singletons && 'those QBO makes itself are mapped, never made',
  ].filter((remark) => remark !== undefined);
  const keys = naturalKeys.map((fields) => fields.join(' + ')).join('; or ');
  return [type, String(rank), policy, heard, written, voids, keys, remarks.join('; ')];
}
