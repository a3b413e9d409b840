// How the people of the emulator's world act on a company: the few verbs they need, whoever carries them out.
import { type EntityType, entityType, entityTypes } from '../catalogue/catalogue.js';
import type { Engine, Written } from '../engine/engine.js';
import { upsertExchangeRate } from '../engine/exchange-rates.js';
import { inFieldOrder } from '../engine/shape.js';
import { createTaxCode } from '../engine/tax-service.js';
import { createTemplate } from '../engine/templates.js';
import { objectTime, offsetMinutesAt } from '../company/time.js';
import type { CompanyView, Rec } from '../types.js';

export interface File {
  name: string;
  contentType: string;
  content: Buffer;
  note?: string;
}

export interface Actor {
  readonly company: CompanyView;
  create(type: string, body: Rec): Rec;
  /** `body` holds Id and what changes; the current SyncToken is added. Sparse unless the type knows only full updates. */
  update(type: string, body: Rec): Rec;
  remove(type: string, id: string): void;
  void(type: string, id: string): void;
  merge(type: string, winnerId: string, loserId: string): void;
  attach(file: File, target?: { type: string; id: string }): Rec;
  /** Puts what only the product itself can make (a budget, a customer type). */
  put(type: string, fields: Rec): Rec;
  /**
   * What follows is written as if on that day (a history being made up); undefined returns to the clock. The first call
   * makes what the company was founded with as old as the history.
   */
  backdate?(date: string | undefined): void;
}

export interface ActorPorts {
  /** Every finished write, for webhooks, journal and log. */
  written?: (written: Written) => void;
  /** Keeps the bytes of a file; its Attachable has been created with name, type and size. */
  keepFile?: (attachable: Rec, content: Buffer) => void;
}

/** A person at the product: the engine's own write path with a person's rights. */
export function actorOn(engine: Engine, ports: ActorPorts = {}): Actor {
  const { company } = engine;
  const person = { person: true };
  const token = (type: string, id: string): string => String(engine.existing(type, id)['SyncToken']);
  // What a refused write traced before it threw must not reach the log with the next one that succeeds.
  const write = (act: () => Written): Rec => {
    const traced = company.changes.length;
    const begun = company.now();
    let written: Written;
    try {
      written = act();
    } catch (error) {
      company.changes.length = Math.min(company.changes.length, traced);
      throw error;
    }
    if (history.day !== undefined) age(company.changes.slice(traced), begun);
    ports.written?.(written);
    return written.rec;
  };
  const history: { day?: string; writes: number; started: boolean } = { writes: 0, started: false };
  // Times of day run on from nine in the morning, twenty seconds a write, and stay within the day and behind the clock.
  const moment = (): number => {
    const morning =
      Date.parse(`${history.day}T09:00:00Z`) - offsetMinutesAt(company.country(), company.clock.now()) * 60_000;
    return Math.min(company.clock.now(), morning + Math.min(history.writes++ * 20_000, 10 * 3_600_000));
  };
  // Only times of this very write are moved; it may have begun in one second of the clock and ended in the next.
  const makeOld = (type: string, rec: Rec | undefined, isNew: (time: unknown) => boolean, atMs: number): void => {
    const meta = rec?.['MetaData'] as Rec | undefined;
    if (!rec || !meta || !isNew(meta['LastUpdatedTime'])) return;
    const then = objectTime(atMs, offsetMinutesAt(company.country(), atMs));
    const created: unknown = isNew(meta['CreateTime']) ? then : meta['CreateTime'];
    rec['MetaData'] = { ...meta, CreateTime: created, LastUpdatedTime: then };
    company.setTouched(type, rec, atMs);
    // The log keeps of a touched record its stamp only, and may hold it already with its younger time of creation.
    if (created !== meta['CreateTime']) company.touchSilently(type, rec);
  };
  const age = (changes: typeof company.changes, begun: string): void => {
    const ended = company.now();
    const atMs = moment();
    for (const change of changes) {
      if (change.kind !== 'put' && change.kind !== 'derived') continue;
      makeOld(change.type, company.get(change.type, change.id), (time) => time === begun || time === ended, atMs);
    }
  };
  return {
    company,
    backdate: (date) => {
      if (date !== history.day) history.writes = 0;
      history.day = date;
      if (date === undefined || history.started) return;
      history.started = true;
      const atMs = moment();
      for (const { entity } of entityTypes) {
        for (const rec of company.all(entity)) makeOld(entity, rec, () => true, atMs);
      }
    },
    create: (type, body) => write(() => createBy(engine, type, body)),
    update: (type, body) =>
      write(() => {
        const before = engine.existing(type, body['Id']);
        const base = entityType(type).fullUpdateOnly === true ? writable(type, before) : { sparse: true };
        return engine.update(type, { ...base, ...body, SyncToken: before['SyncToken'] }, person);
      }),
    remove: (type, id) => void write(() => engine.remove(type, { Id: id, SyncToken: token(type, id) }, person)),
    void: (type, id) => void write(() => engine.voidTxn(type, { Id: id, SyncToken: token(type, id) }, person)),
    merge: (type, winnerId, loserId) => void write(() => engine.merge(type as 'Customer', loserId, winnerId)),
    attach: (file, target) =>
      write(() => {
        const AttachableRef = target && [{ EntityRef: { type: target.type, value: target.id }, IncludeOnSend: false }];
        const written = engine.create(
          'Attachable',
          { FileName: file.name, ContentType: file.contentType, Note: file.note, AttachableRef },
          person,
        );
        written.rec['Size'] = file.content.length;
        ports.keepFile?.(written.rec, file.content);
        return written;
      }),
    put: (type, fields) =>
      write(() => {
        const definition: EntityType = entityType(type);
        const time = company.now();
        const id = company.nextId(definition.idSequence);
        const noise = {
          domain: 'QBO',
          sparse: false,
          Id: id,
          SyncToken: '0',
          MetaData: { CreateTime: time, LastUpdatedTime: time },
        };
        const rec = inFieldOrder({ ...fields, ...noise }, definition);
        company.applyEffects(engine.adopt(type, rec));
        return { type, id, rec, act: 'create', happenings: [{ type, id, act: 'create' }] };
      }),
  };
}

/** Three types are made by doors of their own; everything else by the engine's one create. */
function createBy(engine: Engine, type: string, body: Rec): Written {
  const { company } = engine;
  if (type === 'RecurringTransaction') return createTemplate(engine, body);
  if (type === 'ExchangeRate') {
    const rec = upsertExchangeRate(company, body);
    return { type, id: String(rec['Id'] ?? rec['SourceCurrencyCode']), rec, act: 'update', happenings: [] };
  }
  if (type === 'TaxCode') {
    const { body: made, happenings } = createTaxCode(engine, body);
    const rec = engine.existing('TaxCode', String(made['TaxCodeId']));
    return { type, id: rec['Id'] as string, rec, act: 'create', happenings };
  }
  return engine.create(type, body, { person: true });
}

function writable(type: string, rec: Rec): Rec {
  const { fields } = entityType(type);
  return Object.fromEntries(
    Object.entries(rec).filter(
      ([name]) => fields.get(name)?.readOnly !== true && name !== 'sparse' && name !== 'domain',
    ),
  );
}
