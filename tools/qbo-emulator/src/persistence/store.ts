// Companies on disk: one append-only log per company, one line per answered write, and a snapshot that replaces a long
// log. A line is in the operating system before the client has its answer, so kill -9 loses nothing that was answered;
// a half-written last line (the machine's own death) is cut off on the next start.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { entityTypes } from '../catalogue/catalogue.js';
import { touchedAt, type Company, type CompanyProfile } from '../company/company.js';
import type { CompanySwitches } from '../company/behaviour.js';
import { linksOf } from '../engine/links.js';
import type { RememberedAnswer, Seat } from '../seat.js';
import type { SystemTransaction } from '../ledger/index.js';
import type { Rec } from '../types.js';
import type { Outbox, Owed } from '../webhooks/index.js';

interface LogLine {
  /** [type, touchedMs, record] */
  put?: [string, number, Rec][];
  /** [type, id, diedMs] */
  bury?: [string, string, number][];
  system?: SystemTransaction[];
  answer?: { key: string; answer: RememberedAnswer };
  profile?: CompanyProfile;
  /** [type, id, SyncToken, LastUpdatedTime, touchedMs]: derived amounts moved, the ledger will say how far. */
  derived?: [string, string, string, string, number][];
  numbers?: Record<string, number>;
  state?: { closingPassword: boolean; sequences: Record<string, string>; switches?: Partial<CompanySwitches> };
  graves?: [string, number, Rec][];
  file?: [string, string];
}

interface OutboxLine {
  owed?: Owed;
  /** [clientId, url, event ids] */
  settled?: [string, string, readonly string[]];
}

/** Apps, tokens and time: small, rewritten whole whenever one of them changes. */
export interface AccessState {
  readonly oauth: object;
  readonly virtualNowMs: number;
  readonly aheadMs: number;
}

const OUTBOX = 'webhooks.jsonl';
const LOG = 'log.jsonl';
const ACCESS = 'access.json';

export class FileStore implements Outbox {
  private outbox: number | undefined;
  private readonly open = new Map<string, number>();
  private readonly lines = new Map<string, number>();

  constructor(private readonly dir: string) {
    mkdirSync(dir, { recursive: true });
  }

  append(seat: Seat, remembered?: { key: string; answer: RememberedAnswer }): void {
    const { company } = seat;
    if (company.changes.length === 0 && !company.stateMoved && !remembered) return;
    const line = lineOf(company);
    if (remembered) line.answer = remembered;
    this.write(seat, line);
  }

  saveFile(seat: Seat, attachableId: string, content: Buffer): void {
    this.write(seat, { file: [attachableId, content.toString('base64')] });
  }

  private write(seat: Seat, line: LogLine): void {
    writeSync(this.handle(seat.company), `${JSON.stringify(line)}\n`);
    this.lines.set(seat.company.realmId, (this.lines.get(seat.company.realmId) ?? 0) + 1);
  }

  private handle(company: Company): number {
    const known = this.open.get(company.realmId);
    if (known !== undefined) return known;
    const folder = join(this.dir, company.realmId);
    mkdirSync(folder, { recursive: true });
    const fresh = !existsSync(join(folder, LOG));
    const handle = openSync(join(folder, LOG), 'a');
    if (fresh) writeSync(handle, `${JSON.stringify({ profile: company.profile } satisfies LogLine)}\n`);
    this.open.set(company.realmId, handle);
    return handle;
  }

  saveAccess(snapshot: AccessState): void {
    const path = join(this.dir, ACCESS);
    writeFileSync(`${path}.partial`, JSON.stringify(snapshot));
    renameSync(`${path}.partial`, path);
  }

