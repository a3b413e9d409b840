export * from './company-facts.js';
export * from './compare.js';
export * from './pair-mappings.js';
