// QuickBooks Online as seen from here: a client whose every call ends in an outcome, and the custody of its tokens.
// Promises: "unsent" and "uncertain" are never confused; a 401 renews the token once; nothing is sent without the governor's
// leave; no token reaches a log. Refuses: to retry, to map, to know of storage or Kafka (ports.ts is what it asks for).
export * from './answer.js';
export * from './circuit/breakers.js';
export * from './client.js';
export * from './environment.js';
export { interpret, faultsOfJson, faultsOfXml, type RawAnswer } from './http/faults.js';
export { Transport } from './http/transport.js';
export type { UploadParts } from './http/multipart.js';
export * from './oauth/custody.js';
export * from './oauth/intuit.js';
export * from './oauth/reseal.js';
export * from './oauth/seal.js';
export * from './ports.js';
export * from './module.js';
