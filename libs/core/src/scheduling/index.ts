export * from './realm-schedule.js';
