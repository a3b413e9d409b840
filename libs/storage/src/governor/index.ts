export * from './governor-store.js';
export type { CompanyCircuit } from './platform-circuit-store.js';
export type { CompanyReads, ReadReport } from './read-meter.js';
