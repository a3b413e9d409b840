// The accounting API: routes an authorised, admitted call to the engine and gives its answer as JSON or XML. No sockets,
// no quotas, no tokens here, so the whole API can be driven in-process.
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { entityNamed, entityType, type EntityType } from '../catalogue/catalogue.js';
import { changeData } from '../engine/cdc.js';
import type { Written } from '../engine/engine.js';
import { pdfOf } from '../engine/pdf.js';
import {
  invalidId,
  noResource,
  notFound,
  REFUSALS,
  refusal,
  requiredMissing,
  unsupported,
  unsupportedProperty,
} from '../engine/refusals.js';
import { render, type Channel } from '../engine/render.js';
import { gate } from '../engine/rules.js';
import { inFieldOrder } from '../engine/shape.js';
import { readExchangeRate, upsertExchangeRate } from '../engine/exchange-rates.js';
import { createTaxCode } from '../engine/tax-service.js';
import { updateSingleton } from '../engine/singletons.js';
import { createTemplate, removeTemplate } from '../engine/templates.js';
import type { Emulator } from '../emulator.js';
import type { Seat } from '../seat.js';
import { pairUploads, parseMultipart, type Part } from '../multipart/index.js';
import { runQuery } from '../query/index.js';
import { report } from '../reports/index.js';
import { QboFault, type Rec } from '../types.js';
import { fromXml, toXml } from '../xml/index.js';
import { asFault, faultAnswer, faultRec, JSON_TYPE, XML_TYPE, type Answer } from './answer.js';
import {
  header,
  includeWords,
  parseJson,
  purposeOf,
  readBody,
  writeOperation,
  type Call,
  type Purpose,
} from './call.js';

const MAX_REQUEST_ID = 50;
const MAX_BATCH_REQUEST_ID = 36;
const DOWNLOAD_LIFE_MS = 15 * 60_000;

export interface CallOutcome {
  readonly answer: Answer;
  /** CorePlus reads the call turned out to be. */
  readonly entity?: string;
}

export interface CallOptions {
  /** Fault rule `partial-batch`: so many items are carried out. */
  readonly batchItems?: number;
  /** Fault rule `stale`: every write of this call finds its token outdated. */
  readonly stale?: boolean;
  /** Fault rule `drop-link`: forgets the first LinkedTxn of the body and answers 200. */
  readonly changeBody?: (body: Rec) => Rec;
}

export class Accounting {
  constructor(private readonly emulator: Emulator) {}

  /** Answers a call; refusals become fault answers. Every change is on disk before this returns. */
  answer(seat: Seat, call: Call, clientId: string | undefined, options: CallOptions = {}): Answer {
    const { company } = seat;
    const time = company.envelopeNow();
    const purpose = purposeOf(call);
    const requestId = call.query.get('requestid') ?? undefined;
    let answer: Answer;
    let replayKey: string | undefined;
    try {
      this.mustBeAvailable(seat, purpose);
      if (purpose.operation !== 'batch') refuseAsOrdered(seat, purpose.entity, purpose.operation);
      if (requestId !== undefined) this.checkRequestId(requestId, purpose.operation === 'batch');
      if (requestId !== undefined && purpose.write && purpose.operation !== 'batch') {
        replayKey = requestId;
        const replayed = this.emulator.recall(seat, requestId);
        if (replayed && this.emulator.requestIdPolicy.duplicates === 'refuse') {
          replayKey = undefined;
          throw refusal('600', `Duplicate request id : ${requestId} was used before`, 'requestid');
        }
        if (replayed) return replayed;
      }
      answer = this.route(seat, call, clientId, time, options);
    } catch (error) {
      // A refusal never leaves half a change; what the engine traced before it threw is not worth keeping.
      seat.company.abandonChanges();
      if (!(error instanceof QboFault)) this.emulator.onUnexpected(error);
      answer = faultAnswer(asFault(error), call.wantsJson, time, this.emulator.clock.now());
    }
    const remembered = replayKey === undefined ? undefined : this.emulator.remember(seat, replayKey, answer);
    if (purpose.write) this.emulator.keep(seat, remembered);
    return answer;
  }

