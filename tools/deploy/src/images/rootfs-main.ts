// `npm run image:rootfs -- NAME [--build-only]`: builds the image's file tree in .cache/rootfs/NAME and starts the process
// from it until its own health check passes. Kafka, registry and PostgreSQL are taken from SYNC_KAFKA_BROKERS,
// SYNC_REGISTRY_URL and SYNC_DATABASE_URL when set, otherwise started for the occasion. `all` takes every image in turn.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { freePort, startInfrastructure } from '../../../dev/src/infrastructure.js';
import type { Infrastructure } from '../../../dev/src/infrastructure.js';
import { images, imageNamed } from './catalogue.js';
import type { Image } from './catalogue.js';
import { runUntilReady } from './rehearsal.js';
import { buildRootFileSystem } from './rootfs.js';

const [wanted = '', ...flags] = process.argv.slice(2);
const chosen = wanted === 'all' ? images : [imageNamed(wanted)].filter((image) => image !== undefined);
if (chosen.length === 0) {
  process.stderr.write(`which image? ${images.map(({ name }) => name).join(', ')} or all\n`);
  process.exit(2);
}

async function rehearse(image: Image, infrastructure: Infrastructure | undefined, corner: string): Promise<void> {
  const tree = await buildRootFileSystem(image, process.cwd(), join(process.cwd(), '.cache', 'rootfs', image.name));
  const { files, packages, bytes } = tree.contents;
  const size = `${files.length} files, ${packages.length} packages, ${(bytes / 1_048_576).toFixed(1)} MiB`;
  if (!infrastructure) {
    process.stdout.write(`${image.name}: ${size} in ${tree.folder}\n`);
    return;
  }
  const { readyInMs, user } = await runUntilReady(tree, {
    port: await freePort(),
    addresses: { ...infrastructure.addresses },
    corner,
  });
  process.stdout.write(`${image.name}: ${size}; ready in ${readyInMs} ms as user ${user}, stopped with exit 0\n`);
}

const infrastructure = flags.includes('--build-only')
  ? undefined
  : await startInfrastructure({ say: (text) => void process.stderr.write(`${text}\n`) });
try {
  const corner = `rootfs_${randomBytes(4).toString('hex')}`;
  for (const image of chosen) await rehearse(image, infrastructure, corner);
} finally {
  await infrastructure?.stop();
}
