// What a field of a sent record says as text.

/** As String(), but for an object: JSON may hold one whose `toString` is no function, and that must end in a fault, not in a crash. */
export function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? '[object]' : String(value);
}
