// One company's books as the emulator gives them (dump and ledger), with the questions that the comparison asks.
import type { Raw } from '#testing';
import { cents, money } from '../../installation/src/comparison.js';

export interface PostingLine {
  txnType: string;
  txnId: string;
  date: string;
  accountId: string;
  debit: string;
  credit: string;
  name?: { type: string; id: string };
  classId?: string;
  departmentId?: string;
  memo?: string;
}

/** How a record is called, for people and for comparison. */
export type Named = (type: string, id: string) => string;

/** Kept by QuickBooks for itself, once per company. */
export const singletons: ReadonlySet<string> = new Set(['CompanyInfo', 'Preferences']);

export class Books {
  private readonly byKey = new Map<string, Raw>();
  private readonly linesOf = new Map<string, PostingLine[]>();

  constructor(
    readonly records: Record<string, Raw[]>,
    readonly lines: readonly PostingLine[],
  ) {
    for (const [type, rows] of Object.entries(records)) {
      for (const row of rows) this.byKey.set(`${type}/${row.Id}`, row);
    }
    for (const line of lines) {
      const key = ownerOf(line);
      const known = this.linesOf.get(key);
      if (known) known.push(line);
      else this.linesOf.set(key, [line]);
    }
  }

  record(key: string): Raw | undefined {
    return this.byKey.get(key);
  }

  ofType(type: string): readonly Raw[] {
    return this.records[type] ?? [];
  }

  types(): string[] {
    return Object.keys(this.records).filter((type) => !singletons.has(type));
  }

  posted(key: string): readonly PostingLine[] {
    return this.linesOf.get(key) ?? [];
  }

  owners(): Iterable<string> {
    return this.linesOf.keys();
  }

  /** A name that means the same in both companies: fully qualified where the type has a tree. */
  nameOf(type: string, id: string): string {
    const record = this.byKey.get(`${type}/${id}`);
    const name: unknown = record?.FullyQualifiedName ?? record?.DisplayName ?? record?.Name;
    return name === undefined ? `${type} ${id}` : String(name);
  }

  accountType(line: PostingLine): string {
    return String(this.byKey.get(`Account/${line.accountId}`)?.AccountType);
  }

  /** Stock and its cost: what QuickBooks computes in the order of entry. */
  isStock(accountId: string): boolean {
    const account = this.byKey.get(`Account/${accountId}`);
    return account?.AccountType === 'Cost of Goods Sold' || account?.AccountSubType === 'Inventory';
  }

  /**
   * Everything of a line that must be the same in the other company, as one text; the amount is debit minus credit.
   * @param named how a record is called: its own name, or that of its copy
   */
  textOf(line: PostingLine, named: Named = (type, id) => this.nameOf(type, id)): string {
    const parts = [line.date, named('Account', line.accountId), money(amountOf(line))];
    parts.push(line.name ? `${line.name.type} ${named(line.name.type, line.name.id)}` : '-');
    parts.push(line.classId ? named('Class', line.classId) : '-');
    parts.push(line.departmentId ? named('Department', line.departmentId) : '-');
    return parts.join(' | ');
  }
}

export const amountOf = (line: PostingLine): bigint => cents(line.debit) - cents(line.credit);

/** The record a line belongs to; opening stock belongs to its item. */
export function ownerOf(line: PostingLine): string {
  const start = /^start-(.+)$/.exec(line.txnId)?.[1];
  return start !== undefined ? `Item/${start}` : `${line.txnType}/${line.txnId}`;
}
