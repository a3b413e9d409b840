// Request ids: a pure function of what is asked, so that a repeated call is recognised by QBO (qbo-api.md 4).
export * from './request-id.js';
