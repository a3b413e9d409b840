// CloudEvents headers: what is written can be read, and ids follow from the facts alone.
import * as fc from 'fast-check';
import { changeEventId, decodeHeaders, encodeHeaders, eventIdOf } from './index.js';

const attributes = {
  id: 'e1',
  type: 'qbo.entity.changed',
  source: '/sync/ingest',
  subject: '1/Invoice/2',
  time: new Date('2026-11-20T09:15:02.004Z'),
};

describe('CloudEvents headers', () => {
  it('come back as they were written, also as bytes', () => {
    fc.assert(
      fc.property(
        fc.record({
          id: fc.string({ minLength: 1, unit: 'grapheme' }),
          type: fc.string({ minLength: 1 }),
          source: fc.string({ minLength: 1 }),
          subject: fc.string(),
          time: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') }),
        }),
        fc.boolean(),
        (event, traced) => {
          const written = { ...event, ...(traced ? { traceparent: '00-1-2-01' } : {}) };
          const bytes = Object.fromEntries(
            Object.entries(encodeHeaders(written)).map(([name, value]) => [name, Buffer.from(value)]),
          );
          expect(decodeHeaders(bytes)).toEqual(written);
        },
      ),
    );
  });

  it.each([
    ['ce_id', { ce_id: '' }],
    ['ce_type', { ce_type: undefined }],
    ['ce_time', { ce_time: 'yesterday' }],
    ['ce_specversion', { ce_specversion: '0.3' }],
  ])('name %s when it is missing or malformed', (name, change) => {
    expect(decodeHeaders({ ...encodeHeaders(attributes), ...change })).toEqual({ invalid: [name] });
  });

  it('are all missed in a record without headers', () => {
    expect(decodeHeaders(undefined)).toEqual({
      invalid: ['ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'ce_time'],
    });
  });

  it('take the first value of a repeated header', () => {
    const decoded = decodeHeaders({
      ...encodeHeaders(attributes),
      ce_id: [Buffer.from('first'), Buffer.from('second')],
    });
    expect(decoded).toMatchObject({ id: 'first' });
  });
});

describe('event ids', () => {
  it('are equal for equal parts and differ when the parts are cut elsewhere', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (a, b) => {
        expect(eventIdOf(...a) === eventIdOf(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    expect(eventIdOf('ab', 'c')).not.toBe(eventIdOf('a', 'bc'));
  });

  it('of a change depend on entity, version and lane only', () => {
    const change = { realmId: '1', entityType: 'Invoice', id: '2', version: 'v', lane: 'live' as const };
    expect(changeEventId(change)).toBe(changeEventId({ ...change }));
    expect(changeEventId(change)).not.toBe(changeEventId({ ...change, lane: 'bulk' }));
    expect(changeEventId(change)).not.toBe(changeEventId({ ...change, version: 'w' }));
  });
});
