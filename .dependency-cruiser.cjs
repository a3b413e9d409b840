// The arrows of docs/architecture.md as a machine reads them: which folder may import which. `npm run arrows` checks them,
// test/arch/arrows.spec.ts plants a violation of each and expects it to be caught.
const lib = (names) => `^libs/(${names})/`;
const specs = '\\.(int-)?spec\\.ts$|\\.fixture\\.ts$|^(apps|libs)/[^/]+/test/';

/** `from` may use nothing of this repository but `to` (and itself). */
const only = (name, comment, from, to, self = from) => ({
  name,
  comment,
  severity: 'error',
  // Tests may use libs/testing and what their own subject may use; they are checked by the second rule below.
  from: { path: from, pathNot: specs },
  to: { path: '^(apps|libs|tools|test)/', pathNot: [self, ...to] },
});

module.exports = {
  forbidden: [
    only('core-uses-nothing', 'Pure decisions depend on no other part.', lib('core'), []),
    only('contracts-use-core', 'Events speak the vocabulary of the core.', lib('contracts'), [lib('core')]),
    only('common-uses-core', 'Process plumbing knows nothing of the domain but its words.', lib('common'), [
      lib('core'),
    ]),
    only('storage-uses-common-core', 'Ports are declared where they are used and wired in the app.', lib('storage'), [
      lib('common|core'),
    ]),
    only('qbo-uses-common-core', 'Ports are declared where they are used and wired in the app.', lib('qbo'), [
      lib('common|core'),
    ]),
    only(
      'kafka-uses-common-contracts-core',
      'Kafka carries events; it knows neither tables nor QuickBooks.',
      lib('kafka'),
      [lib('common|contracts|core')],
    ),
    only('testing-uses-libs', 'Test equipment never needs an app or a tool as code.', lib('testing'), ['^libs/']),
    only(
      'apps-use-libs',
      'An app reaches another app through topics, tables or HTTP only.',
      '^apps/([^/]+)/',
      ['^libs/(?!testing/)'],
      '^apps/$1/',
    ),
    only(
      'emulator-uses-nothing',
      'A misunderstanding of QuickBooks must not hide on both sides at once.',
      '^tools/qbo-emulator/',
      [],
    ),
    only('tools-use-libs', 'Tools start apps as processes.', '^tools/(?!qbo-emulator)', [
      '^libs/',
      '^tools/(?!qbo-emulator)',
    ]),
    {
      name: 'tests-stay-in-their-part',
      comment:
        'A test imports what its subject may import, and libs/testing; processes together are tested under test/.',
      severity: 'error',
      from: { path: `^(?:libs|apps)/([^/]+)/.*(${specs})` },
      to: { path: '^(apps|tools)/', pathNot: ['^apps/$1/'] },
    },
    {
      name: 'emulator-tests-use-nothing',
      severity: 'error',
      from: { path: '^tools/qbo-emulator/' },
      to: { path: '^(apps|libs)/' },
    },
    {
      name: 'nobody-uses-the-emulator',
      comment: 'It is reached over HTTP, as QuickBooks is.',
      severity: 'error',
      from: { pathNot: '^tools/qbo-emulator/' },
      to: { path: '^tools/qbo-emulator/' },
    },
    {
      name: 'core-is-pure',
      comment: 'No Nest, TypeORM, kafkajs, pg or I/O of Node in the core (hashes are computation).',
      severity: 'error',
      from: { path: lib('core'), pathNot: specs },
      to: {
        path: '^(node:)?(fs|net|http|https|http2|timers|child_process|worker_threads|cluster|dgram|dns|tls|process)(/|$)|node_modules/(@nestjs|typeorm|kafkajs|pg|pino|rxjs|opossum)/',
      },
    },
    {
      name: 'no-cycles',
      comment: 'Types may know each other; modules that need each other to load may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/|\\.json$' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main'],
    },
  },
};
