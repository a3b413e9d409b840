// `npm run k8s:check`: generated files current, renderings current (rendered anew where there is a kustomize), every object a
// valid one, every rule kept; ends with one line. Needs no network. CRDS names a folder with the operators' own definitions
// (docs/deployment.md): their objects are judged by those as well. KUBE_SCORE names a kube-score to be asked: its opinions are
// printed, ours decide.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { complaintsByDefinition, definitionsIn } from './crds.js';
import { generated, generatedFolder } from './generate.js';
import { kustomizeProgram, overlays, render, rendered, renderedPath, sourcesFingerprint } from './rendering.js';
import { rules, violations } from './rules.js';
import { complaintsAbout } from './schemas.js';

const wrong: string[] = [];
for (const [name, text] of generated()) {
  const known = readOrNothing(join(generatedFolder, name));
  if (known !== text) wrong.push(`${generatedFolder}/${name} is not current: npm run k8s:generate`);
}

const definitions = process.env['CRDS'] ? definitionsIn(process.env['CRDS']) : undefined;
const judgedByDefinition = new Set<string>();
const program = await kustomizeProgram(process.env['KUSTOMIZE']);
let objectCount = 0;
for (const overlay of overlays) {
  const { text, objects } = rendered(overlay);
  if (!text.includes(`# sources: ${sourcesFingerprint()}\n`)) {
    wrong.push(`${renderedPath(overlay)} is older than what it is made from: npm run k8s:generate`);
  }
  if (program && objectTexts(await render(overlay, program)) !== objectTexts(text)) {
    wrong.push(`${renderedPath(overlay)} is not what ${program[0]} renders: npm run k8s:generate`);
  }
  for (const object of objects) {
    const said = await complaintsAbout(object);
    const more = definitions && complaintsByDefinition(definitions, object);
    if (more) judgedByDefinition.add(`${object.apiVersion} ${object.kind}`);
    wrong.push(...[...said, ...(more ?? [])].map((each) => `${overlay}: ${each}`));
  }
  wrong.push(...violations(objects).map(({ rule, what }) => `${overlay}: ${what} [${rule}]`));
  objectCount += objects.length;
}

const scorer = process.env['KUBE_SCORE'];
if (scorer) {
  const options = ['--output-format', 'ci', '--kubernetes-version', 'v1.33'];
  const said = spawnSync(scorer, ['score', ...options, renderedPath('prod')], { encoding: 'utf8' }).stdout ?? '';
  const critical = said.split('\n').filter((line) => line.startsWith('[CRITICAL]'));
  process.stdout.write(
    `kube-score: ${critical.length} critical opinions on prod\n${critical.map((l) => `  ${l}\n`).join('')}`,
  );
}
process.stdout.write(`rendered ${program ? `anew by ${program.join(' ')}` : 'earlier: no kustomize here'}\n`);
if (definitions) {
  process.stdout.write(`judged by the operators' own definitions: ${[...judgedByDefinition].sort().join(', ')}\n`);
}
for (const line of wrong) process.stdout.write(`  ${line}\n`);
process.stdout.write(`k8s: ${objectCount} objects, ${rules.length} rules, ${wrong.length} violations\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function objectTexts(text: string): string {
  return text.replace(/^#.*\n/gm, '');
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
