// Nest token of this app's settings.
export const SETTINGS = Symbol('ingest settings');
