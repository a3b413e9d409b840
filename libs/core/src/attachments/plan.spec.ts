import type { Json } from '../model/json.js';
import type { AttachmentLink, DesiredAttachment } from './attachment.js';
import { planAttachment, type Anchor, type AttachmentFacts } from './plan.js';

const desired: DesiredAttachment = {
  version: 'v2',
  deleted: false,
  fileName: 'receipt.pdf',
  contentType: 'application/pdf',
  size: 1000,
  references: [{ entityType: 'Invoice', sourceId: '5', includeOnSend: false }],
};
const metadata = {
  AttachableRef: [{ EntityRef: { type: 'Invoice', value: 't5' }, IncludeOnSend: false }],
  FileName: 'receipt.pdf',
  ContentType: 'application/pdf',
};
const link = (more: Partial<AttachmentLink> = {}): AttachmentLink => ({
  attachableId: '9',
  state: { kind: 'ready' },
  desired,
  uploadOpen: false,
  discarded: 0,
  attempts: 0,
  ...more,
});
const carried: Partial<AttachmentLink> = {
  target: { id: '700', syncToken: '1', deleted: false },
  applied: { version: 'v1', metadata },
  sourceSha256: 'aa',
  targetSha256: 'aa',
};
const facts = (more: Partial<AttachmentFacts> = {}): AttachmentFacts => ({
  anchorOf: (_type, sourceId): Anchor => ({ kind: 'there', targetId: `t${sourceId}` }),
  ...more,
});
const twin: Json = {
  Id: '700',
  SyncToken: '0',
  FileName: 'receipt.pdf',
  Size: 1000,
  AttachableRef: metadata.AttachableRef,
};

