// The tests as they always run (../../jest.config.mjs), compiled by the transformer that can plant a bug.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import own from '../../jest.config.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const rootDir = join(here, '..', '..');
const planting = ([, options]) => [join(here, 'transform.mjs'), options];
export default {
  ...own,
  rootDir,
  reporters: [],
  projects: own.projects.map((project) => ({
    ...project,
    rootDir,
    transform: Object.fromEntries(Object.entries(project.transform).map(([files, how]) => [files, planting(how)])),
  })),
};
