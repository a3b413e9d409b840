// Dates from one written form into another: tokens YYYY YY MM M DD D, anything else is itself. A date that no calendar has
// is refused, never rolled over into the next month.
export type DateResult =
  { kind: 'done'; text: string } | { kind: 'bad-pattern'; reason: string } | { kind: 'no-date'; reason: string };

const tokens = /YYYY|YY|MM|DD|M|D/g;
const widths: Readonly<Record<string, string>> = {
  YYYY: '(\\d{4})',
  YY: '(\\d{2})',
  MM: '(\\d{2})',
  DD: '(\\d{2})',
  M: '(\\d{1,2})',
  D: '(\\d{1,2})',
};

/** @param from `YYYY-MM-DD` unless said; a time after such a date is left out */
export function formatDate(text: string, from: unknown, to: unknown): DateResult {
  if (typeof to !== 'string' || (from !== undefined && typeof from !== 'string'))
    return { kind: 'bad-pattern', reason: 'formatDate needs "to", and "from" where the date is not YYYY-MM-DD' };
  const read = reader(from ?? 'YYYY-MM-DD');
  if (!read) return { kind: 'bad-pattern', reason: `"${String(from)}" does not name year, month and day once each` };
  const found = read(from === undefined ? text.replace(/T.*$/, '') : text);
  if (!found) return { kind: 'no-date', reason: `is not a date in the form ${String(from ?? 'YYYY-MM-DD')}` };
  const { year, month, day } = found;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) {
    return { kind: 'no-date', reason: 'is on no calendar' };
  }
  return { kind: 'done', text: to.replace(tokens, (token) => written(token, found)) };
}

interface Day {
  year: number;
  month: number;
  day: number;
}

function reader(pattern: string): ((text: string) => Day | undefined) | undefined {
  const order = pattern.match(tokens) ?? [];
  if (
    order
      .map((token) => token[0])
      .sort()
      .join('') !== 'DMY'
  )
    return undefined;
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const parts = pattern.split(tokens);
  const expression = new RegExp(
    `^${parts.map((text, at) => literal(text) + (widths[order[at] ?? ''] ?? '')).join('')}$`,
  );
  return (text) => {
    const values = expression.exec(text)?.slice(1).map(Number);
    if (!values) return undefined;
    const at = (initial: string) => order.findIndex((token) => token.startsWith(initial));
    const year = values[at('Y')]!;
    return { year: order[at('Y')] === 'YY' ? 2000 + year : year, month: values[at('M')]!, day: values[at('D')]! };
  };
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function written(token: string, { year, month, day }: Day): string {
  const value = token.startsWith('Y') ? year : token.startsWith('M') ? month : day;
  const text = String(value).padStart(token.length, '0');
  return token === 'YY' ? text.slice(-2) : text;
}
