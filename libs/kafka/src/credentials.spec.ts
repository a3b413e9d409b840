import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialsOf } from './credentials.js';

const caFile = join(mkdtempSync(join(tmpdir(), 'ca-')), 'ca.crt');
writeFileSync(caFile, 'PEM');

it.each([
  ['nothing is set', {}, {}],
  ['TLS with a well-known authority', { kafkaTls: true }, { ssl: true }],
  ['TLS with an authority of our own', { kafkaTls: true, kafkaCaFile: caFile }, { ssl: { ca: ['PEM'] } }],
  [
    'a user over plain text, for a rehearsal',
    { kafkaUser: 'mapper', kafkaPassword: 'pw' },
    { sasl: { mechanism: 'scram-sha-512', username: 'mapper', password: 'pw' } },
  ],
])('%s', async (_what, settings, expected) => {
  expect(await credentialsOf(settings)).toEqual(expected);
});

it.each([
  ['a user without a password', { kafkaUser: 'mapper' }, /set together/],
  ['a password without a user', { kafkaPassword: 'pw' }, /set together/],
  ['an authority without TLS: the connection would be in the clear', { kafkaCaFile: caFile }, /SYNC_KAFKA_TLS/],
])('refuses %s', async (_what, settings, complaint) => {
  await expect(credentialsOf(settings)).rejects.toThrow(complaint);
});
