// Plain tables for a terminal: columns as wide as their content, long texts cut so that a row stays a line.
const longest = 60;

export function table(rows: readonly Record<string, unknown>[], columns: readonly string[]): string {
  if (rows.length === 0) return '(none)\n';
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  const widths = columns.map((column, index) => Math.max(column.length, ...cells.map((line) => line[index]!.length)));
  const line = (parts: readonly string[]) =>
    `${parts
      .map((part, index) => part.padEnd(widths[index]!))
      .join('  ')
      .trimEnd()}\n`;
  return line(columns) + line(widths.map((width) => '-'.repeat(width))) + cells.map(line).join('');
}

/** `name  value` lines. */
export function facts(pairs: readonly (readonly [string, unknown])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${cell(value, 200)}\n`).join('');
}

function cell(value: unknown, limit = longest): string {
  const text =
    value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  const flat = text.replace(/\s+/g, ' ');
  return flat.length > limit ? `${flat.slice(0, limit - 1)}…` : flat;
}
