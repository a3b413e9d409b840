// What runs in a container: the six apps, the migration, the emulator. Images, compose and Kubernetes read names, ports and
// commands from here, so they cannot disagree.
import { appNames } from '../../../dev/src/apps.js';
import type { AppName } from '../../../dev/src/apps.js';

export type ImageName = AppName | 'emulator';

export interface Image {
  readonly name: ImageName;
  readonly title: string;
  /** Compiled programs of this image, the one that starts first; more when other commands of the image need them. */
  readonly programs: readonly string[];
  /** after the program */
  readonly arguments: readonly string[];
  /** Packages that a library loads by a name it computes, so that no import shows them. */
  readonly loadedByName: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** answers 200 when the process can do its work */
  readonly readyPath: string;
  /** the process says this when it has started; image:rootfs shows it */
  readonly port: number;
}

/** In a container every process listens here, whatever it is: probes and policies need one number. */
export const containerPort = 8080;
/** The only program that changes the schema on purpose; part of the control image. */
export const migrationProgram = 'dist/apps/control/src/migrate.js';

const titles: Record<AppName, string> = {
  control: 'admin API: organizations, companies, syncs, jobs',
  audit: 'sync log and audit chain',
  ingest: 'webhook door, capture loop, backfill',
  mapper: 'changes to desired target records',
  'qbo-writer': 'desired records into the target company',
  'attachment-worker': 'files into the target company',
};

const app = (name: AppName): Image => ({
  name,
  title: titles[name],
  programs: [`dist/apps/${name}/src/main.js`, ...(name === 'control' ? [migrationProgram] : [])],
  arguments: [],
  // TypeORM requires the driver of the configured database by name.
  loadedByName: ['pg'],
  environment: { SYNC_HTTP_HOST: '0.0.0.0', SYNC_HTTP_PORT: String(containerPort) },
  readyPath: '/health/ready',
  port: containerPort,
});

export const images: readonly Image[] = [
  ...appNames.map(app),
  {
    name: 'emulator',
    title: 'a QuickBooks Online for rehearsals; keeps nothing unless told where',
    programs: ['dist/tools/qbo-emulator/src/main.js'],
    arguments: ['--host', '0.0.0.0', '--port', String(containerPort), '--quiet'],
    loadedByName: [],
    environment: {},
    readyPath: '/_emulator',
    port: containerPort,
  },
];

export function imageNamed(name: string): Image | undefined {
  return images.find((image) => image.name === name);
}
