// The operators' own definitions of their kinds, when somebody has them: a folder of CustomResourceDefinitions, from a release's
// installation files or from a cluster (`kubectl get crd -o yaml`). Objects are judged as the API server judges `kubectl apply`:
// types, required fields, enumerations, patterns, and no field that the definition does not name. Rules written in CEL are the
// server's alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { nameOf } from './object.js';
import type { KubernetesObject } from './object.js';

interface Definition {
  kind: string;
  items?: Definition[];
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; served: boolean; schema?: { openAPIV3Schema: Schema } }[];
  };
}
interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  nullable?: boolean;
  [word: string]: unknown;
}

/** What JSON Schema has a word for, under that word; what only the API server can judge is left out. */
const same = ['required', 'enum', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'];

const keptOf = (schema: Schema): object =>
  Object.fromEntries(
    same
      .filter((word) => word in schema && !(word === 'pattern' && !readable(schema[word] as string)))
      .map((word) => [word, schema[word]]),
  );

/** Patterns are Go's; a few have forms that JavaScript does not know. */
function readable(pattern: string): boolean {
  try {
    return Boolean(new RegExp(pattern));
  } catch {
    return false;
  }
}

function strict(schema: Schema): object {
  if (schema['x-kubernetes-int-or-string'] === true) return { type: ['integer', 'string'] };
  const kept = keptOf(schema);
  const branches = (['oneOf', 'anyOf', 'allOf'] as const)
    .filter((word) => Array.isArray(schema[word]))
    .map((word) => [word, (schema[word] as Schema[]).map(branch)] as const);
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.properties === undefined;
  return {
    ...kept,
    ...Object.fromEntries(branches),
    ...(schema.type !== undefined && { type: schema.nullable ? [schema.type, 'null'] : schema.type }),
    ...(schema.items && { items: strict(schema.items) }),
    ...(schema.properties && {
      properties: Object.fromEntries(Object.entries(schema.properties).map(([name, part]) => [name, strict(part)])),
    }),
    ...(typeof schema.additionalProperties === 'object'
      ? { additionalProperties: strict(schema.additionalProperties) }
      : !open && { additionalProperties: false }),
  };
}

/** A branch says what must be there besides; which fields exist at all, its parent says. */
function branch(schema: Schema): object {
  const { properties, items } = schema;
  return {
    ...keptOf(schema),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, branch(part)])),
    }),
    ...(items && { items: branch(items) }),
  };
}

/** What every object carries and the server itself checks. */
const common = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } };

/** apiVersion and kind -> judge */
export type Definitions = ReadonlyMap<string, ValidateFunction>;

export function definitionsIn(folder: string): Definitions {
  const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
  const judges = new Map<string, ValidateFunction>();
  for (const file of readdirSync(folder).filter((name) => /\.ya?ml$/.test(name))) {
    const documents = parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(
      (document) => document.toJS() as Definition | null,
    );
    for (const definition of documents.flatMap((document) => document?.items ?? document ?? [])) {
      if (definition.kind !== 'CustomResourceDefinition') continue;
      const { group, names, versions } = definition.spec;
      for (const { name, served, schema } of versions) {
        if (!served || !schema) continue;
        const { properties, ...rest } = schema.openAPIV3Schema;
        judges.set(
          `${group}/${name} ${names.kind}`,
          ajv.compile(strict({ ...rest, properties: { ...properties, ...common } })),
        );
      }
    }
  }
  return judges;
}

/** What the definition of the object's kind has against it, one line each; undefined when there is no definition of its kind. */
export function complaintsByDefinition(definitions: Definitions, object: KubernetesObject): string[] | undefined {
  const judge = definitions.get(`${object.apiVersion} ${object.kind}`);
  if (!judge) return undefined;
  judge(object);
  return (judge.errors ?? []).map(({ instancePath, message, params }) => {
    const field = 'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : '';
    return `${nameOf(object)}: ${instancePath.slice(1)} ${message}${field}`;
  });
}
