// docs/openapi/*.json: the HTTP APIs, from what Nest and class-validator know of the controllers at run time: routes, status
// codes, parameters, and every rule of every body and query. What answers hold is said in words in docs/api.md.
import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA, HTTP_CODE_METADATA } from '@nestjs/common/constants.js';
import { getMetadataStorage, ValidationTypes } from 'class-validator';

type Schema = Record<string, unknown>;
type Class = abstract new (...args: never[]) => object;

interface Argument {
  index: number;
  data?: string;
}
// Nest's numbers for what a parameter is filled with (RouteParamtypes).
const bodyArgument = '3';
const queryArgument = '4';
const pathArgument = '5';

const problem = {
  type: 'object',
  required: ['type', 'status', 'code', 'title', 'detail', 'hint', 'instance'],
  properties: {
    type: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable, for programs.' },
    title: { type: 'string' },
    detail: { type: 'string' },
    hint: { type: 'string', description: 'What to do next.' },
    instance: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

const refusals: Record<string, string> = {
  '400': 'Mistakes in what was sent; all are listed.',
  '401': 'Wrong key.',
  '404': 'No such thing.',
  '409': 'Not in this state.',
  '422': 'Understood, but impossible.',
  '502': 'QuickBooks could not be asked.',
  '503': 'PostgreSQL is away.',
};
const usualRefusals = { read: ['400', '401', '404', '503'], write: ['400', '401', '404', '409', '422', '502', '503'] };

export interface Api {
  title: string;
  description: string;
  version: string;
  controllers: readonly Class[];
}

export function openApi({ title, description, version, controllers }: Api): object {
  const schemas: Record<string, Schema> = { Problem: problem };
  const paths: Record<string, Record<string, Schema>> = {};
  const tags = new Set<string>();
  for (const controller of controllers) {
    const base = String(Reflect.getMetadata(PATH_METADATA, controller));
    for (const name of Object.getOwnPropertyNames(controller.prototype)) {
      if (name === 'constructor') continue;
      const handler = (controller.prototype as Record<string, unknown>)[name];
      const own: unknown = typeof handler === 'function' ? Reflect.getMetadata(PATH_METADATA, handler) : undefined;
      if (own === undefined || typeof handler !== 'function') continue;
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number]!.toLowerCase();
      const path = `/${[base, own === '/' ? '' : String(own)].filter(Boolean).join('/')}`.replace(/:(\w+)/g, '{$1}');
      const tag = controller.name.replace(/Controller$/, '');
      tags.add(tag);
      (paths[path] ??= {})[method] = {
        operationId: `${tag}.${name}`,
        tags: [tag],
        summary: wordsOf(name, tag),
        ...request(controller, name, path, schemas),
        responses: responses(handler, method),
      };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'UNLICENSED', identifier: 'LicenseRef-Unlicensed' } },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'SYNC_HTTP_HOST:SYNC_HTTP_PORT' }],
    security: [{ adminKey: [] }],
    tags: [...tags].sort().map((name) => ({ name, description: `${name}: docs/api.md` })),
    paths: sorted(paths),
    components: {
      securitySchemes: { adminKey: { type: 'http', scheme: 'bearer', description: 'SYNC_ADMIN_KEY' } },
      schemas: sorted(schemas),
    },
  };
}

function request(controller: Class, name: string, path: string, schemas: Record<string, Schema>): Schema {
  const prototype = controller.prototype as object;
  const given = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<string, Argument>;
  const types = (Reflect.getMetadata('design:paramtypes', prototype, name) ?? []) as Class[];
  const parameters: Schema[] = [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => ({
    name: param,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  let body: Schema = {};
  for (const [key, { index, data }] of Object.entries(given)) {
    const [kind] = key.split(':');
    const type = types[index]!;
    if (kind === pathArgument) continue;
    if (kind === queryArgument && data !== undefined)
      parameters.push({ name: data, in: 'query', required: false, schema: { type: 'string' } });
    else if (kind === queryArgument) {
      const { properties, required } = schemaOf(type, schemas) as { properties: Schema; required?: string[] };
      for (const [field, schema] of Object.entries(properties))
        parameters.push({ name: field, in: 'query', required: required?.includes(field) ?? false, schema });
    } else if (kind === bodyArgument) {
      schemas[type.name] = schemaOf(type, schemas);
      body = {
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: `#/components/schemas/${type.name}` } } },
        },
      };
    }
  }
  return { ...(parameters.length > 0 ? { parameters } : {}), ...body };
}

function responses(handler: object, method: string): Schema {
  const code =
    (Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined) ?? (method === 'post' ? 201 : 200);
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  const wrong = usualRefusals[method === 'get' ? 'read' : 'write'];
  return Object.fromEntries([
    [
      String(code),
      { description: 'As docs/api.md shows it.', content: { 'application/json': { schema: { type: 'object' } } } },
    ],
    ...wrong.map((status) => [status, { description: refusals[status], content }]),
  ]) as Schema;
}

