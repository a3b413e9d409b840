// docs/lifecycle-matrix.md, from the results of the tests. Pure.
import { entityTypes } from '#core';
import { acts, types, type ActName, type Cell } from './acts.js';

const carriedBy = ({ tests, fields = [] }: Extract<Cell, { kind: 'carried' }>): string => {
  const named = fields.length > 0 ? [`${fields.length} field${fields.length === 1 ? '' : 's'}`] : [];
  return [...tests, ...named].join(', ');
};

/** One field of one type, brought to one act. */
export interface FieldFinding {
  type: string;
  field: string;
  act: string;
  /** refused, ignored: by QuickBooks itself, in the source */
  kind: 'carried' | 'refused' | 'ignored' | 'held' | 'broken';
  reason: string;
}

export function matrixDocument(
  cellOf: (type: string, act: ActName) => Cell,
  fields: readonly FieldFinding[] = [],
): string {
  const reasons = new Map<string, number>();
  const noteOf = (reason: string): number => {
    if (!reasons.has(reason)) reasons.set(reason, reasons.size + 1);
    return reasons.get(reason)!;
  };
  const text = (cell: Cell): string => {
    switch (cell.kind) {
      case 'carried':
        return `carried (${carriedBy(cell)})`;
      case 'held':
        return `held: ${cell.reason} (${cell.tests.join(', ')})`;
      case 'not possible':
        return `not possible: [${noteOf(cell.reason)}]`;
      case 'broken':
        return `BROKEN: ${cell.reason} (${cell.tests.join(', ')})`;
      default:
        return cell satisfies never;
    }
  };
  const rows = types.map(
    (type) => `| ${[type, ...acts.map((act) => text(cellOf(type, act)).replaceAll('|', '/'))].join(' | ')} |`,
  );
  const notes = [...reasons].map(([reason, n]) => `${n}. ${reason}${evidenceOf(cellOf, reason)}`);
  return `<!-- prettier-ignore-start -->
# Lifecycle matrix

What happens to every act on every type of record, from the results of \`npm run matrix\`: each carried cell names its tests, which
do the act in the source and find its effect in the target, through the whole system. \`npm run matrix -- --only Invoice/void\`
runs one of them. The numbers after "not possible" are the reasons below.

| | ${acts.join(' | ')} |
| ${Array(acts.length + 1)
    .fill('---')
    .join(' | ')} |
${rows.join('\n')}

## Why not possible

${notes.join('\n')}

## Each field

Every writable field of the catalogue, set, changed and cleared in the source, and found equal in the target afterwards. What
QuickBooks refuses or does not keep in the source itself is named with its answer. Fields that a copy never takes over on purpose
(links for payment, queues of mail and print, what another company cannot know) are in [the entity types](entity-types.md).

${fieldTable(fields)}

## Records of a carried type that are not possible

${notPossible().join('\n')}

<!-- prettier-ignore-end -->

${fieldLine(fields)}

${closingLine(cellOf)}
`;
}

/** What was answered where the act was tried, with the cells it holds for. */
function evidenceOf(cellOf: (type: string, act: ActName) => Cell, reason: string): string {
  const cellsBy = new Map<string, string[]>();
  for (const type of types) {
    for (const act of acts) {
      const cell = cellOf(type, act);
      if (cell.kind !== 'not possible' || cell.reason !== reason || cell.evidence === undefined) continue;
      cellsBy.set(cell.evidence, [...(cellsBy.get(cell.evidence) ?? []), `${type}: ${act}`]);
    }
  }
  return [...cellsBy].map(([evidence, cells]) => `\n   - ${evidence} (${cells.join(', ')})`).join('');
}

function fieldTable(fields: readonly FieldFinding[]): string {
  const steps = [...new Set(fields.map(({ act }) => act))];
  const rows = types.flatMap((type) => {
    const own = fields.filter((one) => one.type === type);
    if (own.length === 0) return [];
    const cells = steps.map((act) =>
      own
        .filter((one) => one.act === act && one.kind === 'carried')
        .map((one) => one.field)
        .join(', '),
    );
    const others = own
      .filter(({ kind }) => kind !== 'carried')
      .map(
        (one) => `${one.field} ${one.act.replace('field ', '')}: ${one.kind}${one.reason ? ` (${one.reason})` : ''}`,
      );
    return [`| ${[type, ...cells, others.join('; ')].join(' | ').replaceAll('\n', ' ')} |`];
  });
  return [
    `| | ${steps.join(' | ')} | otherwise |`,
    `| ${Array(steps.length + 2)
      .fill('---')
      .join(' | ')} |`,
    ...rows,
  ].join('\n');
}

export function fieldLine(fields: readonly FieldFinding[]): string {
  const by = (...kinds: FieldFinding['kind'][]): number => fields.filter(({ kind }) => kinds.includes(kind)).length;
  return `fields: carried ${by('carried', 'held')} of ${by('carried', 'held', 'broken')} acts on ${new Set(fields.map((one) => `${one.type}.${one.field}`)).size} fields, refused or not kept by QuickBooks ${by('refused', 'ignored')}`;
}

/** What the registry says of some records of a type. */
function notPossible(): string[] {
  const lineless = Object.values(entityTypes)
    .filter(({ needsLines }) => needsLines)
    .map(
      ({ type }) =>
        `- ${type} that was voided, or lost all its lines, before it was carried: held, since QuickBooks makes none without lines`,
    );
  const special = Object.values(entityTypes).flatMap(({ type, specialCases }) =>
    specialCases.flatMap(({ when, notCarried }) =>
      notCarried === undefined
        ? []
        : [
            `- ${type} where ${Object.entries(when)
              .map(([field, value]) => `${field} is ${String(value)}`)
              .join(' and ')}: ${notCarried}`,
          ],
    ),
  );
  const owing =
    '- Customer, Vendor or Account that the source made inactive before others under it got a balance: carried, and held active until that balance is cleared (6220)';
  const taken =
    '- any record whose name or document number the target has already and that is not its twin: held, or given a suffix, as the sync says (COLLISION.NAME, COLLISION.NUMBER)';
  const orphaned = '- Attachable whose document was deleted in the source before it was carried: held';
  return [...special, ...lineless, owing, taken, orphaned];
}

export function closingLine(cellOf: (type: string, act: ActName) => Cell): string {
  const cells = types.flatMap((type) => acts.map((act) => cellOf(type, act)));
  const impossible = cells.filter((cell) => cell.kind === 'not possible').length;
  const tested = cells.filter((cell) => cell.kind !== 'not possible').length;
  return `matrix: tested ${tested} of ${cells.length - impossible} cells, impossible ${impossible}`;
}
