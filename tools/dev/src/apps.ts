// The six processes, in the order in which a person would start them.
export const appNames = ['control', 'audit', 'ingest', 'mapper', 'qbo-writer', 'attachment-worker'] as const;
export type AppName = (typeof appNames)[number];
