// Brings the schema up to date and leaves: what a rollout runs before any new process. The apps do the same at their start
// when it was not done; this exists so that a migration fails a Job, not six rollouts, and needs no Kafka and no secrets
// but the database's. Exit codes: 0 done or nothing to do, 1 failed, 78 wrong configuration.
import 'reflect-metadata';
import { systemClock } from '#common/clock';
import { ConfigurationError, databaseSettings, loadConfig, logSettings } from '#common/config';
import { untilAvailable } from '#common/lifecycle';
import { configureLogging } from '#common/logging';
import { Database } from '#storage';

// A database that has not come up after this long is an incident, not a slow start; Kubernetes may then try again.
const patienceMs = 120_000;

async function migrate(): Promise<void> {
  // eslint-disable-next-line no-restricted-properties -- an entry point of its own: this is where its environment is read
  const config = loadConfig({ ...databaseSettings, ...logSettings }, process.env);
  const log = configureLogging({ service: 'migrate', level: config.logLevel });
  const signal = AbortSignal.timeout(patienceMs);
  const options = { ...config, databasePool: 1, applicationName: 'migrate' };
  const db = await untilAvailable('PostgreSQL', () => Database.connect(options), { clock: systemClock, log, signal });
  try {
    const migrations = await db.migrate();
    log.info({ migrations, schema: config.databaseSchema }, 'schema is up to date');
  } finally {
    await db.close();
  }
}

migrate().catch((error: Error) => {
  process.stderr.write(`migrate: ${error.message}\n`);
  process.exitCode = error instanceof ConfigurationError ? 78 : 1;
});
