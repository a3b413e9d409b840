// Every refusal the engine can give, by Intuit's code. The table is the single place where a code has its message and
// its HTTP status; call sites only supply what varies. Details marked "live" in the reference are reproduced verbatim.
import { QboFault } from '../types.js';

interface Refusal {
  readonly message: string;
  readonly status?: number;
  readonly type?: string;
}

export const REFUSALS: Readonly<Record<string, Refusal>> = {
  '100': { message: 'General Authentication Error', status: 401, type: 'AUTHENTICATION' },
  '110': { message: 'Authentication OAuth Error', status: 401, type: 'AUTHENTICATION' },
  '120': { message: 'Authorization Failure', status: 401, type: 'AUTHORIZATION' },
  '140': { message: 'Company is locked out', status: 403, type: 'AUTHORIZATION' },
  '150': { message: 'Company is under maintenance', status: 503, type: 'SERVICE' },
  '500': { message: 'Unsupported Operation' },
  '600': { message: 'Duplicate Request Id' },
  '610': { message: 'Object Not Found' },
  '620': { message: 'Transaction cannot be linked' },
  '630': { message: 'Duplicate Object' },
  '700': { message: 'Invalid Parent Reference' },
  '800': { message: 'Object cannot be deleted' },
  '900': { message: 'Parent cannot be a child of itself' },
  '1000': { message: 'Operation failed' },
  '1010': { message: 'Create failed' },
  '1020': { message: 'Update failed' },
  '1030': { message: 'Delete failed' },
  '1040': { message: 'Batch size exceeded' },
  '1050': { message: 'Invalid content type' },
  '2000': { message: 'Invalid Object Name' },
  '2010': { message: 'Request has invalid or unsupported property' },
  '2020': { message: 'Required param missing, need to supply the required value for the API' },
  '2030': { message: 'Invalid ID' },
  '2040': { message: 'Invalid String' },
  '2050': { message: 'Invalid String Length' },
  '2060': { message: 'Invalid Date Format' },
  '2070': { message: 'Invalid Date' },
  '2080': { message: 'Invalid Number Format' },
  '2090': { message: 'Invalid Number' },
  '2100': { message: 'Invalid Decimal Format' },
  '2110': { message: 'Invalid Decimal' },
  '2120': { message: 'Invalid Type' },
  '2130': { message: 'Invalid Request Id' },
  '2140': { message: 'Invalid Amount' },
  '2150': { message: 'Invalid Percent' },
  '2160': { message: 'Invalid Quantity' },
  '2170': { message: 'Invalid Enumeration' },
  '2180': { message: 'String out of range' },
  '2190': { message: 'Date out of range' },
  '2200': { message: 'Invalid URL' },
  '2210': { message: 'Invalid Email Address format' },
  '2220': { message: 'Invalid Currency' },
  '2230': { message: 'Invalid Boolean' },
  '2240': { message: 'Number out of range' },
  '2250': { message: 'Missing Lines' },
  '2260': { message: 'Posting Type missing' },
  '2270': { message: 'Tax Applicable On missing' },
  '2280': { message: 'Tax Amount missing' },
  '2290': { message: 'Negative Amount' },
  '2300': { message: 'Debits do not equal credits' },
  '2500': { message: 'Invalid Reference Id' },
  '2600': { message: 'Conflicting elements in the request' },
  '3000': { message: 'Invalid Custom Field' },
  '4002': { message: 'Query processing error' },
  '5000': { message: 'Deprecated Field' },
  '5010': { message: 'Stale Object Error' },
  '5020': { message: 'Permission Denied Error', status: 403 },
  '5030': { message: 'Feature Not Supported Error' },
  '6000': { message: 'A business validation error has occurred while processing your request' },
  '6010': { message: 'Invalid account type' },
  '6020': { message: 'Content length missing' },
  '6030': { message: 'Upload too large' },
  '6040': { message: 'Invalid attachable metadata' },
  '6041': { message: 'Invalid attachment file type' },
  '6050': { message: 'Attachments are not supported for this entity' },
  '6060': { message: 'Opening balance date missing' },
  '6070': { message: 'Amount calculation incorrect in the request' },
  '6080': { message: 'Name missing' },
  '6090': { message: 'Discount line without amount or percent' },
  '6100': { message: 'Invalid line tax code' },
  '6110': { message: 'Merchant account transaction cannot be changed' },
  '6120': { message: 'Merchant account transaction cannot be deleted' },
  '6130': { message: 'Cannot change who the customer bills with' },
  '6140': { message: 'Duplicate Document Number Error' },
  '6150': { message: 'Parent reference required' },
  '6160': { message: 'CustomSalesTax code cannot be used' },
  '6170': { message: 'TxnTaxDetail is not allowed' },
  '6180': { message: 'Too many levels' },
  '6190': { message: 'Invalid Company Status' },
  '6200': { message: 'Account Period Closed' },
  '6210': { message: 'Account Period Closed, Cannot Update Through Services API' },
  '6220': { message: 'List object has a balance' },
  '6230': { message: 'CustomSalesTax code cannot be used' },
  '6240': { message: 'Duplicate Name Exists Error' },
  '6250': { message: 'Sales customer missing or inactive' },
  '6270': { message: 'Inventory transaction date before start date' },
  '6280': { message: 'Customer has unbilled charges' },
  '6290': { message: 'Invalid employee or vendor' },
  '6300': { message: 'Invalid employee or vendor' },
  '6310': { message: 'Billable expense needs a customer' },
  '6320': { message: 'Invalid time activity' },
  '6330': { message: 'Invalid time activity' },
  '6340': { message: 'Invalid time activity' },
  '6350': { message: 'Invalid time activity' },
  '6360': { message: 'Invalid time activity' },
  '6370': { message: 'Invalid time activity' },
  '6380': { message: 'Invalid time activity' },
  '6390': { message: 'Invalid time activity' },
  '6400': { message: 'Invalid time activity' },
  '6420': { message: 'Email Address Missing' },
  '6430': { message: 'Invalid account type' },
  '6440': { message: 'Split line needed' },
  '6450': { message: 'Void refused' },
  '6480': { message: 'Transaction is matched' },
  '6490': { message: 'Budget rule' },
  '6500': { message: 'Budget rule' },
  '6510': { message: 'Budget rule' },
  '6520': { message: 'Quantity missing' },
  '6530': { message: 'Card number in request' },
  '6540': { message: 'Deposited Transaction cannot be changed' },
  '10000': {
    message: 'An application error has occurred while processing your request',
    status: 500,
    type: 'SystemFault',
  },
  '10100': { message: 'Result set too big' },
  '10200': { message: 'Company was reset' },
};

