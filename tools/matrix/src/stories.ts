// Every story that is told to find out about a cell: a test with an id, in steps, each carried before the next.
import type { Raw } from '#testing';
import { acts, types, type ActName } from './acts.js';
import type { Bench } from './bench.js';
import { whyImpossible } from './impossible.js';
import { payBill, rows, type Row, type Step, type Story } from './rows.js';

export interface Test {
  /** `Invoice/void`, or `Payment/link:CreditMemo` where an act has several forms */
  id: string;
  type: string;
  act: ActName;
  story: Story;
  /** of several forms of an act: which; of a link: the type at its other end */
  form?: string;
  /** what must be true of the target in the end, beside being equal */
  ends: 'alive' | 'gone';
}

export function allTests(): Test[] {
  return types.flatMap((type) =>
    acts.flatMap((act) => (whyImpossible(type, act) === undefined ? testsOf(type, act) : [])),
  );
}

function testsOf(type: string, act: ActName): Test[] {
  const test = (story: Story, ends: Test['ends'] = 'alive', form?: string): Test => ({
    ...{
      id: `${type}/${act.replaceAll(' ', '-')}${form ? `:${form.replaceAll(/[ ,]+/g, '-')}` : ''}`,
      type,
      act,
      story,
      ends,
      ...(form !== undefined && { form }),
    },
  });
  if (type === 'TaxCode') return [test([makeTaxCode])];
  const row = rows[type]!;
  const make: Step = async (b) =>
    keyed(type, await b.save(type, type === 'BillPayment' ? await payBill(b) : row.make(b)));
  const patch =
    (body: (b: Bench, record: Raw) => Raw): Step =>
    async (b, record) =>
      b.change(type, record.Id as string, body(b, record));
  const forms = (stories: Readonly<Record<string, Story>>): Test[] =>
    Object.entries(stories).map(([form, story]) => test(story, 'alive', form));
  const lines = (before: readonly number[], after: readonly number[]): Story => [
    async (b) => b.save(type, { ...row.make(b), Line: row.lines!(b, before) }),
    patch((b) => ({ Line: row.lines!(b, after) })),
  ];
  const end: Step = async (b, record) => {
    if (type === 'RecurringTransaction') {
      await b.save(type, { Invoice: { Id: record.Id, SyncToken: record.SyncToken } }, '?operation=delete');
    } else await b.end(type, record.Id as string, 'delete');
    return record;
  };
  const renamed = (): Raw => ({ [row.rename!]: `Renamed ${type} ${Math.random().toString(36).slice(2, 8)}` });
  switch (act) {
    case 'create':
      return [test([make])];
    case 'field set':
      return [test([make, patch((b) => row.set!(b))])];
    case 'field changed':
      return [test([make, patch((b) => bodyOf(row, b))])];
    case 'field cleared':
      return [test([make, patch(() => ({ [row.clear!]: '' }))])];
    case 'line added':
      return [test(lines([10, 20], [10, 20, 30]))];
    case 'line removed':
      return [test(lines([10, 20, 30], [10, 30]))];
    case 'lines reordered':
      return [test(lines([10, 20, 30], [30, 10, 20]))];
    case 'reference changed':
      return [test([make, patch((b) => row.reference!(b))])];
    case 'delete':
      return [test([make, end], 'gone')];
    case 'void':
      return [
        test([
          make,
          row.zeroed
            ? patch((b) => row.zeroed!(b))
            : async (b, record) => {
                await b.end(type, record.Id as string, 'void');
                return record;
              },
        ]),
      ];
    case 'deactivate':
      return [test([make, patch(() => ({ Active: false }))])];
    case 'reactivate':
      return [test([make, patch(() => ({ Active: false })), patch(() => ({ Active: true }))])];
    case 'rename':
      return [test([make, patch(renamed)])];
    case 'created again':
      return [test([make, end, make])];
    case 'link':
      return forms(row.links ?? {});
    case 'unlink':
      return forms(row.unlinks ?? {});
    case 'its own act':
      return forms(row.own!);
    case 'merge':
      // A person's act, not the API's: the runner asks the emulator's person for it when all else is judged.
      return [test([])];
    default:
      return act satisfies never;
  }
}

const bodyOf = ({ change }: Row, b: Bench): Raw => (typeof change === 'function' ? change(b) : change);

/** A template's id stands inside it. */
function keyed(type: string, record: Raw): Raw {
  if (type === 'RecurringTransaction')
    return Object.values<Raw>(record).find((inner) => inner?.Id !== undefined) ?? record;
  return record;
}

const makeTaxCode: Step = async (b) => {
  const agencies = await b.query('TaxAgency');
  const name = b.name('County');
  const answer = await b.save('taxservice/taxcode', {
    TaxCode: name,
    TaxRateDetails: [{ TaxRateName: name, RateValue: '7.25', TaxAgencyId: agencies[0]?.Id, TaxApplicableOn: 'Sales' }],
  });
  return { Id: answer.TaxCodeId };
};
