// `npm run failure-modes`: writes docs/failure-modes.md.
import { writeFile } from 'node:fs/promises';
import { failureModes } from './document.js';

await writeFile('docs/failure-modes.md', failureModes());
process.stdout.write('docs/failure-modes.md is written\n');
