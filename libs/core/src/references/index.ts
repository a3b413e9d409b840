// References between records, taken out of a body symbolically and bound to the target's ids when it is sent.
export * from './references.js';
export * from './named-lines.js';
