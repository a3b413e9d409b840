// The emulator's catalogue of types and fields, as data: what QuickBooks knows, said without this system.
import { readFileSync } from 'node:fs';

export interface CatalogueField {
  name: string;
  type: string;
  of?: string;
  refTo?: string[];
  enum?: string[];
  maxLength?: number;
  pattern?: string;
  readOnly?: boolean;
  writeOnCreateOnly?: boolean;
  locales?: string[];
}

export interface CatalogueType {
  entity: string;
  operations: string[];
  webhookOperations?: string[];
  fields: CatalogueField[];
}

let all: Map<string, CatalogueType> | undefined;

export function catalogue(type: string): CatalogueType {
  if (!all) {
    const text = readFileSync('tools/qbo-emulator/src/catalogue/qbo-entities.json', 'utf8');
    const { entities } = JSON.parse(text) as { entities: CatalogueType[] };
    all = new Map(entities.map((one) => [one.entity, one]));
  }
  const found = all.get(type);
  if (!found) throw new Error(`the catalogue has no ${type}`);
  return found;
}