  private mustBeAvailable(seat: Seat, purpose: Purpose): void {
    const { availability } = seat.company.switches;
    if (availability === 'locked') throw refusal('140', 'Company is locked out : try again later');
    if (availability === 'maintenance') throw refusal('150', 'Company is under maintenance : try again later');
    if (availability === 'reset' && purpose.write)
      throw refusal('10200', 'Company was reset : what is being written may be out of date');
  }

  private checkRequestId(requestId: string, batch: boolean): void {
    const most = batch ? MAX_BATCH_REQUEST_ID : MAX_REQUEST_ID;
    if (requestId.length === 0 || requestId.length > most || !/^[\x21-\x7e]+$/.test(requestId)) {
      throw refusal(
        '2130',
        `Invalid Request Id : at most ${most} characters, supplied length:${requestId.length}`,
        'requestid',
      );
    }
  }

  private route(seat: Seat, call: Call, clientId: string | undefined, time: string, options: CallOptions): Answer {
    const [first = '', second, third] = call.segments;
    switch (first) {
      case 'query':
        return this.query(seat, call, time);
      case 'cdc': {
        seat.counts.cdcCalls += 1;
        seat.counts.reads += 1;
        const { CDCResponse } = this.changes(
          seat,
          call.query.get('entities') ?? undefined,
          call.query.get('changedSince') ?? undefined,
        );
        return this.give(call, { CDCResponse: [CDCResponse], time }, time);
      }
      case 'batch':
        return this.batch(seat, call, clientId, time, options);
      case 'upload':
        return this.upload(seat, call, clientId, time);
      case 'download':
        return this.download(seat, second ?? '');
      case 'reports': {
        seat.counts.reads += 1;
        const params = Object.fromEntries(call.query);
        return this.give(call, report(second ?? '', params, seat.company, seat.company.ledger), time);
      }
      case 'taxservice':
        if (second !== 'taxcode' || call.method !== 'POST') throw unsupported('on taxservice');
        return this.taxService(seat, call, clientId, time);
      case 'exchangerate':
        return this.exchangeRate(seat, call, time);
    }
    const type = this.typeAt(first);
    if (call.method === 'POST' && second === undefined) return this.write(seat, type, call, clientId, time, options);
    if (call.method === 'POST' && third === 'send') return this.send(seat, type, second ?? '', call, time);
    if (call.method !== 'GET' && call.method !== 'HEAD') throw unsupported(`${call.method} on ${type.entity}`);
    const beyond = third === 'pdf' ? call.segments[3] : third;
    if (beyond !== undefined) throw noResource(`/v3/company/${call.realmId}/${call.segments.join('/')}`);
    if (third === 'pdf') return this.pdf(seat, type, second ?? '');
    return this.read(seat, type, second, call, time);
  }

  private typeAt(segment: string): EntityType {
    const type = entityNamed(segment);
    // The address is case sensitive; names inside queries are not.
    if (!type || type.endpoint !== segment) {
      throw new QboFault(
        '2000',
        'Invalid Object Name',
        `Invalid Object Name : ${segment.slice(0, 60)}`,
        undefined,
        404,
      );
    }
    return type;
  }

  // --- reading ----------------------------------------------------------------------------------------------------
  private read(seat: Seat, type: EntityType, id: string | undefined, call: Call, time: string): Answer {
    seat.counts.reads += 1;
    if (!type.operations.has('read')) throw unsupported(`read on ${type.entity}`);
    if (type.entity === 'Preferences' || type.entity === 'CompanyInfo') {
      return this.give(
        call,
        { [type.jsonName]: render(seat.company, type.entity, seat.engine.existing(type.entity, '1'), 'read'), time },
        time,
      );
    }
    if (id === undefined) throw requiredMissing('Id');
    if (!/^-?\d{1,25}$/.test(id)) throw invalidId(id);
    const rec = this.shown(seat, type.entity, seat.engine.existing(type.entity, id), 'read');
    const linked =
      type.entity === 'Invoice' && showsInvoiceLink(seat, call) ? { ...rec, InvoiceLink: invoiceLink(seat, id) } : rec;
    return this.give(call, { [type.jsonName]: linked, time }, time);
  }

