// How the people of the emulator's world act on a company: the few verbs they need, whoever carries them out.
import { type EntityType, entityType } from '../catalogue/catalogue.js';
import type { Engine, Written } from '../engine/engine.js';
import { inFieldOrder } from '../engine/shape.js';
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
}

export interface ActorPorts {
  /** Every finished write, for webhooks, journal and log. */
  written?: (written: Written) => void;
  /** Keeps the bytes of a file; the Attachable has been created with its name, type and size. */
  keepFile?: (attachable: Rec, content: Buffer) => void;
}

/** A person at the product: the engine's own write path with a person's rights. */
export function actorOn(engine: Engine, ports: ActorPorts = {}): Actor {
  const { company } = engine;
  const person = { person: true };
  const note = (written: Written): Rec => {
    ports.written?.(written);
    return written.rec;
  };
  const token = (type: string, id: string): string => String(engine.existing(type, id)['SyncToken']);
  return {
    company,
    create: (type, body) => note(engine.create(type, body, person)),
    update: (type, body) => {
      const full = entityType(type).fullUpdateOnly === true;
      return note(
        engine.update(
          type,
          {
            ...(full ? writable(type, engine.existing(type, body['Id'])) : { sparse: true }),
            ...body,
            SyncToken: token(type, body['Id']),
          },
          person,
        ),
      );
    },
    remove: (type, id) => void note(engine.remove(type, { Id: id, SyncToken: token(type, id) }, person)),
    void: (type, id) => void note(engine.voidTxn(type, { Id: id, SyncToken: token(type, id) }, person)),
    merge: (type, winnerId, loserId) => void note(engine.merge(type as 'Customer', loserId, winnerId)),
    attach: (file, target) => {
      const rec = note(
        engine.create(
          'Attachable',
          {
            FileName: file.name,
            ContentType: file.contentType,
            Note: file.note,
            AttachableRef: target
              ? [{ EntityRef: { type: target.type, value: target.id }, IncludeOnSend: false }]
              : undefined,
          },
          person,
        ),
      );
      if (rec['Size'] === undefined) rec['Size'] = file.content.length;
      ports.keepFile?.(rec, file.content);
      return rec;
    },
    put: (type, fields) => {
      const definition: EntityType = entityType(type);
      const time = company.now();
      const noise = {
        domain: 'QBO',
        sparse: false,
        Id: company.nextId(definition.idSequence),
        SyncToken: '0',
        MetaData: { CreateTime: time, LastUpdatedTime: time },
      };
      const rec = inFieldOrder({ ...fields, ...noise }, definition);
      company.applyEffects(engine.adopt(type, rec));
      ports.written?.({
        type,
        id: rec['Id'] as string,
        rec,
        act: 'create',
        happenings: [{ type, id: rec['Id'] as string, act: 'create' }],
      });
      return rec;
    },
  };
}

function writable(type: string, rec: Rec): Rec {
  const { fields } = entityType(type);
  return Object.fromEntries(
    Object.entries(rec).filter(
      ([name]) => fields.get(name)?.readOnly !== true && name !== 'sparse' && name !== 'domain',
    ),
  );
}
