// How our HTTP APIs refuse: problems (RFC 9457), the admin key, validation that lists every mistake.
export * from './admin-key.guard.js';
export * from './problem.filter.js';
export * from './problem.js';
export * from './validation.js';
