import * as fc from 'fast-check';
import type { Json } from '../model/json.js';
import { entityTypes } from '../registry/index.js';
import { documentNumber } from './document-number.js';
import { mergeLayers } from './layers.js';
import { mapChange } from './map-change.js';
import { withoutSideEffects } from './neutral.js';
import type { DocumentNumberPolicy } from './rules.js';
import { defaultTemplate } from './template.js';

/** What each field would do in the target, said here once more and independently: field -> is this value harmless? */
const harmlessIf: Record<string, (value: unknown) => boolean> = {
  EmailStatus: (v) => v === 'NotSet',
  DeliveryInfo: () => false,
  AllowIPNPayment: (v) => v === false,
  AllowOnlinePayment: (v) => v === false,
  AllowOnlineCreditCardPayment: (v) => v === false,
  AllowOnlineACHPayment: (v) => v === false,
  AllowOnlinePayPalPayment: (v) => v === false,
  AllowOnlineAffirmPayment: (v) => v === false,
  InvoiceLink: () => false,
  ProcessPayment: (v) => v === false,
  ProcessBillPayment: (v) => v === false,
  AutoPayEligible: (v) => v === false,
  CreditChargeInfo: () => false,
  CreditChargeResponse: () => false,
  ScheduledPaymentId: () => false,
  PrintStatus: (v) => v === 'NotSet',
  OpeningBalance: () => false,
  OpeningBalanceDate: () => false,
  OpenBalanceDate: () => false,
  Balance: () => false,
  CurrentBalance: () => false,
  QtyOnHand: (v) => v === 0,
  VendorPaymentBankDetail: () => false,
};
const names = Object.keys(harmlessIf);

/** Every place where something dangerous stands. */
function dangers(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const here = `${path}.${name}`;
    const harmless = harmlessIf[name];
    if (harmless && !harmless(field)) return [here];
    if (path.endsWith('.RecurringInfo') && name === 'Active' && field !== false) return [here];
    return dangers(field, here);
  });
}

const dangerousValue = fc.constantFrom<unknown>(
  'NeedToSend',
  'EmailSent',
  'NeedToPrint',
  true,
  'true',
  125.5,
  '2020-01-01',
  { Number: '4111111111111111', ProcessPayment: true },
  { Name: 'mine', Active: true, RecurType: 'Automated' },
  [{ PrintStatus: 'NeedToPrint' }],
);
const places = ['', 'CheckPayment.', 'CreditCardPayment.', 'Line.0.SalesItemLineDetail.', 'Invoice.', 'RecurringInfo.'];
const dangerousPath = fc
  .tuple(fc.constantFrom(...places), fc.constantFrom(...names, 'Active', 'RecurringInfo'))
  .map(([place, name]) => place + name);
const attack = fc.dictionary(dangerousPath, dangerousValue, { maxKeys: 8 });

function snapshotOf(fields: Record<string, unknown>): Json {
  const record: Json = {
    Id: '5',
    SyncToken: '0',
    DocNumber: '1001',
    Line: [{ Amount: 1, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: {} }],
  };
  for (const [path, value] of Object.entries(fields)) {
    const segments = path.split('.');
    let at: Json = record;
    for (const segment of segments.slice(0, -1)) {
      if (typeof at[segment] !== 'object' || at[segment] === null) at[segment] = {};
      at = at[segment] as Json;
    }
    at[segments.at(-1)!] = value;
  }
  return record;
}

describe('a copy', () => {
  const carried = Object.values(entityTypes).filter(
    ({ type, policy }) => policy === 'carried' && type !== 'Attachable',
  );

  it.each(carried.map(({ type }) => type))(
    'of %s mails nobody, charges nothing, prints nothing, opens no balance, whatever the source and the rules say',
    (entityType) => {
      fc.assert(
        fc.property(attack, attack, fc.boolean(), (source, rules, wrapped) => {
          const snapshot = snapshotOf(source);
          const rule = { static: rules, fields: [{ from: 'DocNumber', to: 'EmailStatus' }] };
          const ruleSet = mergeLayers([
            defaultTemplate,
            { id: 7, layer: 'sync', rules: { entities: { [entityType]: rule } } },
          ]);
          const mapped = mapChange(
            {
              realmId: '1',
              entityType,
              id: '5',
              version: 'v',
              deleted: false,
              // A template of a recurring transaction stands inside its type's name.
              snapshot: wrapped ? { Id: '5', SyncToken: '0', Invoice: snapshot } : snapshot,
            },
            ruleSet,
          );
          if (mapped.kind === 'write') expect(dangers(mapped.write.payload)).toEqual([]);
        }),
        { numRuns: 20 },
      );
    },
  );

  it('keeps everything else as it is', () => {
    const body = {
      PrivateNote: 'NeedToSend',
      BillEmail: { Address: 'a@example.com' },
      CreditCardPayment: { CCAccountRef: { value: '9' } },
      Active: true,
      Line: [{ Amount: 1.1 }],
    };
    expect(withoutSideEffects(body)).toEqual(body);
  });

  it('comes out the same when it is neutral already', () => {
    fc.assert(
      fc.property(attack, (source) => {
        const once = withoutSideEffects(snapshotOf(source));
        expect(withoutSideEffects(once)).toEqual(once);
      }),
    );
  });
});

describe('the number of a copy', () => {
  it.each<[DocumentNumberPolicy, unknown, string | undefined]>([
    [{ kind: 'keep' }, '1001', '1001'],
    [{ kind: 'keep' }, undefined, undefined],
    [{ kind: 'drop' }, '1001', undefined],
    [{ kind: 'prefix', text: 'A-' }, '1001', 'A-1001'],
    [{ kind: 'suffix', text: '/B' }, '1001', '1001/B'],
    [{ kind: 'prefix', text: 'A-' }, '', undefined],
    [{ kind: 'prefix', text: 'A-', tooLong: 'cut' }, 'INV-2026-000000012345', 'A-V-2026-000000012345'],
    [{ kind: 'suffix', text: '/B', tooLong: 'cut' }, 'INV-2026-000000012345', 'V-2026-000000012345/B'],
    [{ kind: 'suffix', text: '/B', tooLong: 'drop' }, 'INV-2026-000000012345', undefined],
    [{ kind: 'hold' }, '1001', '1001'],
    [{ kind: 'hold' }, '', undefined],
    // To be held (links/collisions.ts), with what it would be.
    [{ kind: 'keep' }, 'INV-2026-0000000123456', 'INV-2026-0000000123456'],
    [{ kind: 'suffix', text: '/B' }, 'INV-2026-000000012345', 'INV-2026-000000012345/B'],
    [{ kind: 'prefix', text: 'much longer than that may be', tooLong: 'cut' }, '1', 'much longer than that may be1'],
  ])('by %j, %j becomes %j', (policy, number, expected) => {
    expect(documentNumber(number, policy, 21)).toBe(expected);
  });

  it('is never longer than QBO takes where it is cut or dropped, unless prefix or suffix leave no room for any of it', () => {
    const policy = fc.record({
      kind: fc.constantFrom('prefix' as const, 'suffix' as const),
      text: fc.string({ maxLength: 20 }),
      tooLong: fc.constantFrom('drop' as const, 'cut' as const),
    });
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), policy, (number, chosen) => {
        expect((documentNumber(number, chosen, 21) ?? '').length).toBeLessThanOrEqual(21);
      }),
    );
  });
});
