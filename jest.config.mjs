// One runner for every test. `unit` needs nothing but Node; `integration` gets real Kafka, registry and PostgreSQL
// from libs/testing/src/global-setup.ts, started once per run. Our code and the ESM-only packages are compiled to
// CommonJS by swc: plain Jest, no experimental flag (docs/adr/0003-node-and-tests.md).
import { availableParallelism } from 'node:os';

const swc = [
  '@swc/jest',
  {
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2023',
      keepClassNames: true,
    },
    module: { type: 'commonjs' },
  },
];
const esmOnly =
  '@nestjs|file-type|iterare|uid|strtok3|token-types|typeorm|@borewit|@tokenizer|uint8array-extras|load-esm|opossum';
// CommonJS, but loads http by import(), which plain Jest has only where swc made it a require.
const importsLater = '@opentelemetry/otlp-exporter-base';
const common = {
  testEnvironment: '<rootDir>/tools/dev/test-environment.cjs',
  setupFiles: ['reflect-metadata'],
  transform: { '^.+\\.(ts|js|mjs)$': swc },
  moduleNameMapper: {
    '^#(core|contracts|kafka|storage|qbo|testing)$': '<rootDir>/libs/$1/src/index.ts',
    '^#testing/(.*)$': '<rootDir>/libs/testing/src/$1.ts',
    '^#common/(.*)$': '<rootDir>/libs/common/src/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.cache'],
  transformIgnorePatterns: [`node_modules/(?!(${esmOnly}|${importsLater})/)`],
};
export default {
  projects: [
    { ...common, displayName: 'unit', testMatch: ['**/*.spec.ts'] },
    {
      ...common,
      displayName: 'integration',
      testMatch: ['**/*.int-spec.ts'],
      globalSetup: '<rootDir>/libs/testing/src/global-setup.ts',
      globalTeardown: '<rootDir>/libs/testing/src/global-teardown.ts',
    },
  ],
  reporters: ['default', '<rootDir>/tools/dev/closing-line-reporter.cjs'],
  // Far beyond what any test takes: a limit that a slow machine can reach tells of the machine.
  testTimeout: 120_000,
  testSequencer: '<rootDir>/tools/dev/longest-first.cjs',
  // Jest's own choice is one worker less than cores, on two cores one after the other. Most of a test here is waiting for
  // Kafka, PostgreSQL and processes; more than four would only share the same ones.
  maxWorkers: Math.max(2, Math.min(availableParallelism(), 4)),
};