  private shown(seat: Seat, entity: string, rec: Rec, channel: Channel): Rec {
    const view = render(seat.company, entity, rec, channel);
    if (entity !== 'Attachable' || !view['FileName'] || !seat.files.has(view['Id'])) return view;
    const TempDownloadUri = this.temporaryAddress(seat, view['Id']);
    return inFieldOrder({ ...view, TempDownloadUri }, entityType(entity));
  }

  private query(seat: Seat, call: Call, time: string): Answer {
    seat.counts.reads += 1;
    const statement = call.query.get('query') ?? (call.method === 'POST' ? call.body.toString('utf8') : '');
    return this.give(call, { QueryResponse: this.rows(seat, statement), time }, time);
  }

  private rows(seat: Seat, statement: string): Rec {
    const found = runQuery(statement, seat.company);
    if (found.count !== undefined) return { totalCount: found.count };
    const rows = found.rows ?? [];
    if (rows.length === 0) return {};
    const shown = rows.map((rec) =>
      found.partial ? { ...rec, domain: 'QBO', sparse: true } : this.shown(seat, found.entity, rec, 'query'),
    );
    return {
      [entityType(found.entity).jsonName]: shown,
      startPosition: found.startPosition,
      maxResults: found.maxResults,
      ...(found.totalCount !== undefined && { totalCount: found.totalCount }),
    };
  }

  private changes(seat: Seat, entities: string | undefined, changedSince: string | undefined): Rec {
    const most = Math.min(this.emulator.limits.sizeOf('objectsPerResponse'), 1000);
    return changeData(seat.company, entities, changedSince, most);
  }

  private pdf(seat: Seat, type: EntityType, id: string): Answer {
    seat.counts.reads += 1;
    if (!type.operations.has('pdf')) throw unsupported(`pdf on ${type.entity}`);
    const rec = render(seat.company, type.entity, seat.engine.existing(type.entity, id), 'read');
    return { status: 200, contentType: 'application/pdf', body: pdfOf(seat.company, type.entity, rec) };
  }

  private download(seat: Seat, id: string): Answer {
    seat.counts.reads += 1;
    const rec = seat.engine.existing('Attachable', id);
    if (!rec['FileName'] || !seat.files.has(id)) throw notFound('Attachable');
    return { status: 200, contentType: 'text/plain;charset=UTF-8', body: this.temporaryAddress(seat, id) };
  }

  private temporaryAddress(seat: Seat, attachableId: string): string {
    const opaque = randomUUID();
    const { downloads, clock } = this.emulator;
    const now = clock.now();
    for (const [key, old] of downloads) {
      if (old.diesAtMs > now) break;
      downloads.delete(key);
    }
    downloads.set(opaque, { realmId: seat.company.realmId, attachableId, diesAtMs: now + DOWNLOAD_LIFE_MS });
    return `${this.emulator.options.baseUrl()}/files/${opaque}`;
  }

  // --- writing ----------------------------------------------------------------------------------------------------
  private write(
    seat: Seat,
    type: EntityType,
    call: Call,
    clientId: string | undefined,
    time: string,
    options: CallOptions,
  ): Answer {
    seat.counts.writes += 1;
    let body = readBody(call, type);
    if (options.changeBody) body = options.changeBody(body);
    const operation = call.query.get('operation')?.toLowerCase();
    const act =
      operation === 'delete' || includeWords(call).has('void') || operation === 'void'
        ? writeOperation(call)
        : operation === 'update' || (hasId(body) && operation !== 'create')
          ? 'update'
          : 'create';
    const requestId = call.query.get('requestid') ?? undefined;
    const written = this.perform(seat, type, act, body, includeWords(call), clientId, requestId, options);
    return this.give(call, { ...this.writtenBody(seat, written), time }, time);
  }

