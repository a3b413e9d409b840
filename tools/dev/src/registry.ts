// Apicurio, a real schema registry with the Confluent API, kept in our PostgreSQL: its own H2 file lost a write on
// kill -9.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child, Children } from './children.js';
import type { ClassArchive, StreamRuntime } from './stream-runtime.js';

export class Registry {
  private child: Child | undefined;
  private archive: ClassArchive | undefined;
  private ready = false;

  constructor(
    private readonly children: Children,
    private readonly runtime: StreamRuntime,
    private readonly options: { port: number; databaseUrl: string; logFile: string },
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.options.port}/apis/ccompat/v7`;
  }

  async start(): Promise<void> {
    const { port, databaseUrl, logFile } = this.options;
    const database = new URL(databaseUrl);
    const archive = await this.runtime.archive('registry');
    this.archive = archive;
    if (archive.partial) this.children.removeLater(archive.partial);
    const settings = {
      'quarkus.http.host': '127.0.0.1',
      'quarkus.http.port': port,
      'apicurio.storage.kind': 'sql',
      'apicurio.storage.sql.kind': 'postgresql',
      'apicurio.datasource.url': `jdbc:postgresql://${database.host}${database.pathname}`,
      'apicurio.datasource.username': database.username,
      'apicurio.datasource.password': database.password,
      // The default pool is 20 to 100 connections.
      'apicurio.datasource.jdbc.initial-size': 1,
      'apicurio.datasource.jdbc.min-size': 1,
      'apicurio.datasource.jdbc.max-size': 5,
      'quarkus.log.console.level': 'ERROR',
      'quarkus.http.access-log.enabled': false,
      'apicurio.ui.enabled': false,
    };
    const child = await this.children.spawn({
      name: 'registry',
      command: this.runtime.java,
      args: [
        ...['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', ...archive.flags],
        ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
        ...['-jar', this.runtime.registryJar],
      ],
      logFile,
      killAfterMs: archive.stopWithinMs,
    });
    this.child = child;
    while (!(await answers(`${this.url}/subjects`))) {
      if (!child.running) throw new Error(`The schema registry ended at its start:\n${child.tail()}`);
      await sleep(50);
    }
    this.ready = true;
  }

  async stop(): Promise<void> {
    await this.child?.stop();
    if (this.ready && (await this.child?.exited) !== 'SIGKILL') await this.archive?.keep();
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