/** A class with class-validator's rules as a closed object. A rule that is not known here stops the generation. */
function schemaOf(type: Class, schemas: Record<string, Schema>): Schema {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const defaults = new (type as new () => Record<string, unknown>)();
  const properties: Record<string, Schema> = {};
  const optional = new Set<string>();
  for (const rule of rules) {
    const field = rule.propertyName;
    const schema = (properties[field] ??= {});
    if (rule.type === ValidationTypes.CONDITIONAL_VALIDATION) optional.add(field);
    else if (rule.type === ValidationTypes.NESTED_VALIDATION) {
      const nested = Reflect.getMetadata('design:type', type.prototype as object, field) as Class;
      schemas[nested.name] = schemaOf(nested, schemas);
      schema.$ref = `#/components/schemas/${nested.name}`;
    } else
      Object.assign(
        rule.each ? ((schema.items ??= {}) as Schema) : schema,
        judged(rule.name ?? '', rule.constraints ?? []),
      );
  }
  for (const [field, schema] of Object.entries(properties)) {
    if (defaults[field] !== undefined) schema.default = defaults[field];
    if (schema.$ref === undefined && schema.type === undefined) schema.type = 'string';
  }
  const required = Object.keys(properties).filter((field) => !optional.has(field));
  return {
    type: 'object',
    properties: sorted(properties),
    ...(required.length > 0 ? { required: required.sort() } : {}),
    additionalProperties: false,
  };
}

function judged(rule: string, [first, second]: readonly unknown[]): Schema {
  switch (rule) {
    case 'isString':
      return { type: 'string' };
    case 'isInt':
      return { type: 'integer' };
    case 'isBoolean':
      return { type: 'boolean' };
    case 'isObject':
      return { type: 'object' };
    case 'isArray':
      return { type: 'array' };
    case 'isUuid':
      return { type: 'string', format: 'uuid' };
    case 'isIso8601':
      return { type: 'string', format: 'date-time' };
    case 'isNotEmpty':
      return {};
    case 'isLength':
      return { type: 'string', minLength: first, ...(second === undefined ? {} : { maxLength: second }) };
    case 'matches':
      return { type: 'string', pattern: (first as RegExp).source };
    case 'isIn':
      return { enum: first };
    case 'min':
      return { minimum: first };
    case 'max':
      return { maximum: first };
    case 'arrayNotEmpty':
      return { minItems: 1 };
    case 'arrayMaxSize':
      return { maxItems: first };
    default:
      throw new Error(`class-validator's rule "${rule}" has no counterpart here yet`);
  }
}

/** `redriveOne` of Syncs: "Redrive one (Syncs)". */
const wordsOf = (name: string, tag: string): string => {
  const words = name.replace(/([A-Z])/g, ' $1').toLowerCase();
  return `${words[0]!.toUpperCase()}${words.slice(1)} (${tag})`;
};

const sorted = <T>(object: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The webhook door stands below Nest (webhook-door.ts): its contract is Intuit's, and is written here once. */
export function doorApi(version: string): object {
  const answer = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/DoorProblem' } } },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'qbo-sync webhook door',
      version,
      description: "Takes Intuit's webhooks. 200 only after Kafka has every notification.",
      license: { name: 'UNLICENSED', identifier: 'LicenseRef-Unlicensed' },
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'SYNC_HTTP_HOST:SYNC_HTTP_PORT' }],
    security: [{ signature: [] }],
    tags: [{ name: 'Webhooks', description: 'What Intuit calls.' }],
    paths: {
      '/webhooks/intuit': {
        post: {
          operationId: 'Webhooks.take',
          tags: ['Webhooks'],
          summary: 'One delivery',
          description: 'CloudEvents (a list) or the older form (eventNotifications), at most 1 MiB.',
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: {
                  anyOf: [
                    { type: 'array', items: { type: 'object' } },
                    {
                      type: 'object',
                      required: ['eventNotifications'],
                      properties: { eventNotifications: { type: 'array', items: { type: 'object' } } },
                    },
                  ],
                },
              },
            },
          },
          responses: {
            '200': {
              description: 'Kafka has it. Unknown companies are no error.',
              content: {
                'application/json': {
                  schema: { type: 'object', required: ['accepted'], properties: { accepted: { type: 'integer' } } },
                },
              },
            },
            '400': answer('No delivery.'),
            '401': answer('The signature is not of these bytes.'),
            '413': answer('Larger than 1 MiB.'),
            '503': answer('Kafka has not acknowledged in time: deliver again.'),
          },
        },
      },
    },
    components: {
      securitySchemes: {
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'intuit-signature',
          description: "base64 of HMAC-SHA256 over the raw body with the app's verifier token",
        },
      },
      schemas: {
        DoorProblem: {
          type: 'object',
          required: ['type', 'title', 'status', 'detail'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
          },
        },
      },
    },
  };
}
