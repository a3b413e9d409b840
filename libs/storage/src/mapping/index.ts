// Mapping rules as rows: layers that are only ever added, rule sets merged from them.
export * from './mapping-layers.js';
