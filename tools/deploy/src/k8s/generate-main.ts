// `npm run k8s:generate`: writes k8s/base/generated from the code, then k8s/rendered/<overlay>.yaml as kustomize sees it
// (KUSTOMIZE names the program; default: kustomize or kubectl, whichever is there; without either the second step is said
// to be open). The renderings are committed: a review shows what a cluster would get, and checks need no kustomize.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generated, generatedFolder } from './generate.js';
import { kustomizeProgram, overlays, render, renderedPath } from './rendering.js';

const files = generated();
await mkdir(generatedFolder, { recursive: true });
for (const name of await readdir(generatedFolder)) if (!files.has(name)) await rm(join(generatedFolder, name));
for (const [name, text] of files) await writeFile(join(generatedFolder, name), text);
process.stdout.write(`k8s: ${files.size} files generated\n`);

const program = await kustomizeProgram(process.env.KUSTOMIZE);
if (!program) {
  process.stdout.write('k8s: no kustomize and no kubectl here: k8s/rendered is as it was\n');
} else {
  await mkdir('k8s/rendered', { recursive: true });
  for (const overlay of overlays) await writeFile(renderedPath(overlay), await render(overlay, program));
  process.stdout.write(`k8s: ${overlays.length} overlays rendered by ${program.join(' ')}\n`);
}
