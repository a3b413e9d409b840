// XML as QBO's second full format: answers written from their JSON form, requests read into theirs. What is a list, a
// number or a reference comes from the catalogue, because XML itself does not say.
import catalogue from '../catalogue/qbo-entities.json' with { type: 'json' };
import { QboFault, type Rec } from '../types.js';
import { type XmlNode, parseXml } from './reader.js';

const namespace = 'http://schema.intuit.com/finance/v3';
const attributeNames = new Set([
  'sparse',
  'domain',
  'status',
  'bId',
  'operation',
  'optionsData',
  'startPosition',
  'maxResults',
  'totalCount',
]);
const referenceKeys = new Set(['value', 'name', 'type']);

// ---- writing ---------------------------------------------------------------------------------------------------------

/** A JSON answer ({Invoice: {...}, time}, {QueryResponse: ...}, {Fault: ...}) as an IntuitResponse document. */
export function toXml(answer: Rec, rootTime: string): string {
  const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
  // A report has no name of its own in JSON; in XML it is the root, without an envelope.
  if (answer.Header?.ReportName !== undefined) {
    const report: string[] = [];
    writeReport(report, 'Report', answer);
    return declaration + report.join('').replace('<Report>', `<Report xmlns="${namespace}">`);
  }
  const out: string[] = [declaration, `<IntuitResponse xmlns="${namespace}" time="${escapeAttribute(rootTime)}">`];
  for (const [name, value] of Object.entries(answer)) if (name !== 'time') write(out, name, value);
  out.push('</IntuitResponse>');
  return out.join('');
}

function write(out: string[], name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const tag = elementName(name);
  if (Array.isArray(value)) {
    for (const one of value) write(out, name, one);
  } else if (typeof value !== 'object') {
    out.push(`<${tag}>${escapeText(String(value))}</${tag}>`);
  } else if (isReference(value as Rec)) {
    const { value: id, name: label, type } = value as Rec;
    const attributes = [
      label === undefined ? '' : ` name="${escapeAttribute(String(label))}"`,
      type === undefined ? '' : ` type="${escapeAttribute(String(type))}"`,
    ];
    out.push(`<${tag}${attributes.join('')}>${escapeText(String(id ?? ''))}</${tag}>`);
  } else if (name === 'Fault') writeFault(out, value as Rec);
  else if (name === 'Report') writeReport(out, name, value);
  else {
    const attributes: string[] = [];
    const children: [string, unknown][] = [];
    for (const [key, one] of Object.entries(value as Rec)) {
      if (attributeNames.has(key) && (typeof one !== 'object' || one === null)) {
        if (one !== null && one !== undefined) attributes.push(` ${key}="${escapeAttribute(String(one))}"`);
      } else children.push([key, one]);
    }
    out.push(`<${tag}${attributes.join('')}>`);
    for (const [key, one] of children) write(out, key, one);
    out.push(`</${tag}>`);
  }
}

const reportAttributes: Record<string, ReadonlySet<string>> = {
  Row: new Set(['type', 'group']),
  ColData: new Set(['value', 'id', 'href']),
};

function writeReport(out: string[], name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) {
    for (const one of value) writeReport(out, name, one);
  } else if (typeof value !== 'object') write(out, name, value);
  else {
    const own = reportAttributes[name];
    const entries = Object.entries(value as Rec).filter(([, one]) => one !== undefined && one !== null);
    const attributes = entries.filter(([key, one]) => own?.has(key) && typeof one !== 'object');
    out.push(`<${name}${attributes.map(([key, one]) => ` ${key}="${escapeAttribute(String(one))}"`).join('')}>`);
    for (const [key, one] of entries) if (!own?.has(key)) writeReport(out, elementName(key), one);
    out.push(`</${name}>`);
  }
}

function writeFault(out: string[], fault: Rec): void {
  out.push(`<Fault type="${escapeAttribute(String(fault.type ?? 'ValidationFault'))}">`);
  for (const error of (fault.Error ?? []) as Rec[]) {
    out.push(
      `<Error code="${escapeAttribute(String(error.code ?? ''))}" element="${escapeAttribute(String(error.element ?? ''))}">`,
    );
    write(out, 'Message', error.Message);
    write(out, 'Detail', error.Detail);
    out.push('</Error>');
  }
  out.push('</Fault>');
}

function isReference(value: Rec): boolean {
  const keys = Object.keys(value);
  return 'value' in value && keys.every((key) => referenceKeys.has(key)) && typeof value.value !== 'object';
}

// A JSON key from a hostile record must not become markup.
const elementName = (name: string): string => (/^[A-Za-z_][\w.-]*$/.test(name) ? name : '_');
// Exactly the characters XML 1.0 cannot carry.
const forbidden =
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
const escapeText = (text: string): string =>
  text.replace(forbidden, '').replace(/[&<>\r]/g, (c) => `&#${c.charCodeAt(0)};`);
