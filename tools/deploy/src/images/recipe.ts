// How an image comes to be: one list of steps. dockerfile.ts writes it down for a container engine, rootfs.ts carries it out
// in a folder, so what is tested without an engine is what an engine would build.
import type { Image } from './catalogue.js';

// By digest: a tag is what its owner says today. Node is the version that package.json's tests run on; the second image
// holds C and C++ libraries, certificates and time zones, and neither shell nor package manager.
// To move on: `docker buildx imagetools inspect TAG`, take the digest of the index, change it here, `npm run image:dockerfile`.
export const nodeImage =
  'node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20';
export const bareImage =
  'gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f';

/** "nonroot" of the bare image; Kubernetes wants the number to believe it. */
export const user = 65532;
export const nodePath = '/usr/local/bin/node';
export const appFolder = '/app';

export type Step =
  /** `from`: the Node image, or what assemble.ts made of this image */
  | { kind: 'copy'; from: 'node' | 'assembled'; path: string; to: string }
  | { kind: 'environment'; values: Readonly<Record<string, string>> }
  | { kind: 'folder'; path: string }
  | { kind: 'user'; id: number }
  | { kind: 'port'; port: number }
  | { kind: 'health'; command: readonly string[] }
  | { kind: 'start'; command: readonly string[] };

export function stepsOf(image: Image): Step[] {
  return [
    { kind: 'copy', from: 'node', path: nodePath, to: nodePath },
    { kind: 'copy', from: 'assembled', path: appFolder, to: appFolder },
    { kind: 'environment', values: { NODE_ENV: 'production', ...image.environment } },
    { kind: 'folder', path: appFolder },
    { kind: 'user', id: user },
    { kind: 'port', port: image.port },
    // Ready, not live: a start order is about who can be used. No shell and no curl in there, so Node asks.
    {
      kind: 'health',
      command: [nodePath, `${appFolder}/health.mjs`, `http://127.0.0.1:${image.port}${image.readyPath}`],
    },
    { kind: 'start', command: [nodePath, `${appFolder}/${image.programs[0]}`, ...image.arguments] },
  ];
}