  loadAccess(): AccessState | undefined {
    const path = join(this.dir, ACCESS);
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as AccessState) : undefined;
  }

  owe(owed: Owed): void {
    this.writeOutbox({ owed });
  }

  settle(clientId: string, url: string, eventIds: readonly string[]): void {
    this.writeOutbox({ settled: [clientId, url, eventIds] });
  }

  private writeOutbox(line: OutboxLine): void {
    this.outbox ??= openSync(join(this.dir, OUTBOX), 'a');
    writeSync(this.outbox, `${JSON.stringify(line)}\n`);
  }

  /** Events nobody acknowledged, in the order they came; what is settled leaves the file. */
  loadOutbox(): Owed[] {
    const path = join(this.dir, OUTBOX);
    if (!existsSync(path)) return [];
    const open = new Map<string, Owed>();
    eachLine(path, (line: OutboxLine) => {
      if (line.owed) open.set(owedKey(line.owed.clientId, line.owed.url, line.owed.event.id), line.owed);
      if (!line.settled) return;
      const [clientId, url, ids] = line.settled;
      for (const id of ids) open.delete(owedKey(clientId, url, id));
    });
    const owed = [...open.values()];
    writeFileSync(
      `${path}.partial`,
      owed.map((one) => `${JSON.stringify({ owed: one } satisfies OutboxLine)}\n`).join(''),
    );
    renameSync(`${path}.partial`, path);
    return owed;
  }

  private closeOutbox(): void {
    if (this.outbox !== undefined) closeSync(this.outbox);
    this.outbox = undefined;
  }

  forget(realmId: string): void {
    const handle = this.open.get(realmId);
    if (handle !== undefined) closeSync(handle);
    this.open.delete(realmId);
    rmSync(join(this.dir, realmId), { recursive: true, force: true });
  }

  clear(): void {
    for (const handle of this.open.values()) closeSync(handle);
    this.open.clear();
    this.closeOutbox();
    for (const name of readdirSync(this.dir)) {
      if (/^\d+$/.test(name) || name === ACCESS || name === OUTBOX)
        rmSync(join(this.dir, name), { recursive: true, force: true });
    }
  }

  loadCompanies(open: (profile: CompanyProfile) => Seat, loaded: (seat: Seat, lines: number) => void): void {
    for (const realmId of readdirSync(this.dir)) {
      const path = join(this.dir, realmId, LOG);
      if (!/^\d+$/.test(realmId) || !existsSync(path)) continue;
      let seat: Seat | undefined;
      const system: SystemTransaction[] = [];
      const lines = eachLine(path, (line: LogLine) => {
        if (line.profile) seat = open(line.profile);
        if (seat) replay(seat, line, system);
      });
      if (seat) {
        rebuild(seat, system);
        seat.company.changes.length = 0;
        loaded(seat, lines);
        if (lines > COMPACT_AFTER_LINES) this.compact(seat);
        else this.lines.set(realmId, lines);
      }
    }
  }

  /** Writes the present state as one new log and puts it in place of the old one. */
  compact(seat: Seat): void {
    const { company } = seat;
    const handle = this.open.get(company.realmId);
    if (handle !== undefined) closeSync(handle);
    this.open.delete(company.realmId);
    const folder = join(this.dir, company.realmId);
    mkdirSync(folder, { recursive: true });
    const partial = join(folder, `${LOG}.partial`);
    const out = openSync(partial, 'w');
    const write = (line: LogLine): void => void writeSync(out, `${JSON.stringify(line)}\n`);
    write({
      profile: company.profile,
      state: stateOf(company),
      numbers: company.docNumberState(),
      system: company.ledger.systemTransactions(),
    });
    for (const type of entityTypes) {
      let chunk: [string, number, Rec][] = [];
      for (const rec of company.all(type.entity)) {
        chunk.push([type.entity, touchedAt(rec), rec]);
        if (chunk.length >= 200) {
          write({ put: chunk });
          chunk = [];
        }
      }
      if (chunk.length > 0) write({ put: chunk });
      const graves = [...company.gravesOf(type.entity).values()].map(
        (g) => [type.entity, g.atMs, g.rec] as [string, number, Rec],
      );
      if (graves.length > 0) write({ graves });
    }
    for (const [key, answer] of seat.requestIds) write({ answer: { key, answer } });
    for (const [id, content] of seat.files) write({ file: [id, content.toString('base64')] });
    closeSync(out);
    renameSync(partial, join(folder, LOG));
    this.lines.set(company.realmId, 0);
  }

  /** An orderly end leaves short logs, so that the next start is quick. */
  closeTidily(seats: Iterable<Seat>): void {
    for (const seat of seats) {
      if ((this.lines.get(seat.company.realmId) ?? 0) > TIDY_AFTER_LINES) this.compact(seat);
    }
    this.close();
  }

  close(): void {
    for (const handle of this.open.values()) closeSync(handle);
    this.open.clear();
    this.closeOutbox();
  }
}

const TIDY_AFTER_LINES = 1_000;
// A log much longer than what it describes slows every start; below this it does not matter.
const COMPACT_AFTER_LINES = 20_000;

function stateOf(company: Company): NonNullable<LogLine['state']> {
  return {
    closingPassword: company.closingPassword,
    sequences: company.sequenceState(),
    switches: company.switches,
  };
}

