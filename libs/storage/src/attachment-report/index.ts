export * from './attachment-report.js';
