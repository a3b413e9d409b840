// Every refusal QuickBooks is known to give (qbo-api.md 11.2), and what each one means for a record: one table, from which
// the router decides and docs/failure-modes.md is written. A code that is missing here is judged by its HTTP status.
/** others-first: another record of the target must change or go first; held after some tries, and tried again by itself */
export type FaultClass =
  'never' | 'reread' | 'wait' | 'authenticate' | 'operator' | 'parent-missing' | 'duplicate-adopt' | 'others-first';

export interface FaultRow {
  readonly codes: readonly number[];
  readonly name: string;
  readonly class: FaultClass;
  /** what a person does when the record ends in front of one; what happens meanwhile when it does not */
  readonly next: string;
}

const row = (codes: number | readonly number[], name: string, faultClass: FaultClass, next: string): FaultRow => ({
  codes: typeof codes === 'number' ? [codes] : codes,
  name,
  class: faultClass,
  next,
});

const bug = 'the mapping made a body that QuickBooks does not take: read the reason, correct the mapping rule, redrive';
const value = 'correct the value in the source, or add a mapping rule for this field; the edit redrives it by itself';
const reconnect = 'connect the company again; everything held goes on by itself';

export const faultTable: readonly FaultRow[] = [
  row(
    [3200, 100, 110],
    'authentication failed',
    'authenticate',
    `the token was renewed once and still refused: ${reconnect}`,
  ),
  row(3202, 'empty token', 'authenticate', reconnect),
  row(120, 'the connecting user lost the right', 'operator', 'let an administrator of that company connect it again'),
  row(3100, 'token of another company or environment', 'operator', `${reconnect}; check SYNC_QBO_ENVIRONMENT`),
  row(
    [130, 140, 150],
    'wrong cluster, company locked, maintenance',
    'wait',
    'nothing: asked again with the same request id',
  ),
  row(3001, 'throttled', 'wait', 'nothing: the governor slows the company down'),
  row(500, 'unsupported operation', 'never', bug),
  row(
    600,
    'duplicate request id',
    'duplicate-adopt',
    'nothing: the record that the first request made is looked up and taken',
  ),
  row(
    610,
    'object not found or inactive',
    'parent-missing',
    'make the referenced record active in the target, then redrive',
  ),
  row(
    620,
    'transaction cannot be linked',
    'others-first',
    'look at both documents in the target: paid or deposited by another, other customer, or closed; once they are free it goes on by itself',
  ),
  row(630, 'duplicate object', 'duplicate-adopt', 'no twin was found: rename one of the two, then redrive'),
  row(700, 'parent reference invalid', 'parent-missing', 'look at the parent in the target, then redrive'),
  row(
    800,
    'cannot delete: others depend on it',
    'others-first',
    'remove in the target what hangs on it: it goes on by itself',
  ),
  // Where a tree is turned about (the parent below its former child), the other one may have to move first.
  row(
    900,
    'parent would be its own child',
    'others-first',
    'nothing, when the other one is on its way; else correct the hierarchy in the source',
  ),
  row(
    [1000, 1010, 1020, 1030],
    'operation failed, generic',
    'reread',
    'read the reason; redrive once QuickBooks is well',
  ),
  row(1040, 'batch too large', 'never', bug),
  row(1050, 'invalid content type', 'never', bug),
  row(2000, 'invalid object name', 'never', bug),
  row(2010, 'unknown or unsupported property', 'never', 'exclude the field by a mapping rule, then redrive'),
  row(2020, 'required parameter missing', 'never', 'give the field a default by a mapping rule, then redrive'),
  row(2030, 'invalid id', 'never', bug),
  row([2040, 2050], 'invalid string, or too long or short', 'never', value),
  row([2060, 2070, 2080, 2090, 2100, 2110], 'date, number or decimal not valid', 'never', value),
  row(2120, 'invalid type', 'never', value),
  row(2130, 'invalid request id', 'never', bug),
  row([2140, 2150, 2160], 'amount, percent or quantity not valid', 'never', value),
  row(2170, 'invalid enumeration', 'never', value),
  row([2180, 2190, 2240], 'outside the range of strings, dates or numbers', 'never', value),
  row([2200, 2210, 2220, 2230], 'invalid URL, e-mail, currency or boolean', 'never', value),
  row(2250, 'no lines', 'never', value),
  row([2260, 2270, 2280], 'journal line lacks posting type or tax fields', 'never', value),
  row(
    2290,
    'negative amount',
    'never',
    'this form takes no negative line: enter it in the source as the opposite type',
  ),
  row(2300, 'debits differ from credits', 'never', bug),
  row(2500, 'invalid reference', 'parent-missing', 'the referenced record is gone in the target: redrive it first'),
  row(2600, 'conflicting elements', 'never', bug),
  row(3000, 'invalid custom field', 'never', 'define the custom field in the target, or exclude it by a mapping rule'),
  row([4000, 4001, 4002], 'query not understood', 'never', bug),
  row(5000, 'deprecated field', 'never', bug),
  row(5010, 'stale object', 'reread', 'somebody keeps editing this record in the target: wait for them, then redrive'),
  row(
    5020,
    'permission denied',
    'operator',
    "the target's plan or the connecting user lacks the feature: upgrade or exclude the type",
  ),
  row(5030, 'feature switched off', 'operator', "switch the feature on in the target's settings, then redrive"),
  row(6000, 'business validation', 'never', 'judged by its text, below; unknown texts are for a person'),
  row(6010, 'account type or subtype wrong', 'never', value),
  row(
    [6020, 6030],
    'upload without length, or too large',
    'never',
    'the file is beyond what QuickBooks takes: leave it or shrink it',
  ),
  row(
    [6040, 6041, 6050],
    'file not valid, or not for this record',
    'never',
    'QuickBooks does not take this kind of file here',
  ),
  row(6060, 'opening balance without its date', 'never', bug),
  row(6070, 'amount differs from quantity x price', 'never', bug),
  row(6080, 'no name given', 'never', value),
  row(6090, 'discount line without amount or percent', 'never', value),
  row(6100, 'US line tax code must be TAX or NON', 'never', 'map the tax code by a table, then redrive'),
  row(
    [6110, 6120],
    'merchant-account transaction',
    'operator',
    'only the payment processor may change it: do it by hand in the target',
  ),
  row(6130, 'whom the customer bills with cannot change', 'operator', 'set it by hand in the target, then redrive'),
  row(
    6140,
    'duplicate document number',
    'duplicate-adopt',
    'no twin has that number: choose a number policy for the sync, then redrive',
  ),
  row(6150, 'sub flag without parent', 'never', value),
  row([6160, 6230], 'custom sales tax code not usable', 'never', 'map the tax code by a table, then redrive'),
  row(6170, 'tax detail with NotApplicable', 'never', bug),
  row(
    6180,
    'more than five levels',
    'others-first',
    'nothing, when what is below it is on its way to another place; else flatten the hierarchy in the source',
  ),
  row(6190, 'subscription ended: read-only', 'operator', "renew the target's subscription, then redrive"),
  row(
    [6200, 6210],
    'accounting period closed',
    'operator',
    'decide: move the closing date of the target and it goes on by itself within minutes, or leave it held',
  ),
  row(
    6220,
    'list object has a balance',
    'others-first',
    'clear its balance in the target: it goes on by itself; what depends on the name is carried meanwhile',
  ),
  row(
    6240,
    'duplicate name',
    'duplicate-adopt',
    'another kind of record holds the name: choose a name policy or rename one, then redrive',
  ),
  row(
    6250,
    'sales customer missing or inactive',
    'parent-missing',
    'make the customer active in the target, then redrive',
  ),
  row(
    6270,
    'before the start date of the item',
    'never',
    'move the start date of the item in the target, then redrive',
  ),
  row(6280, 'customer has unbilled charges', 'operator', 'bill or remove the charges in the target, then redrive'),
  row(6310, 'billable without customer', 'never', value),
  row(
    [6290, 6300, 6320, 6330, 6340, 6350, 6360, 6370, 6380, 6390, 6400],
    'employee, vendor and time rules',
    'never',
    value,
  ),
  row(6420, 'e-mail address needed', 'never', bug),
  row(6430, 'invalid account type for this use', 'never', 'map the account by a table, then redrive'),
  row(6440, 'split line needed', 'never', value),
  row(6450, 'void refused: payment settled', 'operator', 'refund it in the target by hand'),
  row(6480, 'matched to a bank line', 'operator', 'undo the match in the target, then redrive'),
  row([6490, 6500, 6510], 'budget rules', 'never', value),
  row(6520, 'tracked item needs a quantity', 'never', bug),
  row(6530, 'card number in the request', 'never', 'remove the card number from the source: it is never carried'),
  row(
    6540,
    'deposited transaction cannot be changed',
    'reread',
    'nothing where the deposit is ours: it lets it go. Else take it out of its deposit in the target; it goes on by itself',
  ),
  row(10000, 'application error', 'wait', 'nothing: asked again with the same request id, then read back'),
  row(10100, 'result too big', 'never', bug),
  row(10200, 'company was reset', 'operator', 'the target was emptied: make a new sync'),
];

