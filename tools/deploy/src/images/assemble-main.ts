// `node dist/tools/deploy/src/images/assemble-main.js FOLDER [NAME...]`: what the Dockerfile's build stage calls; makes
// FOLDER/NAME/app for every image (or those named) and says what is in it.
import { join } from 'node:path';
import { assemble } from './assemble.js';
import { images } from './catalogue.js';
import { appFolder } from './recipe.js';

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined) throw new Error('where to? node assemble-main.js FOLDER [NAME...]');
for (const image of images.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const { files, packages, bytes } = await assemble(image, process.cwd(), join(folder, image.name, appFolder));
  const size = (bytes / 1_048_576).toFixed(1);
  process.stdout.write(`${image.name}: ${files.length} files, ${packages.length} packages, ${size} MiB\n`);
}