export function isRefusalCode(code: string): boolean {
  return Object.hasOwn(REFUSALS, code);
}

export function refusal(code: string, detail: string, element?: string): QboFault {
  const row = REFUSALS[code];
  if (!row) throw new Error(`no refusal text for code ${code}`);
  return new QboFault(code, row.message, detail, element, row.status ?? 400, row.type ?? 'ValidationFault');
}

export const requiredMissing = (name: string): QboFault =>
  refusal('2020', `Required parameter ${name} is missing in the request`, name);

export const unsupportedProperty = (name: string): QboFault =>
  refusal('2010', `Property Name:${name} specified is unsupported or invalid`, name);

/** A property that the class does not have: its JSON library's own words, with the first of those that it has. */
export const unknownProperty = (name: string, owner: string, known: readonly string[]): QboFault => {
  const shown = known.slice(0, SHOWN_PROPERTIES).map((one) => `"${one}"`);
  const list = `${known.length} known properties: ${shown.join(', ')}${known.length > shown.length ? ' [truncated]' : ''}`;
  return refusal(
    '2010',
    `Property Name:Unrecognized field "${name.slice(0, 60)}" (class com.intuit.schema.finance.v3.${owner}), not marked as ignorable (${list}])\n specified is unsupported or invalid`,
  );
};

/** The service cuts the list too, after some thousand characters. */
const SHOWN_PROPERTIES = 60;

/** The parts of an address behind the service, which no resource answers. */
export const noResource = (path: string): QboFault =>
  unsupported(`Could not find resource for relative : ${path.slice(0, 200)} of full path: ${path.slice(0, 200)}`);

export const invalidId = (id: unknown): QboFault =>
  refusal('2030', `Id should be a valid number. Supplied value:${String(id).slice(0, 40)}`, 'Id');

/** How the service names an entity type inside a bad-reference text. */
const REFERENCE_KIND: Record<string, string> = {
  Account: 'Accounts',
  Customer: 'Customers',
  Vendor: 'Vendors',
  Employee: 'Employees',
  Item: 'Items',
  Class: 'Classes',
  Department: 'Departments',
  Term: 'Terms',
  PaymentMethod: 'PaymentMethods',
  TaxCode: 'TaxCodes',
  TaxRate: 'TaxRates',
};

export const badReference = (type: string, id: string, element: string): QboFault =>
  refusal('2500', `Invalid Reference Id : ${REFERENCE_KIND[type] ?? type} element id ${id} not found`, element);

export const INACTIVE_DETAIL =
  "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts, customers, items, vendors or employees.";

export const notFound = (element?: string): QboFault => refusal('610', INACTIVE_DETAIL, element);

export const deletedElsewhere = (): QboFault =>
  refusal('610', 'Object Not Found : Another user has deleted this transaction.');

export const business = (reason: string, element?: string): QboFault =>
  refusal('6000', `Business Validation Error: ${reason}`, element);

export const unsupported = (what: string): QboFault => refusal('500', `Operation ${what} is not supported.`);

export const stale = (type: string): QboFault =>
  refusal(
    '5010',
    `Stale Object Error : You and Sample Owner were working on this at the same time. Sample Owner finished before you did, so your work was not saved. Entity=${type}`,
  );

/** The word a 6240 uses for the holder of the name. */
const HOLDER_WORD: Record<string, string> = {
  Customer: 'customer',
  Vendor: 'vendor',
  Employee: 'employee',
  Item: 'product or service',
  Account: 'account',
  Class: 'class',
  Department: 'location',
  Term: 'term',
  PaymentMethod: 'payment method',
  TaxCode: 'tax code',
  TaxRate: 'tax rate',
  TaxAgency: 'tax agency',
  CompanyCurrency: 'currency',
};

export const duplicateName = (holderType: string): QboFault =>
  refusal(
    '6240',
    `The name supplied already exists. : Another ${HOLDER_WORD[holderType] ?? holderType.toLowerCase()} is already using this name. Please use a different name.`,
  );

export const duplicateNumber = (docNumber: string, type: string, id: string): QboFault =>
  refusal(
    '6140',
    `Duplicate Document Number Error : You must specify a different number. This number has already been used. DocNumber=${docNumber} is assigned to TxnType=${type} with TxnId=${id}`,
  );