const escapeAttribute = (text: string): string =>
  text.replace(forbidden, '').replace(/[&<>"\r\n\t]/g, (c) => `&#${c.charCodeAt(0)};`);

// ---- reading ---------------------------------------------------------------------------------------------------------

interface Field {
  readonly name: string;
  readonly type: string;
  readonly of?: string;
  readonly items?: { readonly type?: string; readonly of?: string };
}
const { entities, commonTypes } = catalogue as unknown as {
  entities: readonly { entity: string; jsonName?: string; fields: readonly Field[] }[];
  commonTypes: Record<string, readonly Field[] | undefined>;
};
type Fields = ReadonlyMap<string, Field>;
const fieldsByEntity = new Map<string, Fields>();
const canonicalNames = new Map<string, string>();
for (const { entity, jsonName, fields } of entities) {
  const map = new Map(fields.map((field) => [field.name, field]));
  fieldsByEntity.set(entity, map);
  canonicalNames.set(entity.toLowerCase(), entity);
  if (jsonName) {
    fieldsByEntity.set(jsonName, map);
    canonicalNames.set(jsonName.toLowerCase(), entity);
  }
}
const fieldsByType = new Map(
  Object.entries(commonTypes).map(([name, fields]): [string, Fields] => [
    name,
    new Map((fields ?? []).map((field) => [field.name, field])),
  ]),
);
const noFields: Fields = new Map();
/** `PhysicalAddress`, `line:SalesItemLineDetail` or, inside a recurring transaction, `entity:Invoice`. */
const fieldsOf = (of: string): Fields | undefined =>
  fieldsByType.get(of.replace(/^line:/, '')) ?? fieldsByEntity.get(of.replace(/^entity:/, ''));

/**
 * A request body: the bare object of an entity, or a batch (entity "Batch", body {BatchItemRequest: [...]}).
 * Malformed XML is refused as QBO refuses what it cannot map: 2010.
 */
export function fromXml(text: string): { entity: string; body: Rec } {
  const root = parseXml(
    text,
    (problem) =>
      new QboFault(
        '2010',
        'Request has invalid or unsupported property',
        `Property Name:${problem} is unsupported or invalid`,
      ),
  );
  if (root.name === 'IntuitBatchRequest') {
    return {
      entity: 'Batch',
      body: { BatchItemRequest: root.children.filter(({ name }) => name === 'BatchItemRequest').map(batchItem) },
    };
  }
  const entity = canonicalNames.get(root.name.toLowerCase()) ?? root.name;
  return { entity, body: readObject(root, fieldsByEntity.get(entity) ?? noFields) };
}

function batchItem(node: XmlNode): Rec {
  const item: Rec = { ...attributesOf(node) };
  for (const child of node.children) {
    const fields = fieldsByEntity.get(child.name);
    item[child.name] = fields || child.children.length > 0 ? readObject(child, fields ?? noFields) : child.text;
  }
  return item;
}

function attributesOf(node: XmlNode): Rec {
  const found: Rec = {};
  for (const [name, value] of node.attributes) {
    if (!attributeNames.has(name)) continue;
    found[name] = name === 'sparse' ? value.toLowerCase() === 'true' : value;
  }
  return found;
}

function readObject(node: XmlNode, fields: Fields): Rec {
  const body: Rec = attributesOf(node);
  for (const child of node.children) {
    const field = fields.get(child.name);
    // XML is bound leniently, unlike JSON: the kits write elements that a class does not have, and echo extension blocks.
    if ((field === undefined && fields.size > 0) || child.name.endsWith('Ex')) continue;
    const value = readValue(
      child,
      field?.type === 'array'
        ? { name: child.name, type: field.items?.type ?? 'object', of: field.items?.of ?? field.of }
        : field,
    );
    const before: unknown = body[child.name];
    if (field?.type === 'array') body[child.name] = Array.isArray(before) ? [...before, value] : [value];
    else if (child.name in body) body[child.name] = Array.isArray(before) ? [...before, value] : [before, value];
    else body[child.name] = value;
  }
  return body;
}

function readValue(node: XmlNode, field: Field | undefined): unknown {
  if (node.attributes.get('nil') === 'true') return null;
  const inner = field?.of === undefined ? undefined : fieldsOf(field.of);
  if (field?.type === 'ref' || isTextReference(node, field, inner)) {
    const reference: Rec = { value: node.text.trim() };
    for (const key of ['name', 'type']) if (node.attributes.has(key)) reference[key] = node.attributes.get(key);
    return reference;
  }
  if (node.children.length > 0 || field?.type === 'object')
    return readObject(node, inner ?? fieldsByEntity.get(node.name) ?? noFields);
  if (field?.type === 'boolean') return booleanOf(node.text);
  if (field?.type === 'decimal') return numberOf(node.text);
  // The Ruby kit writes a day with a time behind a space.
  if (field?.type === 'date') return node.text.replace(/^(\d{4}-\d{2}-\d{2}) .*$/s, '$1');
  return node.text;
}

// CustomerMemo and its like: an object with a value in JSON, plain text in XML. Unknown elements ending in Ref likewise.
function isTextReference(node: XmlNode, field: Field | undefined, inner: Fields | undefined): boolean {
  if (node.children.length > 0) return false;
  if (field === undefined) return node.name.endsWith('Ref') && node.text.trim() !== '';
  return field.type === 'object' && inner?.has('value') === true;
}

const booleanOf = (text: string): unknown => ({ true: true, false: false })[text.trim().toLowerCase()] ?? text;

// Text that is no number is handed on as it is: naming the fault is the validator's work.
function numberOf(text: string): unknown {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}
