// Jest's global set-up for integration tests: one Kafka, registry and PostgreSQL per run, addresses in process.env, which
// the workers inherit. Runs as its own process that ends when our pipe to it closes, so a killed Jest leaves nothing.
// SYNC_TEST_INFRA=containers starts them in containers; addresses that are set already are used as they are.
import { addressNames, startTestInfrastructure } from './infrastructure.js';

export default async function globalSetup(): Promise<void> {
  if (addressNames.every((name) => process.env[name])) return;
  const { addresses, stop } = await startTestInfrastructure(process.env);
  Object.assign(process.env, addresses);
  (globalThis as { stopTestInfrastructure?: () => Promise<void> }).stopTestInfrastructure = stop;
}
