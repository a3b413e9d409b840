// The life of one OS process: start (configuration, HTTP before everything else, module, consumers, "ready"), stop
// (drain, commit, leave) and waiting for things that are away.
export * from './available.js';
export * from './lifecycle.js';
export * from './repeated.js';
export * from './run-service.js';
export * from './service-module.js';
