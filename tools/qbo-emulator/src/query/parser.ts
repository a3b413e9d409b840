// QBO's query language: tokenizer and parser. Refusals carry line and column in the words of Intuit's own (JavaCC) parser,
// because clients match on those texts. What a property means is not known here; see evaluate.ts.
import { QboFault } from '../types.js';

export type Operator = '=' | '<' | '>' | '<=' | '>=' | 'IN' | 'LIKE';
export interface Literal {
  readonly kind: 'string' | 'number' | 'boolean' | 'current-date';
  readonly text: string;
}
export interface Condition {
  readonly path: string;
  readonly operator: Operator;
  readonly values: readonly Literal[];
}
export interface SortKey {
  readonly path: string;
  readonly descending: boolean;
}
export interface Statement {
  readonly select: 'all' | 'count' | 'fields';
  /** Named fields; with `all` the extra ones of "SELECT *, Sku". */
  readonly fields: readonly string[];
  readonly entity: string;
  readonly where: readonly Condition[];
  readonly orderBy: readonly SortKey[];
  readonly startPosition?: number;
  readonly maxResults?: number;
}

type Kind = 'identifier' | 'keyword' | 'string' | 'number' | 'symbol' | 'end';
interface Token {
  readonly kind: Kind;
  /** Keywords upper case, strings unescaped, symbols as they are. */
  readonly value: string;
  readonly image: string;
  readonly line: number;
  readonly column: number;
}

// Names of properties and entities may look like keywords nowhere in the catalogue, so keywords can be reserved.
const keywords = new Set([
  'SELECT',
  'COUNT',
  'FROM',
  'WHERE',
  'AND',
  'IN',
  'LIKE',
  'ORDERBY',
  'ORDER',
  'BY',
  'ASC',
  'DESC',
  'STARTPOSITION',
  'MAXRESULTS',
  'TRUE',
  'FALSE',
  'CURRENT_DATE',
]);

export function syntaxFault(detail: string): QboFault {
  return new QboFault('4000', 'Error parsing query', `QueryParserError: ${detail}`);
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  // "Line.*" is written by some clients and means the whole of Line.
  const name = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*(?:\.\*)?/y;
  const number = /-?\d+(?:\.\d+)?/y;
  const symbol = /<=|>=|[=<>(),*]/y;
  let line = 1;
  let lineStart = 0;
  let at = 0;
  const matchAt = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const char = text[at]!;
    if (char === '\n') {
      line++;
      lineStart = at + 1;
    }
    if (/\s/.test(char)) {
      at++;
      continue;
    }
    const column = at - lineStart + 1;
    const push = (kind: Kind, value: string, image: string): void => {
      tokens.push({ kind, value, image, line, column });
      at += image.length;
    };
    const word = matchAt(name);
    const digits = matchAt(number);
    const sign = matchAt(symbol);
    if (word !== undefined) {
      const upper = word.toUpperCase();
      push(keywords.has(upper) ? 'keyword' : 'identifier', keywords.has(upper) ? upper : word, word);
    } else if (digits !== undefined) push('number', digits, digits);
    else if (sign !== undefined) push('symbol', sign, sign);
    else if (char === "'") {
      const end = endOfString(text, at);
      if (end < 0) throw lexicalFault(text, text.length, line, lineStart, text.slice(at));
      const image = text.slice(at, end + 1);
      push('string', unescape(image.slice(1, -1)), image);
      for (let i = 0; i < image.length; i++) {
        if (image[i] !== '\n') continue;
        line++;
        lineStart = at - image.length + i + 1;
      }
    } else throw lexicalFault(text, at, line, lineStart, '');
  }
  // The end has the place of the last token's last character, as JavaCC counts it; an empty statement is "line 0".
  const last = tokens.at(-1);
  tokens.push({
    kind: 'end',
    value: '',
    image: '',
    line: last?.line ?? 0,
    column: last ? last.column + last.image.length - 1 : 0,
  });
  return tokens;
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === "'") return i;
  }
  return -1;
}

// Only the backslash escapes; doubling a quote ends the string and breaks the parser, as in QBO.
function unescape(inner: string): string {
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
}

function lexicalFault(text: string, at: number, line: number, lineStart: number, after: string): QboFault {
  const point = text.codePointAt(at);
  const found = point === undefined ? '<EOF>' : `"${escapeImage(String.fromCodePoint(point))}" (${point})`;
  const column = at - lineStart + 1;
  return syntaxFault(
    `Invalid content. Lexical error at line ${line}, column ${column}.  Encountered: ${found}, after : "${escapeImage(after)}"`,
  );
}

