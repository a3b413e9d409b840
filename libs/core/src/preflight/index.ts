export * from './company-facts.js';
export * from './compare.js';
