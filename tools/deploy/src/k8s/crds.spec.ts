// Objects against an operator's own definition, as the API server would judge them: by a definition with one of each form.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { complaintsByDefinition, definitionsIn } from './crds.js';
import type { Definitions } from './crds.js';
import type { KubernetesObject } from './object.js';

const schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1 },
        kind: { type: 'string', enum: ['a', 'b'] },
        // A pattern in Go's form that JavaScript cannot read is left to the server.
        name: { type: 'string', pattern: '^(?i)x$' },
        port: { 'x-kubernetes-int-or-string': true },
        config: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        way: {
          type: 'object',
          properties: { left: { type: 'string' }, right: { type: 'string' } },
          oneOf: [{ required: ['left'] }, { required: ['right'] }],
        },
        list: { type: 'array', items: { type: 'object', properties: { id: { type: 'integer', nullable: true } } } },
      },
    },
    status: { type: 'object' },
  },
};
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  spec: {
    group: 'example.org',
    names: { kind: 'Thing' },
    versions: [
      { name: 'v1', served: true, schema: { openAPIV3Schema: schema } },
      { name: 'v0', served: false, schema: { openAPIV3Schema: schema } },
    ],
  },
};

let folder: string;
let definitions: Definitions;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'crds-'));
  // As a file of a release, and as "kubectl get crd -o yaml" gives it.
  writeFileSync(join(folder, 'one.yaml'), stringify({ kind: 'List', items: [definition] }));
  definitions = definitionsIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const thing = (spec: object, apiVersion = 'example.org/v1'): KubernetesObject => ({
  ...{ apiVersion, kind: 'Thing', metadata: { name: 'it' }, spec },
});

it('takes what the definition takes', () => {
  const whole = {
    ...{ size: 2, kind: 'b', name: 'X', port: '80%', config: { 'a.b': [1] }, labels: { a: 'b' } },
    ...{ way: { left: 'x' }, list: [{ id: null }, { id: 3 }] },
  };
  expect(complaintsByDefinition(definitions, thing(whole))).toEqual([]);
  expect(complaintsByDefinition(definitions, thing({ size: 1, port: 80 }))).toEqual([]);
});

it.each([
  ['a missing field', {}, /spec must have required property 'size'/],
  ['a misspelt field', { size: 1, sise: 1 }, /spec must NOT have additional properties \(sise\)/],
  ['a misspelt field deep inside', { size: 1, list: [{ idd: 1 }] }, /spec\/list\/0 .*\(idd\)/],
  ['a wrong type', { size: '1' }, /spec\/size must be integer/],
  ['too little', { size: 0 }, /spec\/size must be >= 1/],
  ['a word that is none of them', { size: 1, kind: 'c' }, /spec\/kind must be equal to one of/],
  ['a label that is no text', { size: 1, labels: { a: 1 } }, /spec\/labels\/a must be string/],
  ['two of which one may be', { size: 1, way: { left: 'a', right: 'b' } }, /spec\/way must match exactly one/],
])('notices %s', (_what, spec, complaint) => {
  expect(complaintsByDefinition(definitions, thing(spec))!.join('\n')).toMatch(complaint);
});

it('says nothing about kinds and versions that nobody defined or serves', () => {
  expect(complaintsByDefinition(definitions, thing({}, 'example.org/v0'))).toBeUndefined();
  expect(complaintsByDefinition(definitions, thing({}, 'example.org/v2'))).toBeUndefined();
});
