// docs/lifecycle-matrix.md, from the results of the tests. Pure.
import { entityTypes } from '#core';
import { acts, types, type ActName, type Cell } from './acts.js';

export function matrixDocument(cellOf: (type: string, act: ActName) => Cell): string {
  const reasons = new Map<string, number>();
  const noteOf = (reason: string): number => {
    if (!reasons.has(reason)) reasons.set(reason, reasons.size + 1);
    return reasons.get(reason)!;
  };
  const text = (cell: Cell): string => {
    switch (cell.kind) {
      case 'carried':
        return `carried (${cell.tests.join(', ')})`;
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
  const notes = [...reasons].map(([reason, n]) => `${n}. ${reason}`);
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

## Records of a carried type that are not possible

${notPossible().join('\n')}

<!-- prettier-ignore-end -->

${closingLine(cellOf)}
`;
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
  return [...special, ...lineless, owing];
}

export function closingLine(cellOf: (type: string, act: ActName) => Cell): string {
  const cells = types.flatMap((type) => acts.map((act) => cellOf(type, act)));
  const impossible = cells.filter((cell) => cell.kind === 'not possible').length;
  const tested = cells.filter((cell) => cell.kind !== 'not possible').length;
  return `matrix: tested ${tested} of ${cells.length - impossible} cells, impossible ${impossible}`;
}
