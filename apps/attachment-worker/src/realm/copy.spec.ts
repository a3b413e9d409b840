import type { StoredAttachment } from '#storage';
import type { NotOk } from './answers.js';
import { certainlyNotMade, requestIdOf } from './copy.js';

const stored = (link: Partial<StoredAttachment['link']> = {}): StoredAttachment =>
  ({
    syncId: 's',
    attachableId: '9',
    link: { desired: { version: 'v1', deleted: false, references: [] }, uploadOpen: false, discarded: 0, ...link },
  }) as StoredAttachment;

describe('whether a copy was certainly not made', () => {
  const answers: [NotOk['kind'], NotOk][] = [
    ['refused', { kind: 'refused', faults: [], status: 400, tid: 't' }],
    ['throttled', { kind: 'throttled', reason: 'r', status: 429, tid: 't' }],
    ['unsent', { kind: 'unsent', reason: 'r' }],
    ['unauthorized', { kind: 'unauthorized', reason: 'r', reconnect: false }],
    ['uncertain', { kind: 'uncertain', reason: 'r' }],
  ];
  it.each(answers)('%s: forgotten on a first try, unless the answer was lost', (kind, answer) => {
    expect(certainlyNotMade(answer, stored())).toEqual(kind === 'uncertain' ? {} : { requestId: null });
  });
  it.each(answers)('%s: kept when an earlier try is in doubt, unless QBO itself said no', (kind, answer) => {
    const expected = kind === 'refused' ? { requestId: null } : {};
    expect(certainlyNotMade(answer, stored({ uploadOpen: true }))).toEqual(expected);
  });
});

describe('the request id of an upload', () => {
  const newer = stored({ desired: { version: 'v2', deleted: false, references: [] } });

  it('is the same for every version of the metadata: the bytes are one question', () => {
    expect(requestIdOf(newer, 'upload')).toBe(requestIdOf(stored(), 'upload'));
  });

  it('is another one after a copy was thrown away, and for every other operation', () => {
    const ids = [
      requestIdOf(stored(), 'upload'),
      requestIdOf(stored({ discarded: 1 }), 'upload'),
      requestIdOf(stored(), 'update', '1'),
      requestIdOf(newer, 'update', '1'),
      requestIdOf(stored(), 'delete', '1'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
