// `npm run bench -- batch`.
export { batch as bench } from './virtual.js';