  private perform(
    seat: Seat,
    type: EntityType,
    act: string,
    body: Rec,
    include: ReadonlySet<string>,
    clientId: string | undefined,
    requestId: string | undefined,
    options: CallOptions = {},
  ): Written {
    const { engine } = seat;
    refuseDeprecated(seat, type, body);
    this.checkSize(type, body);
    if (options.stale && act !== 'create') body = { ...body, SyncToken: '-1' };
    let written: Written;
    if (type.entity === 'Preferences' || type.entity === 'CompanyInfo') written = updateSingleton(engine, type, body);
    else if (type.entity === 'RecurringTransaction') {
      written =
        act === 'delete'
          ? removeTemplate(engine, body)
          : act === 'create'
            ? createTemplate(engine, body)
            : refuseUpdate(type);
    } else if (act === 'delete') written = engine.remove(type.entity, body, { include });
    else if (act === 'void') written = engine.voidTxn(type.entity, body, { include });
    else if (act === 'update') written = engine.update(type.entity, body, { include });
    else written = engine.create(type.entity, body, { include });
    if (written.act === 'create') this.emulator.noteCreated(seat, written.type, written.id, clientId, requestId);
    this.noteEffect(seat, written, requestId);
    this.emulator.announce(seat, written.happenings);
    return written;
  }

  private noteEffect(seat: Seat, { type, id, act, rec }: Written, requestid: string | undefined): void {
    const token = rec['SyncToken'] as string | undefined;
    seat.effects.push({
      ...{ type, id, act },
      ...(token !== undefined && { token }),
      ...(requestid !== undefined && { requestid }),
    });
  }

  private checkSize(type: EntityType, body: Rec): void {
    const lines: unknown = body['Line'];
    if (!Array.isArray(lines)) return;
    const { limits } = this.emulator;
    const most = limits.sizeOf('linesPerTransaction');
    if (lines.length > most)
      throw refusal('6000', `A transaction has at most ${most} lines, found ${lines.length}`, 'Line');
    const taxable = limits.sizeOf('taxableLines');
    if (lines.length <= taxable || !SALES_FORMS.has(type.entity)) return;
    const taxed = (lines as (Rec | null)[]).some((line) => {
      const code: unknown = line?.['SalesItemLineDetail']?.TaxCodeRef?.value;
      return code !== undefined && code !== 'NON';
    });
    if (taxed || body['TxnTaxDetail']?.TxnTaxCodeRef)
      throw refusal('6000', `A taxable sales form has at most ${taxable} lines, found ${lines.length}`, 'Line');
  }

  private writtenBody(seat: Seat, written: Written): Rec {
    const { jsonName } = entityType(written.type);
    if (written.act === 'delete') return { [jsonName]: { domain: 'QBO', status: 'Deleted', Id: written.id } };
    return {
      [jsonName]: this.shown(seat, written.type, written.rec, written.act === 'create' ? 'created' : 'written'),
    };
  }

  private send(seat: Seat, type: EntityType, id: string, call: Call, time: string): Answer {
    seat.counts.writes += 1;
    if (!this.emulator.limits.admitEmail(seat.company.realmId)) {
      throw new QboFault(
        '3001',
        'message=ThrottleExceeded; errorCode=003001; statusCode=429',
        'The e-mail limit of the day was reached.',
        undefined,
        429,
        'SERVICE',
      );
    }
    const written = seat.engine.send(type.entity, id, call.query.get('sendTo') ?? undefined);
    this.emulator.announce(seat, written.happenings);
    const rec = { ...render(seat.company, type.entity, written.rec, 'written') };
    // The answer to a send lacks what is derived (qbo-api.md 2.9).
    delete rec['FreeFormAddress'];
    return this.give(call, { [type.jsonName]: rec, time }, time);
  }

  private taxService(seat: Seat, call: Call, clientId: string | undefined, time: string): Answer {
    seat.counts.writes += 1;
    const { body, happenings } = createTaxCode(seat.engine, readBody(call, entityType('TaxService')));
    const requestid = call.query.get('requestid') ?? undefined;
    this.emulator.noteCreated(seat, 'TaxService', body['TaxCodeId'], clientId, requestid);
    seat.effects.push({
      ...{ type: 'TaxCode', id: String(body['TaxCodeId']), act: 'create' },
      ...(requestid !== undefined && { requestid }),
    });
    this.emulator.announce(seat, happenings);
    // The bare object: no wrapper and no time.
    return call.wantsJson ? this.give(call, body, time) : this.give(call, { TaxService: body, time }, time);
  }