const escapeImage = (image: string): string => image.replace(/["\\]/g, (c) => `\\${c}`);

function tokenName(token: Token): string {
  if (token.kind === 'identifier') return '<IDENTIFIER>';
  if (token.kind === 'string') return '<STRING>';
  if (token.kind === 'number') return token.image.includes('.') ? '<DECIMAL>' : '<INTEGER>';
  return `"${token.value.toLowerCase()}"`;
}

function unexpected(token: Token): QboFault {
  const met =
    token.kind === 'end' ? 'Encountered "<EOF>"' : `Encountered " ${tokenName(token)} "${escapeImage(token.image)} ""`;
  return syntaxFault(`${met} at line ${token.line}, column ${token.column}.`);
}

class Parser {
  private at = 0;
  constructor(private readonly tokens: readonly Token[]) {}

  statement(): Statement {
    this.keyword('SELECT');
    const { select, fields } = this.selection();
    this.keyword('FROM');
    const entity = this.identifier();
    const where: Condition[] = [];
    if (this.takeKeyword('WHERE')) {
      do where.push(this.condition());
      while (this.takeKeyword('AND'));
    }
    const orderBy = this.ordering();
    let startPosition: number | undefined;
    let maxResults: number | undefined;
    // Both orders are seen from real clients and both work.
    for (;;) {
      if (startPosition === undefined && this.takeKeyword('STARTPOSITION')) startPosition = this.position();
      else if (maxResults === undefined && this.takeKeyword('MAXRESULTS')) maxResults = this.position();
      else break;
    }
    if (this.peek().kind !== 'end') throw unexpected(this.peek());
    return { select, fields, entity, where, orderBy, startPosition, maxResults };
  }

  private selection(): Pick<Statement, 'select' | 'fields'> {
    if (this.takeKeyword('COUNT')) {
      this.symbol('(');
      this.symbol('*');
      this.symbol(')');
      return { select: 'count', fields: [] };
    }
    const all = this.takeSymbol('*');
    const fields: string[] = [];
    if (!all) fields.push(this.identifier());
    while (this.takeSymbol(',')) fields.push(this.identifier());
    return { select: all ? 'all' : 'fields', fields };
  }

  private condition(): Condition {
    const path = this.identifier();
    const token = this.peek();
    if (this.takeKeyword('IN')) {
      this.symbol('(');
      const values = [this.literal()];
      while (this.takeSymbol(',')) values.push(this.literal());
      this.symbol(')');
      return { path, operator: 'IN', values };
    }
    if (this.takeKeyword('LIKE')) return { path, operator: 'LIKE', values: [this.literal()] };
    if (token.kind === 'symbol' && ['=', '<', '>', '<=', '>='].includes(token.value)) {
      this.at++;
      return { path, operator: token.value as Operator, values: [this.literal()] };
    }
    throw unexpected(token);
  }

  private ordering(): SortKey[] {
    const keys: SortKey[] = [];
    if (this.takeKeyword('ORDER')) this.keyword('BY');
    else if (!this.takeKeyword('ORDERBY')) return keys;
    do {
      const path = this.identifier();
      const descending = this.takeKeyword('DESC');
      if (!descending) this.takeKeyword('ASC');
      keys.push({ path, descending });
    } while (this.takeSymbol(','));
    return keys;
  }

  private literal(): Literal {
    const token = this.peek();
    this.at++;
    if (token.kind === 'string') return { kind: 'string', text: token.value };
    if (token.kind === 'number') return { kind: 'number', text: token.value };
    if (token.kind === 'keyword' && (token.value === 'TRUE' || token.value === 'FALSE')) {
      return { kind: 'boolean', text: token.value.toLowerCase() };
    }
    if (token.kind === 'keyword' && token.value === 'CURRENT_DATE') return { kind: 'current-date', text: '' };
    throw unexpected(token);
  }

  private position(): number {
    const token = this.peek();
    if (token.kind !== 'number' || token.value.includes('.')) throw unexpected(token);
    this.at++;
    return Number(token.value);
  }

  private identifier(): string {
    const token = this.peek();
    if (token.kind !== 'identifier') throw unexpected(token);
    this.at++;
    return token.value;
  }

  private keyword(word: string): void {
    if (!this.takeKeyword(word)) throw unexpected(this.peek());
  }

  private takeKeyword(word: string): boolean {
    const token = this.peek();
    if (token.kind !== 'keyword' || token.value !== word) return false;
    this.at++;
    return true;
  }

  private symbol(sign: string): void {
    if (!this.takeSymbol(sign)) throw unexpected(this.peek());
  }

  private takeSymbol(sign: string): boolean {
    const token = this.peek();
    if (token.kind !== 'symbol' || token.value !== sign) return false;
    this.at++;
    return true;
  }

  private peek(): Token {
    return this.tokens[this.at] ?? this.tokens.at(-1)!;
  }
}

export function parseStatement(text: string): Statement {
  const tokens = tokenize(text);
  if (tokens.length === 1) {
    throw syntaxFault('Encountered "<EOF>" at line 0, column 0.\nWas expecting:\n    "select" ...\n    ');
  }
  return new Parser(tokens).statement();
}
