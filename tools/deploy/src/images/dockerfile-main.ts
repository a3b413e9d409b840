// `npm run image:dockerfile`: writes the Dockerfile. A test fails while it is not current.
import { writeFile } from 'node:fs/promises';
import { dockerfile } from './dockerfile.js';

await writeFile('Dockerfile', dockerfile());
