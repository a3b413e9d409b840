// Mapping: a source change becomes the desired target entity, by layered rules that are data.
export * from './rules.js';
export { mergeLayers, rulesFor } from './layers.js';
export { mapChange } from './map-change.js';
export type { SourceChange, Mapped, MappedWrite, MappedAttachment } from './mapped.js';
export { defaultTemplate } from './template.js';