/** 6000 says its reason only in the text (qbo-api.md 11.2): families seen, first match decides. */
export const businessValidation: readonly {
  readonly pattern: RegExp;
  readonly class: FaultClass;
  readonly next: string;
}[] = [
  {
    // First: its advice to make something inactive must not be read as a reference to something that is.
    pattern: /usage limit|limit (was |is |has been )?reached|maximum number of/i,
    class: 'operator',
    next: "the target's plan takes no more of these: upgrade it, or make unused ones inactive there, then redrive",
  },
  {
    pattern: /inactive|been deleted|made inactive/i,
    class: 'parent-missing',
    next: 'make the named record active in the target, then redrive',
  },
  {
    pattern: /open balance|balance.*(less|exceed|larger)|already (been )?(paid|closed|linked)/i,
    class: 'others-first',
    next: 'the document is paid by something else in the target: once it is open again it goes on by itself',
  },
  {
    pattern: /period.*closed|closed.*period|closing date/i,
    class: 'operator',
    next: 'reopen the period in the target, or leave it held',
  },
  {
    pattern: /subscription|permission|not enabled|turned off/i,
    class: 'operator',
    next: "change the target's plan or settings, then redrive",
  },
  { pattern: /duplicate/i, class: 'duplicate-adopt', next: 'no twin was found: rename one of the two, then redrive' },
  { pattern: /try again|temporar|unexpected (internal )?error/i, class: 'wait', next: 'nothing: asked again' },
];

/** Codes under which 'others-first' is held; of 6000 what a person must decide is then asked again, too, and refused again. */
export const othersFirstCodes: readonly string[] = [
  ...faultTable
    .filter((one) => one.class === 'others-first')
    .flatMap(({ codes }) => codes.map((code) => `QBO.${code}`)),
  ...(businessValidation.some((one) => one.class === 'others-first') ? ['QBO.6000'] : []),
];

/** What an HTTP status says when no known code came with it. */
export const byStatus: readonly {
  readonly status: string;
  readonly of: (status: number) => boolean;
  readonly class: FaultClass;
  readonly next: string;
}[] = [
  { status: '401', of: (status) => status === 401, class: 'authenticate', next: reconnect },
  {
    status: '403',
    of: (status) => status === 403,
    class: 'operator',
    next: 'see what the answer says; connect again or change rights',
  },
  {
    status: '408, 429, 5xx',
    of: (status) => status === 408 || status === 429 || status >= 500,
    class: 'wait',
    next: 'nothing: asked again',
  },
  {
    status: 'any other',
    of: () => true,
    class: 'never',
    next: 'a refusal nobody has seen: read the reason, redrive when mended',
  },
];
