export * from './validations.js';
