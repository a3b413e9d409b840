// One image's process from its folder to readiness and back: what image:rootfs and its test do.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { healthy, startFrom } from './rootfs.js';
import type { RootFileSystem } from './rootfs.js';

const readyTimeoutMs = 60_000;

export interface Rehearsal {
  port: number;
  /** SYNC_KAFKA_BROKERS, SYNC_REGISTRY_URL, SYNC_DATABASE_URL */
  addresses: Readonly<Record<string, string>>;
  /** schema and topic prefix, so that shared services hold several rehearsals */
  corner: string;
}

/** @throws Error with the last output, when the process ends or does not become ready */
export async function runUntilReady(
  tree: RootFileSystem,
  o: Rehearsal,
): Promise<{ readyInMs: number; user: number; output: string }> {
  const began = performance.now();
  const child = startFrom(tree, { environment: settings(o), arguments: portOf(tree, o.port) });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close') as Promise<[number | null]>;
  try {
    while (!(await healthy(tree, o.port))) {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}:\n${output.slice(-4000)}`);
      if (performance.now() - began > readyTimeoutMs) throw new Error(`not ready:\n${output.slice(-4000)}`);
      await sleep(100);
    }
    const readyInMs = Math.round(performance.now() - began);
    child.kill('SIGTERM');
    const [code] = await ended;
    if (code !== 0) throw new Error(`stopped with ${code}:\n${output.slice(-4000)}`);
    return { readyInMs, user: process.getuid?.() === 0 ? tree.user : (process.getuid?.() ?? -1), output };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Everything any of the apps must be told, and no real secret. */
export function settings(o: Rehearsal): Record<string, string> {
  return {
    ...o.addresses,
    SYNC_TOPIC_PREFIX: `${o.corner}.`,
    SYNC_DATABASE_SCHEMA: o.corner,
    SYNC_HTTP_HOST: '127.0.0.1',
    SYNC_HTTP_PORT: String(o.port),
    SYNC_QBO_ENVIRONMENT: 'sandbox',
    SYNC_QBO_CLIENT_ID: 'rehearsal',
    SYNC_QBO_CLIENT_SECRET: 'rehearsal',
    SYNC_QBO_WEBHOOK_VERIFIER_TOKEN: 'rehearsal',
    SYNC_TOKEN_KEY: randomBytes(32).toString('base64'),
    SYNC_ADMIN_KEY: randomBytes(16).toString('hex'),
  };
}

/** The emulator takes its port as an argument; a later one wins. */
function portOf(tree: RootFileSystem, port: number): string[] {
  return tree.start.includes('--port') ? ['--host', '127.0.0.1', '--port', String(port)] : [];
}
