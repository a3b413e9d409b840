// The default template: identity over the registry. What it adds is only what an organization may well want otherwise;
// what nobody may change (charging cards, mailing customers) is `forced` in the registry.
import type { MappingLayer } from './rules.js';

export const defaultTemplate: MappingLayer = {
  id: 0,
  layer: 'template',
  rules: {
    entities: {
      // Custom fields are numbered per company: field 2 here may be another field, or none (3000), over there. An
      // organization whose two companies agree says `keep: ["CustomField"]`.
      '*': { omit: ['CustomField', 'Line.*.CustomField'] },
    },
  },
};