describe('a file', () => {
  it('waits until the records it hangs on are there', () => {
    const plan = planAttachment(link(), facts({ anchorOf: () => ({ kind: 'pending' }) }));
    expect(plan).toEqual({ kind: 'wait', on: ['Invoice/5'] });
  });

  it('is uploaded with its references translated', () => {
    expect(planAttachment(link(), facts())).toEqual({ kind: 'upload', metadata, fileName: 'receipt.pdf' });
  });

  it('goes on pointing at a record that was removed after it was carried, as it does in the source', () => {
    const gone = facts({ anchorOf: () => ({ kind: 'gone' }) });
    expect(planAttachment(link(carried), gone)).toEqual({ kind: 'noop', why: 'equal' });
    const renamed = { ...desired, note: 'paid' };
    expect(planAttachment(link({ ...carried, desired: renamed }), gone)).toMatchObject({
      ...{ kind: 'update', metadata: { AttachableRef: [], Note: 'paid' } },
    });
    // One that a person took it off is no removed record.
    const off = { ...desired, references: [] };
    expect(planAttachment(link({ ...carried, desired: off }), gone)).toMatchObject({ kind: 'update' });
  });

  it('on nothing but removed records is not carried; on some of them it is, without those', () => {
    expect(planAttachment(link(), facts({ anchorOf: () => ({ kind: 'gone' }) }))).toEqual({
      kind: 'noop',
      why: 'anchors-gone',
    });
    const two = [...desired.references, { entityType: 'Bill', sourceId: '6', includeOnSend: true }];
    const anchorOf = (type: string): Anchor => (type === 'Bill' ? { kind: 'gone' } : { kind: 'there', targetId: 't5' });
    expect(planAttachment(link({ desired: { ...desired, references: two } }), facts({ anchorOf }))).toMatchObject({
      kind: 'upload',
      metadata,
    });
  });

  describe('whose upload was left without an answer', () => {
    const open = link({ uploadOpen: true });

    it('is looked for on a record that was removed since, and is carried when it is there', () => {
      const gone = (more: Partial<AttachmentFacts> = {}) =>
        facts({ anchorOf: () => ({ kind: 'gone', targetId: 't5' }), ...more });
      expect(planAttachment(open, gone())).toEqual({
        kind: 'find-twin',
        fileName: 'receipt.pdf',
        anchor: { type: 'Invoice', value: 't5' },
      });
      expect(planAttachment(open, gone({ twins: [twin] }))).toMatchObject({ kind: 'adopt', targetId: '700' });
      expect(planAttachment(open, gone({ twins: [] }))).toEqual({ kind: 'noop', why: 'anchors-gone' });
      // The one that is there still is where it was put, or will be.
      const two = [...desired.references, { entityType: 'Bill', sourceId: '6', includeOnSend: true }];
      const anchorOf = (type: string): Anchor => ({ kind: type === 'Bill' ? 'there' : 'gone', targetId: type });
      expect(
        planAttachment(link({ uploadOpen: true, desired: { ...desired, references: two } }), facts({ anchorOf })),
      ).toMatchObject({ kind: 'find-twin', anchor: { type: 'Bill', value: 'Bill' } });
    });

    it('is looked for before it is uploaded anew', () => {
      expect(planAttachment(open, facts())).toEqual({
        kind: 'find-twin',
        fileName: 'receipt.pdf',
        anchor: { type: 'Invoice', value: 't5' },
      });
    });

    it('is linked when it did happen', () => {
      expect(planAttachment(open, facts({ twins: [twin] }))).toMatchObject({ kind: 'adopt', targetId: '700' });
    });

    it.each([
      ['nothing is there', []],
      ['another size is there', [{ ...twin, Size: 999 }]],
      ['another name is there', [{ ...twin, FileName: 'other.pdf' }]],
    ])('is uploaded when %s', (_, twins) => {
      expect(planAttachment(open, facts({ twins })).kind).toBe('upload');
    });

    it('takes no copy that belongs to another attachment: the same file may hang on a record twice', () => {
      expect(planAttachment(open, facts({ twins: [twin], taken: new Set(['700']) })).kind).toBe('upload');
    });

    it('and was deleted meanwhile is found and removed', () => {
      const deleted = link({ uploadOpen: true, desired: { ...desired, deleted: true } });
      // On its own record: elsewhere a person's file may have its name and size.
      expect(planAttachment(deleted, facts())).toMatchObject({
        kind: 'find-twin',
        anchor: { type: 'Invoice', value: 't5' },
      });
      expect(planAttachment(deleted, facts({ twins: [twin] }))).toEqual({
        kind: 'delete',
        body: { Id: '700', SyncToken: '0' },
      });
    });
  });

  it('counts as carried only when both copies have one hash', () => {
    const uploaded = link({ ...carried, targetSha256: undefined });
    expect(planAttachment(uploaded, facts())).toEqual({ kind: 'verify', targetId: '700', hashSource: false });
    const adopted = link({ ...carried, sourceSha256: undefined, targetSha256: undefined });
    expect(planAttachment(adopted, facts())).toEqual({ kind: 'verify', targetId: '700', hashSource: true });
    expect(planAttachment(link(carried), facts())).toEqual({ kind: 'noop', why: 'equal' });
  });

  it('with other bytes is thrown away and carried again, three times, then a person is asked', () => {
    const wrong = link({ ...carried, targetSha256: 'bb' });
    expect(planAttachment(wrong, facts())).toEqual({ kind: 'discard', body: { Id: '700', SyncToken: '1' } });
    expect(planAttachment(link({ discarded: 5 }), facts()).kind).toBe('upload');
    expect(planAttachment({ ...wrong, attempts: 3 }, facts())).toMatchObject({ code: 'ATTACHMENT.HASH_MISMATCH' });
  });

  it('that moved to another record is updated in full, with the merged list', () => {
    const moved = {
      ...desired,
      note: 'paid',
      references: [{ entityType: 'Bill', sourceId: '6', includeOnSend: true }],
    };
    expect(planAttachment(link({ ...carried, desired: moved }), facts())).toMatchObject({
      kind: 'update',
      body: {
        Id: '700',
        SyncToken: '1',
        AttachableRef: [{ EntityRef: { type: 'Bill', value: 't6' }, IncludeOnSend: true }],
        FileName: 'receipt.pdf',
        Note: 'paid',
      },
    });
  });

  it('does not count letter case or a corrected content type as a change', () => {
    const shown = {
      ...metadata,
      ContentType: 'application/x-pdf',
      AttachableRef: [{ EntityRef: { type: 'invoice', value: 't5' }, IncludeOnSend: false }],
    };
    expect(planAttachment(link({ ...carried, applied: { version: 'v1', metadata: shown } }), facts()).kind).toBe(
      'noop',
    );
  });

  it('reads the token first when it is not known, and stops at what a person removed', () => {
    const unknown = { ...carried, target: { id: '700', deleted: false }, desired: { ...desired, note: 'x' } };
    expect(planAttachment(link(unknown), facts())).toEqual({ kind: 'read', targetId: '700' });
    expect(planAttachment(link(unknown), facts({ targetNow: null }))).toMatchObject({ code: 'DRIFT.TARGET_GONE' });
    expect(planAttachment(link(unknown), facts({ targetNow: { SyncToken: '4' } }))).toMatchObject({
      body: { SyncToken: '4' },
    });
  });

  it('that was deleted is deleted once', () => {
    const deleted = { ...desired, deleted: true };
    expect(planAttachment(link({ ...carried, desired: deleted }), facts())).toEqual({
      kind: 'delete',
      body: { Id: '700', SyncToken: '1' },
    });
    const gone = { ...carried, target: { id: '700', syncToken: '1', deleted: true }, desired: deleted };
    expect(planAttachment(link(gone), facts())).toMatchObject({ why: 'nothing-to-remove' });
    expect(planAttachment(link({ desired: deleted }), facts())).toMatchObject({ why: 'nothing-to-remove' });
  });
});

describe('a note without a file', () => {
  const note: DesiredAttachment = { version: 'v', deleted: false, note: 'call back', references: desired.references };

  it('is an ordinary create, and needs no hashes', () => {
    expect(planAttachment(link({ desired: note }), facts())).toMatchObject({
      kind: 'create-note',
      metadata: { Note: 'call back' },
    });
    const applied = { version: 'v', metadata: { AttachableRef: metadata.AttachableRef, Note: 'call back' } };
    expect(planAttachment(link({ desired: note, applied, target: carried.target }), facts())).toMatchObject({
      why: 'equal',
    });
  });

  it('that is empty is a question for a person', () => {
    expect(planAttachment(link({ desired: { ...note, note: undefined } }), facts())).toMatchObject({
      code: 'ATTACHMENT.EMPTY',
    });
  });
});
