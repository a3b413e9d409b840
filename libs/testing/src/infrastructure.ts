// Providers of the infrastructure for tests, and the addresses of the one that runs. Default: the embedded one, started by
// its own command. `containers`: the same services in containers, for people who have a container engine.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { repositoryRoot } from './repository.js';

export const addressNames = ['SYNC_KAFKA_BROKERS', 'SYNC_REGISTRY_URL', 'SYNC_DATABASE_URL'] as const;
export type Addresses = Record<(typeof addressNames)[number], string>;

export interface TestInfrastructure {
  addresses: Addresses;
  stop(): Promise<void>;
}

/** Addresses of this run, for tests: `{brokers, registryUrl, databaseUrl}`, the names that configuration uses. */
export function infrastructure(): { brokers: string[]; registryUrl: string; databaseUrl: string } {
  const [brokers, registryUrl, databaseUrl] = addressNames.map((name) => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set: run by "jest --selectProjects integration", or set it`);
    return value;
  });
  return { brokers: brokers!.split(','), registryUrl: registryUrl!, databaseUrl: databaseUrl! };
}

export async function startTestInfrastructure(env: NodeJS.ProcessEnv): Promise<TestInfrastructure> {
  const provider = env.SYNC_TEST_INFRA || 'embedded';
  if (provider === 'containers') return (await import('./containers.js')).startContainers();
  if (provider === 'embedded') return startEmbedded(env);
  throw new Error(`SYNC_TEST_INFRA is "${provider}"; expected "embedded" or "containers"`);
}

function startEmbedded(env: NodeJS.ProcessEnv): Promise<TestInfrastructure> {
  const child = spawn(
    process.execPath,
    ['tools/dev/run.mjs', 'tools/dev/src/infra-main', '--json', '--until-eof'],
    // Its own group: Ctrl-C reaches Jest only, and Jest's end closes the pipe.
    { cwd: repositoryRoot(), env, stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise<TestInfrastructure>((resolve, reject) => {
    void exited.then(() => reject(new Error(`The test infrastructure did not start:\n${said}`)));
    createInterface({ input: child.stdout }).once('line', (line) => {
      const { folder: _, ...addresses } = JSON.parse(line) as Addresses & { folder?: string };
      const stop = async () => {
        child.stdin.end();
        await exited;
      };
      resolve({ addresses, stop });
    });
  });
}
