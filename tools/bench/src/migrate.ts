// `npm run bench -- migrate`.
export { migrate as bench } from './virtual.js';
