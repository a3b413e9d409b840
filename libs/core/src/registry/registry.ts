// All types by name.
import type { EntityDefinition } from './definition.js';
import { Account, Class, Customer, Department, Item, PaymentMethod, Term, Vendor } from './lists.js';
import { Attachable, TaxAgency, TaxCode, TaxRate } from './supporting.js';
import { Bill, Invoice, Payment } from './transactions.js';

export const entityTypes: Readonly<Record<string, EntityDefinition>> = {
  Term,
  PaymentMethod,
  TaxAgency,
  TaxRate,
  TaxCode,
  Account,
  Class,
  Department,
  Vendor,
  Customer,
  Item,
  Invoice,
  Bill,
  Payment,
  Attachable,
};

export function knownType(type: string): boolean {
  return Object.hasOwn(entityTypes, type);
}

/** @throws RangeError for a type that is not registered */
export function definitionOf(type: string): EntityDefinition {
  const definition = knownType(type) ? entityTypes[type] : undefined;
  if (!definition) throw new RangeError(`"${type}" is not a registered entity type`);
  return definition;
}

/** Parents before children. */
export function typesInRankOrder(): EntityDefinition[] {
  return Object.values(entityTypes).sort((a, b) => a.rank - b.rank || (a.type < b.type ? -1 : 1));
}
