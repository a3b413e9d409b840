// The overlays as kustomize renders them. k8s/rendered/<overlay>.yaml begins with a fingerprint of everything it was made
// from, so that a stale rendering is noticed where there is no kustomize.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './object.js';

const run = promisify(execFile);
export const overlays = ['dev', 'staging', 'prod'] as const;
export type Overlay = (typeof overlays)[number];

export const renderedPath = (overlay: Overlay): string => `k8s/rendered/${overlay}.yaml`;

export function sourcesFingerprint(root = process.cwd()): string {
  const hash = createHash('sha256');
  const folder = join(root, 'k8s');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(folder, 'rendered')))
    .sort();
  for (const path of files) hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

export async function kustomizeProgram(given?: string): Promise<string[] | undefined> {
  const candidates = given
    ? [[given, 'build']]
    : [
        ['kustomize', 'build'],
        ['kubectl', 'kustomize'],
      ];
  for (const candidate of candidates) {
    const works = await run(candidate[0]!, candidate[0] === 'kubectl' ? ['version', '--client'] : ['version']).then(
      () => true,
      () => false,
    );
    if (works) return candidate;
  }
  return undefined;
}

export async function render(overlay: Overlay, [command, ...parts]: readonly string[]): Promise<string> {
  const { stdout } = await run(command!, [...parts, `k8s/overlays/${overlay}`], { maxBuffer: 64 * 1024 * 1024 });
  return `# kustomize build k8s/overlays/${overlay}, written by "npm run k8s:generate".\n# sources: ${sourcesFingerprint()}\n${stdout}`;
}

export function objectsOf(text: string): KubernetesObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

export function rendered(overlay: Overlay): { text: string; objects: KubernetesObject[] } {
  const text = readFileSync(renderedPath(overlay), 'utf8');
  return { text, objects: objectsOf(text) };
}
