import {
  choice,
  choiceOrUrl,
  databaseSettings,
  describeConfig,
  durationMs,
  flag,
  int,
  kafkaSettings,
  list,
  listSettings,
  loadConfig,
  qboSettings,
  secret,
  text,
  url,
} from './index.js';
import type { Spec, ConfigurationError } from './index.js';

const mistakesOf = (spec: Spec, env: Record<string, string>): readonly string[] => {
  try {
    loadConfig(spec, env);
    return [];
  } catch (error) {
    return (error as ConfigurationError).mistakes;
  }
};

it('lists every mistake at once, each with name, unit, sentence and example', () => {
  const spec = {
    rate: int('RATE', { doc: 'Writes a minute.', unit: 'writes/min', min: 1, max: 500, example: '450' }),
    level: choice('LEVEL', { doc: 'How much is said.', options: ['info', 'debug'] }),
    wait: durationMs('WAIT', { doc: 'A pause.', default: 5000 }),
    fine: text('FINE', { doc: 'Nothing wrong here.' }),
  };
  expect(mistakesOf(spec, { RATE: '501', WAIT: 'soon', FINE: 'x' })).toEqual([
    'RATE must be at most 500 (is "501"). Writes a minute. [writes/min] Example: RATE=450',
    'LEVEL is not set. How much is said. Example: LEVEL=info',
    'WAIT must be a time span (is "soon"). A pause. [ms, or with a unit: 250ms 5s 10m 2h 30d] Example: WAIT=5s',
  ]);
});

it('never repeats a wrong secret, nor shows a right one', () => {
  const spec = { key: secret('KEY', { doc: 'Seals tokens.', base64Bytes: 32 }) };
  expect(mistakesOf(spec, { KEY: 'hunter2' }).join()).not.toContain('hunter2');
  const right = Buffer.alloc(32, 7).toString('base64');
  expect(describeConfig(spec, loadConfig(spec, { KEY: right }))).toEqual({ KEY: '******** (44 characters)' });
});

it('masks the password of an address, and nothing else of it', () => {
  const values = loadConfig(databaseSettings, { SYNC_DATABASE_URL: 'postgres://sync:pa55word@db:5432/sync' });
  expect(values.databaseUrl).toBe('postgres://sync:pa55word@db:5432/sync');
  expect(describeConfig(databaseSettings, values).SYNC_DATABASE_URL).toBe('postgres://sync:********@db:5432/sync');
});

it.each<[string, Spec[string], string, unknown]>([
  ['a time span in seconds', durationMs('A', { doc: '' }), '5s', 5000],
  ['a time span in minutes', durationMs('A', { doc: '' }), '10m', 600_000],
  ['a time span in parts', durationMs('A', { doc: '' }), '1.5s', 1500],
  ['bare milliseconds', durationMs('A', { doc: '' }), '250', 250],
  ['a list with blanks', list('A', { doc: '' }), ' a, b ,,c', ['a', 'b', 'c']],
  ['a flag', flag('A', { doc: '' }), 'Yes', true],
  [
    'an address less its last slash',
    choiceOrUrl('A', { doc: '', options: ['sandbox'] }),
    'http://127.0.0.1:8090/',
    'http://127.0.0.1:8090',
  ],
  ['an option', choiceOrUrl('A', { doc: '', options: ['sandbox'] }), 'sandbox', 'sandbox'],
])('reads %s', (_what, setting, raw, value) => {
  expect(loadConfig({ setting }, { A: raw })).toEqual({ setting: value });
});

it.each<[string, Spec[string], string, RegExp]>([
  ['a broker without port', kafkaSettings.brokers, 'localhost', /SYNC_KAFKA_BROKERS has the odd item "localhost"/],
  ['an address of another kind', databaseSettings.databaseUrl, 'mysql://x', /must begin with postgres:\/\//],
  ['no address at all', url('A', { doc: '' }), 'nowhere', /must be an address/],
  ['a fraction', int('A', { doc: '' }), '1.5', /must be a whole number/],
  ['an unknown environment', qboSettings.qboEnvironment, 'staging', /must be sandbox, production or an address/],
  ['an odd prefix', kafkaSettings.topicPrefix, 'a b', /must match/],
])('refuses %s', (_what, setting, raw, complaint) => {
  expect(mistakesOf({ setting }, { [setting.env]: raw })[0]).toMatch(complaint);
});

it('takes an empty variable as unset: the default, undefined when optional, a mistake when required', () => {
  const spec = {
    a: text('A', { doc: '', default: 'given' }),
    b: text('B', { doc: '', optional: true }),
  };
  expect(loadConfig(spec, { A: '', B: '' })).toEqual({ a: 'given', b: undefined });
  expect(mistakesOf({ c: text('C', { doc: '' }) }, { C: '' })).toHaveLength(1);
});

it('describes what can be set, without any value of a secret', () => {
  expect(
    listSettings({
      s: secret('S', { doc: 'Hidden.', default: 'x1y2z3' }),
      n: int('N', { doc: 'Number.', unit: 'rows' }),
    }),
  ).toEqual([
    {
      env: 'S',
      doc: 'Hidden.',
      example: '(secret)',
      default: '******** (6 characters)',
      required: false,
      secret: true,
    },
    { env: 'N', doc: 'Number.', unit: 'rows', example: '10', required: true, secret: false },
  ]);
});
