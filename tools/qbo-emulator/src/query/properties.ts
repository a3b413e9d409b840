// Which properties an entity has, and which of them a query may filter or sort by: the catalogue, plus the few that work
// in practice although no page says so.
import { QboFault } from '../types.js';
import catalogue from '../catalogue/qbo-entities.json' with { type: 'json' };

interface Field {
  readonly name: string;
  readonly type: string;
  readonly of?: string;
  readonly filterable?: boolean;
  readonly sortable?: boolean;
  readonly items?: { readonly type?: string; readonly of?: string };
}
interface Entity {
  readonly entity: string;
  readonly jsonName?: string;
  readonly category: string;
  readonly operations: readonly string[];
  readonly defaultOrder?: string;
  readonly fields: readonly Field[];
}

export type ValueType = 'text' | 'number' | 'date' | 'moment' | 'boolean' | 'ref' | 'object' | 'id';

export interface Property {
  /** The spelling of the records, whatever the statement used. */
  readonly path: readonly string[];
  readonly type: ValueType;
  readonly filterable: boolean;
  readonly sortable: boolean;
  /** The step that is a list: its elements are tried one by one. */
  readonly listStep?: number;
}

export interface Queryable {
  readonly name: string;
  readonly jsonName: string;
  readonly nameList: boolean;
  readonly hasActive: boolean;
  readonly totalCount: boolean;
  readonly defaultOrder: 'updated-desc' | 'name' | 'id';
  property(path: string): Property | undefined;
}

// [documented: QUERY] uses Invoice.TotalAmt as its own example; the others [inferred] from clients that look up twins by
// these names and are not known to fail. The catalogue's flags are from the reference pages and have gaps.
const alsoQueryable: Record<string, readonly string[]> = {
  Invoice: ['TotalAmt'],
  Item: ['Sku'],
  Account: ['AcctNum'],
  Class: ['Name'],
  Department: ['Name'],
  PaymentMethod: ['Name'],
  CustomerType: ['Name'],
  CompanyCurrency: ['Name', 'Code'],
  // Filters that many public clients live by: jobs and sub-customers, the hours of one person or for one customer.
  Customer: ['Job', 'ParentRef'],
  TimeActivity: ['CustomerRef', 'EmployeeRef', 'VendorRef'],
  // What an attachment hangs on is the one list that can be asked for: AttachableRef.EntityRef.Type and .value.
  Attachable: ['AttachableRef'],
};

// Captured answers carry totalCount for these types only (qbo-api.md 1.3, 2.9).
const withTotalCount = new Set(['Invoice', 'Bill', 'JournalEntry', 'Deposit', 'BillPayment', 'PurchaseOrder']);

// Through unknown: the compiler's own reading of a JSON file of this size is a type nobody wants to wait for.
const { entities, commonTypes } = catalogue as unknown as {
  entities: readonly Entity[];
  commonTypes: Record<string, readonly Field[] | undefined>;
};

function valueType(field: Field): ValueType {
  if (field.name === 'Id') return 'id';
  switch (field.type) {
    case 'decimal':
    case 'integer':
      return 'number';
    case 'date':
      return 'date';
    case 'datetime':
      return 'moment';
    case 'boolean':
      return 'boolean';
    case 'ref':
      return 'ref';
    case 'object':
    case 'array':
      return 'object';
    default:
      return 'text';
  }
}

class CatalogueEntity implements Queryable {
  readonly name: string;
  readonly jsonName: string;
  readonly nameList: boolean;
  readonly hasActive: boolean;
  readonly totalCount: boolean;
  readonly defaultOrder: Queryable['defaultOrder'];
  private readonly fields = new Map<string, Field>();
  private readonly known = new Map<string, Property | undefined>();
  private readonly extras: ReadonlySet<string>;

  constructor(entity: Entity) {
    this.name = entity.entity;
    this.jsonName = entity.jsonName ?? entity.entity;
    for (const field of entity.fields) this.fields.set(field.name.toLowerCase(), field);
    this.extras = new Set((alsoQueryable[entity.entity] ?? []).map((name) => name.toLowerCase()));
    this.hasActive = this.fields.has('active');
    this.nameList = entity.category === 'name-list';
    this.totalCount = withTotalCount.has(entity.entity);
    const named = this.nameList || this.fields.has('fullyqualifiedname');
    this.defaultOrder = entity.defaultOrder?.startsWith('MetaData') ? 'updated-desc' : named ? 'name' : 'id';
  }

  property(path: string): Property | undefined {
    const key = path.toLowerCase();
    if (!this.known.has(key)) this.known.set(key, this.resolve(key.split('.').filter((step) => step !== '*')));
    return this.known.get(key);
  }

  private resolve(steps: readonly string[]): Property | undefined {
    const top = this.fields.get(steps[0]!);
    if (!top) return undefined;
    const flags = {
      filterable: top.filterable === true || this.extras.has(steps[0]!),
      sortable: top.sortable === true || this.extras.has(steps[0]!),
    };
    const path = [top.name];
    let field: Field | undefined = top;
    let listStep = top.type === 'array' ? 0 : undefined;
    for (const step of steps.slice(1)) {
      if (field?.type === 'ref') {
        const part = ['value', 'name', 'type'].find((name) => name === step);
        if (!part) return undefined;
        path.push(part);
        field = { name: part, type: 'string' };
        continue;
      }
      const typeName: string | undefined = field?.of ?? field?.items?.of;
      const inner: readonly Field[] | undefined =
        typeName === undefined ? undefined : commonTypes[typeName.replace(/^line:/, '')];
      const next: Field | undefined = inner?.find((one) => one.name.toLowerCase() === step);
      if (!next) return undefined;
      if (next.type === 'array') listStep ??= path.length;
      path.push(next.name);
      field = next;
    }
    return { path, type: valueType(field), ...flags, listStep };
  }
}

const byName = new Map<string, Queryable>();
for (const entity of entities) {
  if (!entity.operations.includes('query')) continue;
  const queryable = new CatalogueEntity(entity);
  byName.set(entity.entity.toLowerCase(), queryable);
  byName.set(queryable.jsonName.toLowerCase(), queryable);
}

export function queryableNamed(name: string): Queryable {
  const found = byName.get(name.toLowerCase());
  if (!found) throw invalidQuery(`invalid context declaration: ${name}`);
  return found;
}

export function invalidQuery(detail: string): QboFault {
  return new QboFault('4001', 'Invalid query', `QueryValidationError: ${detail}`);
}
