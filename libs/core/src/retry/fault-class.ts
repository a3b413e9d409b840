// The retry column of the fault table (qbo-api.md 11.2), as data. A code that is not here is asked by its HTTP status,
// and an unknown refusal of the content is a person's question, never an endless retry.
export type FaultClass =
  'never' | 'reread' | 'wait' | 'authenticate' | 'operator' | 'parent-missing' | 'duplicate-adopt';

const byCode: Record<FaultClass, readonly number[]> = {
  authenticate: [3200, 100, 110],
  operator: [120, 3100, 5020, 5030, 6110, 6120, 6130, 6190, 6200, 6210, 6280, 6450, 6480, 10200],
  wait: [130, 140, 150, 3001, 10000],
  reread: [620, 800, 900, 1000, 1010, 1020, 1030, 5010, 6220, 6540],
  'parent-missing': [610, 700, 2500, 6250],
  'duplicate-adopt': [600, 630, 6140, 6240],
  never: [],
};

const classOfCode = new Map<string, FaultClass>(
  (Object.entries(byCode) as [FaultClass, readonly number[]][]).flatMap(([fault, codes]) =>
    codes.map((code): [string, FaultClass] => [String(code), fault]),
  ),
);
// 900 is a cycle of parents: no re-read mends it.
classOfCode.set('900', 'never');

/** 6000 says its reason only in the text (qbo-api.md 11.2): families seen, first match decides. */
const businessValidation: readonly [RegExp, FaultClass][] = [
  [/inactive|been deleted|made inactive/i, 'parent-missing'],
  [/open balance|balance.*(less|exceed|larger)|already (been )?(paid|closed|linked)/i, 'reread'],
  [/period.*closed|closed.*period|closing date/i, 'operator'],
  [/subscription|permission|not enabled|turned off/i, 'operator'],
  [/duplicate/i, 'duplicate-adopt'],
  [/try again|temporar|unexpected (internal )?error/i, 'wait'],
];

/** @param text message and detail of the fault; decides only where the code alone does not (6000) */
export function classifyFault(code: string, status: number, text: string): FaultClass {
  // Gateways write 003200, the service 3200.
  const plain = code.trim().replace(/^0+(?=\d)/, '');
  if (plain === '6000') return businessValidation.find(([pattern]) => pattern.test(text))?.[1] ?? 'never';
  const known = classOfCode.get(plain);
  if (known) return known;
  if (status === 401) return 'authenticate';
  if (status === 403) return 'operator';
  if (status === 429 || status >= 500 || status === 408) return 'wait';
  return 'never';
}
