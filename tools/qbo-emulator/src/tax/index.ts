// Tax and document arithmetic: pure, reads the company, writes only the record it is given.
export { computeDocument } from './compute-document.js';
export { ratesOf, taxProfileOf, percentOn, isUs, type TaxProfile } from './profile.js';
export { DEFAULT_SWITCHES, switchesOf, type Switches } from './switches.js';
