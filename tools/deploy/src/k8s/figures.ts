// Numbers that are not ours.
/** QuickBooks answers within this or not at all (its own time-out). */
export const qboCallTimeoutSeconds = 120;
