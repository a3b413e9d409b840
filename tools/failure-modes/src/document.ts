// docs/failure-modes.md, from the fault table of the core and the list of our own codes. Pure.
import {
  businessValidation,
  byStatus,
  defaultRetryPolicy,
  faultTable,
  nextStep,
  type FaultClass,
  type Step,
} from '#core';
import { ownCodes, type OwnCode } from './own-codes.js';

/** What the router does at the first refusal, and when tries are used up: asked of the router, not told here. */
export function decided(faultClass: FaultClass): string {
  const at = (attempt: number): Step =>
    nextStep({ kind: 'refused', class: faultClass, code: '0', reason: '' }, attempt, defaultRetryPolicy, 0);
  const first = at(1);
  if (first.kind === 'fail') return 'fail';
  if (first.kind === 'hold') return first.until === 'reconnected' ? 'hold until connected again' : 'hold for a person';
  let tries = 1;
  while (at(tries + 1).kind === first.kind && tries < 1_000) tries++;
  return `${words[first.kind]}, at most ${tries} times; then ${at(tries + 1).kind}`;
}

const words: Record<Exclude<Step['kind'], 'fail' | 'hold'>, string> = {
  retry: 'wait and retry with the same request id',
  reread: 'read the target again, plan anew',
  uncertain: 'ask with the same request id, or read back',
  'wait-for-parent': 'look at the parent, plan anew',
  adopt: 'look for the twin and adopt it',
};

const places: Record<OwnCode['where'], string> = {
  link: 'Records that wait for a person, and what the sync log says',
  mapping: 'Mapping',
  file: 'Files',
  api: 'HTTP API',
  event: 'Kafka records',
  process: 'Between processes',
};

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(header), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
};

export function failureModes(): string {
  const quickBooks = faultTable.map((row) => [row.codes.join(', '), row.name, decided(row.class), row.next]);
  const texts = businessValidation.map((row) => [
    `\`${row.pattern.source.replaceAll('|', '\\|')}\``,
    decided(row.class),
    row.next,
  ]);
  const statuses = byStatus.map((row) => [row.status, decided(row.class), row.next]);
  const own = (Object.keys(places) as OwnCode['where'][]).map((where) => {
    const rows = ownCodes.filter((one) => one.where === where).map((one) => [`\`${one.code}\``, one.means, one.next]);
    return `### ${places[where]}\n\n${table(['code', 'means', 'next step'], rows)}\n`;
  });
  return `# Failure modes

Every way in which QuickBooks or this system says no, the decided answer, and the next step for a person. Written by
\`npm run failure-modes\` from \`libs/core/src/retry/fault-table.ts\` and \`tools/failure-modes/src/own-codes.ts\`; a test keeps it
current. A record in front of a person is a link in state \`held\` or \`failed\`, listed by
\`GET /v1/syncs/{id}/links?state=held,failed\` with its code and reason; \`redrive\` lets it go on.

Not refusals, and never the record's fault: a throttled call (429, 3001) and one that never left are repeated without counting; an
answer that was lost or cannot be read is asked for again with the same request id, then read back, and never made anew.

## QuickBooks' fault codes

On a link they read \`QBO.<code>\`.

${table(['code', 'what QuickBooks says', 'answer', 'when it ends in front of a person'], quickBooks)}

### 6000 by its text

The first pattern that matches decides; a text that matches none fails.

${table(['text', 'answer', 'when it ends in front of a person'], texts)}

### Without a known code

${table(['HTTP status', 'answer', 'when it ends in front of a person'], statuses)}

## Our own codes

${own.join('\n')}`;
}
