// Files: what one attachment of the target should be, what it is, and what to do next. Pure.
export * from './attachment.js';
export * from './plan.js';
