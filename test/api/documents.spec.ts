// docs/asyncapi.json and docs/openapi/*.json hold what the code says, and are sound by the tools of their own worlds.
// `UPDATE_DOCS=1` writes them anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { Spectral, type Ruleset } from '@stoplight/spectral-core';
import { oas } from '@stoplight/spectral-rulesets';
import { topics, valueSchemas } from '#contracts';
import { AuditLogController } from '../../apps/audit/src/audit-log.controller.js';
import { SyncLogController } from '../../apps/audit/src/sync-log.controller.js';
import { CompaniesController } from '../../apps/control/src/companies/companies.controller.js';
import { PlatformController } from '../../apps/control/src/companies/platform.controller.js';
import { ReadsController } from '../../apps/control/src/companies/reads.controller.js';
import { MappingController } from '../../apps/control/src/mapping/mapping.controller.js';
import { OrganizationsController } from '../../apps/control/src/organizations/organizations.controller.js';
import { RollbackController } from '../../apps/control/src/rollback/rollback.controller.js';
import { ValidationController } from '../../apps/control/src/validation/validation.controller.js';
import { JobsController } from '../../apps/control/src/syncs/jobs.controller.js';
import { SyncsController } from '../../apps/control/src/syncs/syncs.controller.js';
import { asyncApi } from './asyncapi.js';
import { doorApi, openApi } from './openapi.js';

jest.setTimeout(60_000);

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const description = 'Bodies, queries and refusals; what answers hold is in docs/api.md.';
const documents: Record<string, object> = {
  'docs/asyncapi.json': asyncApi(version),
  'docs/openapi/control.json': openApi({
    title: 'qbo-sync control',
    description,
    version,
    controllers: [
      OrganizationsController,
      CompaniesController,
      SyncsController,
      RollbackController,
      ValidationController,
      JobsController,
      MappingController,
      PlatformController,
      ReadsController,
    ],
  }),
  'docs/openapi/audit.json': openApi({
    title: 'qbo-sync audit',
    description,
    version,
    controllers: [SyncLogController, AuditLogController],
  }),
  'docs/openapi/ingest.json': doorApi(version),
};

it.each(Object.keys(documents))('%s is what the code says', (file) => {
  const wanted: unknown = JSON.parse(JSON.stringify(documents[file]));
  if (process.env.UPDATE_DOCS) writeFileSync(file, `${JSON.stringify(wanted, null, 2)}\n`);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(wanted);
});

describe('AsyncAPI', () => {
  const judge = async (document: object) => {
    const { diagnostics } = await new Parser().parse(JSON.stringify(document));
    return diagnostics.filter(({ severity }) => severity === 0).map(({ code, path }) => `${code} ${path.join('.')}`);
  };

  it('is sound by its own parser, which would say otherwise', async () => {
    const document = documents['docs/asyncapi.json'] as { channels: Record<string, object> };
    expect(await judge(document)).toEqual([]);
    const broken = { ...document, channels: { ...document.channels, odd: { address: 7 } } };
    expect(await judge(broken)).not.toEqual([]);
  });

  it('names every topic with its schema, and who reads and writes it', () => {
    const { channels, components, operations } = documents['docs/asyncapi.json'] as {
      channels: Record<string, { address: string }>;
      components: { messages: Record<string, { payload: { properties?: object } }> };
      operations: Record<string, { channel: { $ref: string } }>;
    };
    expect(Object.values(channels).map(({ address }) => address)).toEqual(
      Object.values(topics).map(({ name }) => name),
    );
    for (const [name, topic] of Object.entries(topics)) {
      expect(components.messages[name]!.payload.properties).toEqual(valueSchemas[topic.name]?.properties);
      expect(Object.values(operations).some(({ channel }) => channel.$ref.endsWith(`/${name}`))).toBe(true);
    }
  });
});

describe('OpenAPI', () => {
  const spectral = new Spectral();
  spectral.setRuleset({
    extends: [[oas as never, 'recommended']],
    // Nobody to write to, and no page of conditions.
    rules: { 'info-contact': 'off', 'operation-description': 'off' },
  } as unknown as Ruleset);
  const judge = async (document: object) =>
    (await spectral.run(document as never)).map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`);

  it.each(['control', 'audit', 'ingest'])('%s passes the linter', async (name) => {
    expect(await judge(documents[`docs/openapi/${name}.json`]!)).toEqual([]);
  });

  it('the linter would name a wrong one', async () => {
    const document = structuredClone(documents['docs/openapi/audit.json']) as { paths: Record<string, object> };
    document.paths['/v1/{lost}'] = { get: { responses: {} } };
    expect(await judge(document)).not.toEqual([]);
  });

  it('shows no route that docs/api.md does not explain', () => {
    const prose = readFileSync('docs/api.md', 'utf8');
    const told = new Set(
      [...prose.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/v1\/[^`?\s]*)[^`]*`/g)].map(([, method, path]) =>
        route(method!, path!),
      ),
    );
    const shown = ['control', 'audit'].flatMap((name) =>
      Object.entries((documents[`docs/openapi/${name}.json`] as { paths: Record<string, object> }).paths).flatMap(
        ([path, methods]) => Object.keys(methods).map((method) => route(method.toUpperCase(), path)),
      ),
    );
    expect(shown.filter((one) => !told.has(one))).toEqual([]);
  });
});

/** Names of parameters are the writer's choice. */
const route = (method: string, path: string) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`;