  private exchangeRate(seat: Seat, call: Call, time: string): Answer {
    gate(seat.company, entityType('ExchangeRate'));
    if (call.method === 'POST') {
      seat.counts.writes += 1;
      const rec = upsertExchangeRate(seat.company, readBody(call, entityType('ExchangeRate')));
      return this.give(call, { ExchangeRate: rec, time }, time);
    }
    seat.counts.reads += 1;
    const rec = readExchangeRate(
      seat.company,
      call.query.get('sourcecurrencycode') ?? undefined,
      call.query.get('asofdate') ?? undefined,
    );
    return this.give(call, { ExchangeRate: rec, time }, time);
  }

  // --- batch ------------------------------------------------------------------------------------------------------
  private batch(seat: Seat, call: Call, clientId: string | undefined, time: string, options: CallOptions): Answer {
    const body = readBody(call, undefined);
    for (const key of Object.keys(body)) if (key !== 'BatchItemRequest') throw unsupportedProperty(key);
    const items = Array.isArray(body['BatchItemRequest'])
      ? (body['BatchItemRequest'] as unknown[])
      : [body['BatchItemRequest']];
    if (
      body['BatchItemRequest'] === undefined ||
      items.some((i) => typeof i !== 'object' || i === null || Array.isArray(i))
    ) {
      throw requiredMissing('BatchItemRequest');
    }
    const most = this.emulator.limits.sizeOf('batchItems');
    if (items.length > most)
      throw refusal('1040', `Batch size exceeded : maximum number of batch items is ${most}, found ${items.length}`);
    const requestId = call.query.get('requestid') ?? undefined;
    seat.counts.batchItems += items.length;
    const answers = new Array<Rec>(items.length);
    const carriedOut = options.batchItems ?? (options.batchItems === undefined ? items.length : 0);
    // Queries first: no item may see what another one of the same batch did.
    const order = items.map((_, i) => i).sort((a, b) => Number(isQuery(items[b])) - Number(isQuery(items[a])) || a - b);
    for (const i of order) {
      const item = items[i] as Rec;
      answers[i] =
        i < carriedOut
          ? this.batchItem(seat, item, requestId, clientId, options)
          : { bId: item['bId'], Fault: itemFault(undefined) };
    }
    if (this.emulator.batchPolicy.shuffleAnswers) shuffle(answers);
    return this.give(call, { BatchItemResponse: answers, time }, time);
  }

