// Configuration: read once, typed, checked as a whole, printed masked. A setting knows its environment variable, unit,
// default, example and one sentence; loadConfig answers every mistake at once, never the first one only.
export * from './load.js';
export * from './setting.js';
export * from './shared-settings.js';
