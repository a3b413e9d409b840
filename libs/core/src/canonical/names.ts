// Names of inactive records carry a suffix that QBO appended; names compare without it and without regard to case.

/** "Ann (deleted)", "Ann (Deleted)", "Ann (deleted-1)" -> "Ann" */
export function stripDeletedSuffix(name: string): string {
  return name.replace(/\s+\(deleted(?:-\d+)?\)$/i, '');
}

export function sameName(a: string, b: string): boolean {
  return fold(a) === fold(b);
}

function fold(name: string): string {
  return stripDeletedSuffix(name).trim().toLowerCase();
}
