// The audit chain on a real PostgreSQL: every way to tamper is found, with the first entry that does not fit.
import { randomUUID } from 'node:crypto';
import { freshDatabase } from '../fresh-database.fixture.js';
import type { FreshDatabase } from '../fresh-database.fixture.js';
import { AuditLog } from './audit-log.js';
import type { AuditEntry, ChainVerdict } from './audit-log.js';

describe('the audit chain', () => {
  let fresh: FreshDatabase;
  let log: AuditLog;
  beforeAll(async () => {
    fresh = await freshDatabase({ databasePool: 10 });
    log = new AuditLog(fresh.db);
  });
  afterAll(() => fresh.drop());

  const entry = (n: number): AuditEntry => ({
    eventId: `event ${n}`,
    at: new Date(1_800_000_000_123 + n),
    actor: 'admin',
    action: 'sync.paused',
    subject: `sync ${n}`,
    details: { z: 1.25, a: { y: [1, { c: 'ü', b: null }], x: true }, n },
  });
  async function chain(entries: number): Promise<string> {
    const organizationId = randomUUID();
    await log.append(
      organizationId,
      Array.from({ length: entries }, (_, n) => entry(n + 1)),
    );
    return organizationId;
  }

  it('is intact when nobody touched it, and tells its head', async () => {
    const organizationId = await chain(25);
    const verdict = await log.verify(organizationId);
    expect(verdict).toMatchObject({ kind: 'intact', entries: 25, head: { sequence: '25' } });
    expect(await log.verify(randomUUID())).toEqual({ kind: 'intact', entries: 0, head: undefined });
  });

  it('takes an event once, also when twenty writers append at the same time', async () => {
    const organizationId = randomUUID();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => log.append(organizationId, [entry(n % 10), entry((n + 1) % 10)])),
    );
    expect(await log.verify(organizationId)).toMatchObject({ kind: 'intact', entries: 10 });
  });

  it.each<[string, string, Partial<Extract<ChainVerdict, { kind: 'broken' }>>]>([
    [
      'an edit',
      `update audit_log set actor = 'nobody' where organization_id = $1 and sequence = 4`,
      { firstBadSequence: '4' },
    ],
    [
      'an edit deep in the details',
      `update audit_log set details = jsonb_set(details, '{a,x}', 'false') where organization_id = $1 and sequence = 2`,
      { firstBadSequence: '2' },
    ],
    ['a deletion', `delete from audit_log where organization_id = $1 and sequence = 5`, { firstBadSequence: '5' }],
    [
      'a deleted start',
      `delete from audit_log where organization_id = $1 and sequence <= 3`,
      { firstBadSequence: '1' },
    ],
    [
      'two entries exchanged',
      `update audit_log set sequence = case sequence when 3 then 1003 else 3 end where organization_id = $1 and sequence in (3, 6);
       `,
      { firstBadSequence: '3' },
    ],
    [
      'a moved time',
      `update audit_log set at = at + interval '1 millisecond' where organization_id = $1 and sequence = 8`,
      { firstBadSequence: '8' },
    ],
  ])('shows %s at the first entry that does not fit', async (_title, sql, expected) => {
    const organizationId = await chain(8);
    await fresh.db.query(sql, [organizationId]);
    expect(await log.verify(organizationId)).toMatchObject({ kind: 'broken', ...expected });
  });

  it('shows a cut tail and a chain written anew to whoever noted its head', async () => {
    const organizationId = await chain(8);
    const verdict = await log.verify(organizationId);
    const anchor = (verdict as Extract<ChainVerdict, { kind: 'intact' }>).head!;
    expect(await log.verify(organizationId, anchor)).toEqual(verdict);
    await fresh.db.query('delete from audit_log where organization_id = $1 and sequence > 6', [organizationId]);
    expect(await log.verify(organizationId)).toMatchObject({ kind: 'intact', entries: 6 });
    expect(await log.verify(organizationId, anchor)).toMatchObject({ kind: 'broken', firstBadSequence: '7' });
    await log.append(organizationId, [entry(97), entry(98), entry(99)]);
    expect(await log.verify(organizationId, anchor)).toMatchObject({ kind: 'broken', firstBadSequence: '8' });
  });
});
