// Reads of a source company as capture needs them: an answer, or an exception that says whether time or a person helps.
import type { EntityDefinition, Json, Reading } from '#core';
import {
  definitionOf,
  nextWindowPage,
  pageSize,
  readingOf,
  statementOfAll,
  statementOfCount,
  statementOfIds,
  statementOfWindow,
  typeOfJsonName,
} from '#core';
import type { Window } from '#core';
import type { CdcPage, QboAnswer, QboClient, RequestClass } from '#qbo';
import { faultText } from '#qbo';
import { Beside } from './beside.js';

const asksAgain = 2;

/** Not read. `held`: only a person can mend it (the grant); `refused`: QBO said no to this very question. */
export class SourceUnread extends Error {
  constructor(
    readonly why: 'held' | 'refused' | 'later',
    message: string,
    /** fault codes of a refusal */
    readonly codes: readonly string[] = [],
  ) {
    super(message);
    this.name = 'SourceUnread';
  }
}

/** The company has no such records to show: its plan lacks the feature, it is switched off, or the country has none. */
const featureOff = new Set(['500', '5020', '5030']);

export function isFeatureOff(error: SourceUnread): boolean {
  return error.codes.length > 0 && error.codes.every((code) => featureOff.has(code));
}

export interface ReadOptions {
  class: RequestClass;
  signal: AbortSignal;
}

/** A page of readings; `observedAt` is when its read began. */
export interface ReadPage {
  readings: Reading[];
  observedAt: string;
}

// Ids in one `IN (...)`: well below what a statement may hold.
const idsAtOnce = 200;

export class SourceReader {
  private readonly beside = new Beside();

  constructor(
    private readonly qbo: Pick<QboClient, 'cdc' | 'query' | 'report'>,
    private readonly now: () => Date,
  ) {}

  async changes(realmId: string, types: readonly string[], since: string, o: ReadOptions): Promise<CdcPage & ReadPage> {
    const observedAt = this.now().toISOString();
    const page = valueOf(await asked(() => this.qbo.cdc(realmId, types, since, o)));
    const readings = Object.entries(page.objects).flatMap(([name, objects]) =>
      readingsOf(typeOfJsonName(name), objects),
    );
    return { ...page, readings: await this.completed(realmId, readings, o), observedAt };
  }

  /** Every record of a type, by pages, from a 1-based position. */
  async *all(
    realmId: string,
    definition: EntityDefinition,
    o: ReadOptions & { from?: number },
  ): AsyncGenerator<ReadPage & { next: number | undefined }> {
    for (let start = o.from ?? 1; ; start += pageSize) {
      const observedAt = this.now().toISOString();
      const { rows } = valueOf(await asked(() => this.qbo.query(realmId, statementOfAll(definition, start), o)));
      const full = rows.length >= pageSize;
      const readings = await this.completed(realmId, readingsOf(definition.type, rows), o);
      yield { readings, observedAt, next: full ? start + pageSize : undefined };
      if (!full) return;
    }
  }

  async *window(
    realmId: string,
    definition: EntityDefinition,
    window: Window,
    o: ReadOptions,
  ): AsyncGenerator<ReadPage> {
    for (let page = { window, startPosition: 1 }; ;) {
      const observedAt = this.now().toISOString();
      const statement = statementOfWindow(definition, page.window, page.startPosition);
      const { rows } = valueOf(await asked(() => this.qbo.query(realmId, statement, o)));
      yield { readings: await this.completed(realmId, readingsOf(definition.type, rows), o), observedAt };
      const times = rows.map((row) => ({ lastUpdatedTime: String(row.MetaData?.LastUpdatedTime) }));
      const next = nextWindowPage(page.window, page.startPosition, times);
      if (next.kind === 'end') return;
      page = next;
    }
  }

  private completed(realmId: string, readings: Reading[], o: ReadOptions): Promise<Reading[]> {
    return this.beside.complete(realmId, readings, {
      ledgerOf: async (day, columns) =>
        unlessRefused(await this.qbo.report(realmId, 'GeneralLedger', { start_date: day, end_date: day, columns }, o)),
      taxRates: async () => {
        const statement = statementOfAll(definitionOf('TaxRate'), 1);
        return unlessRefused(await asked(() => this.qbo.query(realmId, statement, o)))?.rows;
      },
      taxCodes: async () => {
        const statement = statementOfAll(definitionOf('TaxCode'), 1);
        return unlessRefused(await asked(() => this.qbo.query(realmId, statement, o)))?.rows;
      },
    });
  }

  /** Which of these ids exist. */
  async existing(
    realmId: string,
    definition: EntityDefinition,
    ids: readonly string[],
    o: ReadOptions,
  ): Promise<Set<string>> {
    const found = new Set<string>();
    for (let at = 0; at < ids.length; at += idsAtOnce) {
      const statement = statementOfIds(definition, ids.slice(at, at + idsAtOnce));
      for (const row of valueOf(await asked(() => this.qbo.query(realmId, statement, o))).rows)
        found.add(String(row.Id));
    }
    return found;
  }

  async count(realmId: string, definition: EntityDefinition, o: ReadOptions): Promise<number> {
    const { totalCount } = valueOf(await asked(() => this.qbo.query(realmId, statementOfCount(definition), o)));
    return totalCount ?? 0;
  }
}

/**
 * A read whose answer was lost is asked again at once: a look is some twenty reads, and with one answer in seven lost hardly
 * any look would end. The governor paces these like any others.
 */
async function asked<T>(ask: () => Promise<QboAnswer<T>>): Promise<QboAnswer<T>> {
  for (let left = asksAgain; ; left--) {
    const answer = await ask();
    if (answer.kind !== 'uncertain' || left === 0) return answer;
  }
}

function readingsOf(type: string, objects: readonly Json[]): Reading[] {
  return objects.flatMap((object) => readingOf(type, object) ?? []);
}

/** A fact beside a record is not worth the record: where QBO declines to show it, the record goes without. */
function unlessRefused<T>(answer: QboAnswer<T>): T | undefined {
  return answer.kind === 'refused' ? undefined : valueOf(answer);
}

function valueOf<T>(answer: QboAnswer<T>): T {
  switch (answer.kind) {
    case 'ok':
      return answer.value;
    case 'refused':
      throw new SourceUnread(
        'refused',
        faultText(answer.faults),
        answer.faults.map(({ code }) => code),
      );
    case 'unauthorized':
      throw new SourceUnread(answer.reconnect ? 'held' : 'later', answer.reason);
    default:
      throw new SourceUnread('later', `${answer.kind}: ${answer.reason}`);
  }
}
