// Jest's global set-up for integration tests: one Kafka, registry and PostgreSQL per run, addresses in process.env, which
// the workers inherit. Runs as its own process that ends when our pipe to it closes, so a killed Jest leaves nothing.
// SYNC_TEST_INFRA=containers starts them in containers; addresses that are set already are used as they are.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { startTestInfrastructure } from './infrastructure.js';

type Providers = { addressNames: readonly string[]; startTestInfrastructure: typeof startTestInfrastructure };

export default async function globalSetup(): Promise<void> {
  // Jest does not map modules for this file, so `./infrastructure.js` would not be found; the built one is. Tests that
  // start programs (the emulator, the apps) need the build anyway.
  const root = process.cwd();
  execFileSync(process.execPath, [join(root, 'tools', 'dev', 'build.mjs')], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const providers = (await import(join(root, 'dist', 'libs', 'testing', 'src', 'infrastructure.js'))) as Providers;
  if (providers.addressNames.every((name) => process.env[name])) return;
  const { addresses, stop } = await providers.startTestInfrastructure(process.env);
  Object.assign(process.env, addresses);
  (globalThis as { stopTestInfrastructure?: () => Promise<void> }).stopTestInfrastructure = stop;
}
