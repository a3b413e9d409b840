import * as fc from 'fast-check';
import { batchIdFor, batchItemId, requestIdFor, type RequestIdentity } from './request-id.js';

const identity: RequestIdentity = {
  syncId: '6a0f5d3e-4f61-4c1b-9d0c-0c8f3c1f2a10',
  entityType: 'Invoice',
  sourceId: '130',
  version: '2026-05-01T17:00:00.000Z_0000000000_2026-05-01T17:00:03.000Z',
  operation: 'create',
  generation: 0,
};

describe('request ids', () => {
  it('are the same for the same question', () => {
    expect(requestIdFor({ ...identity })).toBe(requestIdFor(identity));
  });

  it.each(
    Object.entries({
      ...identity,
      entityType: 'Bill',
      sourceId: '131',
      operation: 'void',
      generation: 1,
      basis: '4',
    } as const),
  )('differ when %s differs', (field, value) => {
    const other = { ...identity, [field]: field === 'syncId' || field === 'version' ? `${String(value)}x` : value };
    expect(requestIdFor(other as RequestIdentity)).not.toBe(requestIdFor(identity));
  });

  it('fit QBO: 36 characters at most, also for a batch, and 10 for an item', () => {
    fc.assert(fc.property(fc.array(fc.string(), { maxLength: 30 }), (members) => batchIdFor(members).length <= 36));
    expect(requestIdFor(identity)).toMatch(/^[0-9a-f]{32}$/);
    expect(batchItemId(29).length).toBeLessThanOrEqual(10);
  });

  it('of a batch depend on the order of its members and on where one ends', () => {
    expect(batchIdFor(['a', 'b'])).not.toBe(batchIdFor(['b', 'a']));
    expect(batchIdFor(['ab', 'c'])).not.toBe(batchIdFor(['a', 'bc']));
  });
});