function lineOf(company: Company): LogLine {
  const line: LogLine = {};
  const seen = new Set<string>();
  for (const change of company.changes) {
    if (change.kind === 'system') (line.system ??= []).push(change.entry);
    else if (change.kind === 'bury') (line.bury ??= []).push([change.type, change.id, change.atMs]);
    else if (change.kind === 'put') {
      const key = `${change.type}|${change.id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const rec = company.get(change.type, change.id);
      if (rec) (line.put ??= []).push([change.type, touchedAt(rec), rec]);
    }
  }
  for (const change of company.changes) {
    if (change.kind !== 'derived') continue;
    const key = `${change.type}|${change.id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const rec = company.get(change.type, change.id);
    if (!rec) continue;
    const updated = rec['MetaData']?.LastUpdatedTime as string;
    (line.derived ??= []).push([change.type, change.id, rec['SyncToken'], updated, touchedAt(rec)]);
  }
  if (company.numbersMoved) line.numbers = company.docNumberState();
  company.numbersMoved = false;
  if (company.stateMoved || company.closingPassword || company.closingPasswordWas) line.state = stateOf(company);
  company.stateMoved = false;
  company.closingPasswordWas = company.closingPassword;
  return line;
}

function replay(seat: Seat, line: LogLine, system: SystemTransaction[]): void {
  const { company } = seat;
  for (const [type, atMs, rec] of line.put ?? []) company.load(type, rec, atMs);
  for (const [type, atMs, rec] of line.graves ?? []) {
    company.load(type, rec, atMs);
    company.bury(type, rec['Id'], atMs);
  }
  for (const [type, id, atMs] of line.bury ?? []) company.bury(type, id, atMs);
  for (const [type, id, token, updated, atMs] of line.derived ?? []) company.loadStamp(type, id, token, updated, atMs);
  if (line.numbers) company.resumeNumbers(line.numbers);
  if (line.system) system.push(...line.system);
  if (line.answer) seat.requestIds.set(line.answer.key, line.answer.answer);
  if (line.file) seat.files.set(line.file[0], Buffer.from(line.file[1], 'base64'));
  if (line.state) company.resumeState(line.state);
  company.changes.length = 0;
}

/**
 * Links and postings are functions of the records: they are made anew once everything is in its table. In order of
 * dates, because stock is costed first in, first out: any other order makes every item compute its past again and again
 * (measured on 200,000 transactions: 84 s by type, 7 s by date).
 */
function rebuild(seat: Seat, system: readonly SystemTransaction[]): void {
  const { company, engine } = seat;
  // Of several versions of one entry (a merge rewrites it) the last one stands.
  const latest = new Map(system.map((entry) => [`${entry.type}|${entry.id}`, entry]));
  for (const entry of latest.values()) company.ledger.postSystem(entry);
  const due: { date: string; order: number; type: string; rec: Rec }[] = [];
  for (const { entity } of entityTypes) {
    const posting = company.isPosting(entity);
    for (const rec of company.all(entity)) {
      const links = linksOf(entity, rec);
      if (links.length > 0) engine.links.replace(entity, rec['Id'], [], links);
      if (posting) due.push({ date: String(rec['TxnDate'] ?? ''), order: Number(rec['Id']), type: entity, rec });
    }
  }
  due.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : a.order - b.order));
  for (const { type, rec } of due) company.ledger.post(type, rec);
  company.settleDerived();
}

function owedKey(clientId: string, url: string, eventId: string): string {
  return `${clientId} ${url} ${eventId}`;
}

function eachLine<Line>(path: string, take: (line: Line) => void): number {
  const handle = openSync(path, 'r');
  const chunk = Buffer.alloc(1 << 20);
  let rest = Buffer.alloc(0);
  let lines = 0;
  let good = 0;
  try {
    for (;;) {
      const got = readSync(handle, chunk, 0, chunk.length, null);
      if (got === 0) break;
      let data = rest.length > 0 ? Buffer.concat([rest, chunk.subarray(0, got)]) : chunk.subarray(0, got);
      for (;;) {
        const end = data.indexOf(10);
        if (end < 0) break;
        take(JSON.parse(data.toString('utf8', 0, end)) as Line);
        lines += 1;
        good += end + 1;
        data = data.subarray(end + 1);
      }
      rest = Buffer.from(data);
    }
  } finally {
    closeSync(handle);
  }
  if (rest.length > 0) truncateSync(path, good);
  return lines;
}
