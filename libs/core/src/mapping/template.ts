// The default template: identity over the registry, and what a copy must not carry.
import type { MappingLayer } from './rules.js';

export const defaultTemplate: MappingLayer = { id: 0, layer: 'template', rules: {} };
