// What people configure: organizations, companies with their grants, syncs, jobs.
export * from './companies.js';
export * from './grants.js';
export * from './jobs.js';
export * from './organizations.js';
export * from './settings-versions.js';
export type { Page, PageCursor, PageRequest } from './pages.js';
export * from './syncs.js';
