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

export type Breakable = 'kafka-1' | 'kafka-2' | 'kafka-3' | 'postgresql';

/** An infrastructure of a test's own, which it may break. */
export interface BreakableInfrastructure extends TestInfrastructure {
  /** as a power cut: SIGKILL */
  kill(what: Breakable): Promise<void>;
  /** again, on its data and port */
  start(what: Breakable): Promise<void>;
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
  if (provider === 'embedded') return startBreakableInfrastructure({ env });
  throw new Error(`SYNC_TEST_INFRA is "${provider}"; expected "embedded" or "containers"`);
}

/** Always embedded, whatever the run was given: nobody breaks what others use. */
export function startBreakableInfrastructure(
  o: { nodes?: 1 | 3; env?: NodeJS.ProcessEnv } = {},
): Promise<BreakableInfrastructure> {
  const args = [
    'tools/dev/run.mjs',
    'tools/dev/src/infra-main',
    '--json',
    '--until-eof',
    '--nodes',
    String(o.nodes ?? 1),
  ];
  const env = o.env ?? { ...process.env, ...Object.fromEntries(addressNames.map((name) => [name, ''])) };
  // Its own group: Ctrl-C reaches Jest only, and Jest's end closes the pipe.
  const child = spawn(process.execPath, args, {
    cwd: repositoryRoot(),
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const answers: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => answers.shift()?.(line));
  const answer = () =>
    new Promise<string>((resolve, reject) => {
      answers.push(resolve);
      void exited.then(() => reject(new Error(`The infrastructure is gone:\n${said}`)));
    });
  const order = async (text: string) => {
    child.stdin.write(`${text}\n`);
    const { answer: outcome } = JSON.parse(await answer()) as { answer: string };
    if (outcome !== 'done') throw new Error(`${text}: ${outcome}`);
  };
  return answer().then((line) => {
    const { folder: _, ...addresses } = JSON.parse(line) as Addresses & { folder?: string };
    return {
      addresses,
      kill: (what) => order(`kill ${what}`),
      start: (what) => order(`start ${what}`),
      stop: async () => {
        child.stdin.end();
        await exited;
      },
    };
  });
}