  private batchItem(
    seat: Seat,
    item: Rec,
    requestId: string | undefined,
    clientId: string | undefined,
    options: CallOptions,
  ): Rec {
    const bId = item['bId'] === undefined ? undefined : String(item['bId']);
    const key = requestId === undefined || bId === undefined ? undefined : `${requestId}|${bId}`;
    const replayed = key === undefined ? undefined : this.emulator.recall(seat, key);
    if (replayed && this.emulator.requestIdPolicy.duplicates !== 'refuse') return JSON.parse(replayed.body) as Rec;
    try {
      if (replayed) throw refusal('600', `Duplicate request id : ${key} was used before`, 'requestid');
      if (item['Query'] !== undefined) {
        seat.counts.reads += 1;
        refuseAsOrdered(seat, undefined, 'query');
        return { bId, QueryResponse: this.rows(seat, String(item['Query'])) };
      }
      if (item['CDCQuery'] !== undefined) {
        seat.counts.cdcCalls += 1;
        seat.counts.reads += 1;
        const { Entities, ChangedSince } = (item['CDCQuery'] ?? {}) as Rec;
        return { ...this.changes(seat, textOf(Entities), textOf(ChangedSince)), bId };
      }
      if (item['ReportQuery'] !== undefined) {
        seat.counts.reads += 1;
        const asked = new URL(String(item['ReportQuery']), 'http://emulator/');
        const params = Object.fromEntries(asked.searchParams);
        const name = asked.pathname.replace(/^\/(?:reports\/)?/, '');
        return { Report: report(name, params, seat.company, seat.company.ledger), bId };
      }
      seat.counts.writes += 1;
      const name = Object.keys(item).find((k) => k !== 'bId' && k !== 'operation' && k !== 'optionsData');
      if (name === undefined) throw requiredMissing('operation');
      const type = entityNamed(name);
      if (!type) throw refusal('2000', `Invalid Object Name : ${name.slice(0, 60)}`);
      const operation = String(item['operation'] ?? '').toLowerCase();
      if (operation === '') throw requiredMissing('operation');
      const act = operation === 'update' && item['optionsData'] === 'void' ? 'void' : operation;
      if (!['create', 'update', 'delete', 'void'].includes(act)) throw unsupported(operation);
      refuseAsOrdered(seat, type.entity, act);
      const given: unknown = item[name];
      if (typeof given !== 'object' || given === null || Array.isArray(given)) throw unsupportedProperty(name);
      const include = new Set(
        String(item['optionsData'] ?? '')
          .toLowerCase()
          .split(',')
          .filter((w) => w !== ''),
      );
      const written = this.perform(seat, type, act, given as Rec, include, clientId, key, options);
      const answer: Rec = { ...this.writtenBody(seat, written), bId };
      const kept =
        key === undefined
          ? undefined
          : this.emulator.remember(seat, key, { status: 200, contentType: JSON_TYPE, body: JSON.stringify(answer) });
      this.emulator.keep(seat, kept);
      return answer;
    } catch (error) {
      seat.company.abandonChanges();
      if (!(error instanceof QboFault)) this.emulator.onUnexpected(error);
      return { Fault: itemFault(error), bId };
    }
  }

  // --- attachments ------------------------------------------------------------------------------------------------
  private upload(seat: Seat, call: Call, clientId: string | undefined, time: string): Answer {
    seat.counts.writes += 1;
    const most = this.emulator.limits.sizeOf('uploadBytes');
    if (call.body.length > most) throw refusal('6030', `Upload too large : at most ${most} bytes per request`);
    const contentType = header(call.headers, 'content-type');
    if (!/multipart/i.test(contentType)) throw refusal('1050', 'Invalid content type : expected multipart/form-data');
    if (call.body.length === 0) throw refusal('6020', 'Content length missing : the upload has no content');
    const uploads = pairUploads(parseMultipart(contentType, call.body));
    if (uploads.length === 0) throw refusal('6020', 'Content length missing : no part of the upload could be read');
    const answers = uploads.map((one): Rec => {
      try {
        return {
          Attachable: this.attach(seat, one.metadata, one.content, clientId, call.query.get('requestid') ?? undefined),
        };
      } catch (error) {
        if (!(error instanceof QboFault)) this.emulator.onUnexpected(error);
        return { Fault: itemFault(error) };
      }
    });
    return this.give(call, { AttachableResponse: answers, time }, time);
  }

  private attach(
    seat: Seat,
    metadata: Part | undefined,
    content: Part | undefined,
    clientId: string | undefined,
    requestid: string | undefined,
  ): Rec {
    const given = metadata ? readMetadata(metadata) : {};
    const fileName = content?.filename ?? given['FileName'];
    if (content) {
      if (!ATTACHABLE_TYPES.has(extensionOf(String(fileName ?? '')))) {
        throw refusal('6041', `Invalid attachment file type : ${String(fileName ?? '').slice(0, 60)}`, 'FileName');
      }
      given['FileName'] ??= fileName;
      given['ContentType'] ??= content.contentType ?? 'application/octet-stream';
    }
    const written = seat.engine.create('Attachable', given);
    const rec = written.rec;
    if (content) this.emulator.keepFile(seat, rec, content.content);
    this.emulator.noteCreated(seat, 'Attachable', written.id, clientId, requestid);
    this.noteEffect(seat, written, requestid);
    return this.shown(seat, 'Attachable', rec, 'created');
  }

  // --- answers ----------------------------------------------------------------------------------------------------
  private give(call: Call, body: Rec, time: string): Answer {
    if (call.wantsJson) return { status: 200, contentType: JSON_TYPE, body: JSON.stringify(body) };
    return { status: 200, contentType: XML_TYPE, body: toXml(withoutDumps(body), time) };
  }
}

/** Switch `refuseWith`: codes whose trigger nobody documents can be had on order. */
function refuseAsOrdered(seat: Seat, entity: string | undefined, operation: string): void {
  const what = entity === undefined ? operation : `${entity} ${operation}`;
  const code = seat.company.switches.refuseWith?.[what];
  if (code !== undefined) throw refusal(code, `${REFUSALS[code]!.message} : ${what}`);
}

function refuseDeprecated(seat: Seat, type: EntityType, body: Rec): void {
  for (const name of seat.company.switches.deprecatedFields ?? []) {
    const [entity, field = ''] = name.split('.');
    if (entity === type.entity && body[field] !== undefined)
      throw refusal('5000', `Deprecated Field : ${field} of ${entity} is no longer supported`, field);
  }
}

/** The order of a batch's answers is not promised; a client that relies on it should find out here. */
function shuffle(answers: Rec[]): void {
  for (let i = answers.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [answers[i], answers[j]] = [answers[j]!, answers[i]!];
  }
}

/** Shown when asked for, and always where the company takes online payments (qbo-api.md 2.9). */
function showsInvoiceLink(seat: Seat, call: Call): boolean {
  return (
    includeWords(call).has('invoicelink') ||
    seat.company.preferences()['SalesFormsPrefs']?.ETransactionPaymentEnabled === true
  );
}

function invoiceLink(seat: Seat, id: string): string {
  const key = createHash('sha256').update(`${seat.company.realmId}:${id}`).digest('hex').slice(0, 40);
  return `https://connect.intuit.com/portal/app/CommerceNetwork/view/scs-v1-${key}?locale=en_US`;
}

/** The dump of an extension block is the JSON library's; in XML its elements stand as they are (recorded: Payment LineEx). */
function withoutDumps(body: Rec): Rec {
  const text = JSON.stringify(body, (key, value: unknown) =>
    key === 'LineEx' || key === 'PurchaseEx'
      ? { NameValue: ((value as Rec)['any'] as Rec[]).map((one) => one['value'] as Rec) }
      : value,
  );
  return JSON.parse(text) as Rec;
}

const SALES_FORMS = new Set(['Invoice', 'SalesReceipt', 'Estimate', 'CreditMemo', 'RefundReceipt']);

const ATTACHABLE_TYPES = new Set(
  'ai csv doc docx eps gif jpeg jpg ods pdf png rtf tif tiff txt xls xlsx xml'.split(' '),
);

function extensionOf(fileName: string): string {
  return /\.([A-Za-z0-9]+)$/.exec(fileName)?.[1]?.toLowerCase() ?? '';
}

function readMetadata(part: Part): Rec {
  const text = part.content.toString('utf8');
  try {
    return /^\s*</.test(text) ? fromXml(text).body : parseJson(text);
  } catch (error) {
    if (error instanceof QboFault)
      throw refusal('6040', 'Invalid attachable metadata : the metadata part is not an Attachable');
    throw error;
  }
}

function hasId(body: Rec): boolean {
  const id = body['Id'] as unknown;
  return id !== undefined && id !== null && id !== '';
}

/** A fault among other answers: its errors always have an element, empty where none is meant (recorded). */
function itemFault(error: unknown): Rec {
  const fault = faultRec(asFault(error));
  return { ...fault, Error: (fault['Error'] as Rec[]).map((one) => ({ ...one, element: one['element'] ?? '' })) };
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

const READING_ITEMS = ['Query', 'CDCQuery', 'ReportQuery'];

function isQuery(item: unknown): boolean {
  return typeof item === 'object' && item !== null && READING_ITEMS.some((name) => name in item);
}

function refuseUpdate(type: EntityType): never {
  throw unsupported(`update on ${type.entity}`);
}
