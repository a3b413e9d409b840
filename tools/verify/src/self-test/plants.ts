// Mistakes as a wrong system would leave them, planted into what really runs: QuickBooks over its own API, the tables by SQL, the
// topics by a producer. Each says what the checker must name. Each has a record of its own, since they add up.
import { randomUUID } from 'node:crypto';
import type { Raw } from '#testing';
import type { Scene } from './scene.js';

export interface Plant {
  what: string;
  invariant: string;
  /** the apps run on: what shows only while they work */
  alive?: true;
  /** @returns what the violation says */
  plant(scene: Scene): Promise<string>;
}

export const plants: readonly Plant[] = [
  {
    what: 'the tables forgot what was written of a record, so that a replay writes it again',
    invariant: 'I-12',
    alive: true,
    async plant(scene) {
      const { sourceId } = await scene.carried('Customer', 5);
      await scene.sql(
        `update links set desired_version = '2000', applied_version = '2000', desired_hash = 'forgotten', applied_hash = 'forgotten',
           applied_payload = jsonb_build_object('DisplayName', 'another name')
         where sync_id = $1 and entity_type = 'Customer' and source_id = $2`,
        [scene.syncId, sourceId],
      );
      return `into company ${scene.target}`;
    },
  },
  {
    what: 'a copy is gone from the mirror',
    invariant: 'I-01',
    async plant(scene) {
      const { sourceId, targetId } = await scene.carried('Invoice', 0);
      const { SyncToken } = await scene.copy('Invoice', targetId);
      await scene.there.write('Invoice', { Id: targetId, SyncToken }, 'delete');
      return `Invoice ${sourceId}: is lost: Invoice ${targetId} is not in the target`;
    },
  },
  {
    what: 'a source record has no link any more',
    invariant: 'I-01',
    async plant(scene) {
      const { sourceId } = await scene.carried('Customer', 4);
      await scene.sql(`delete from links where sync_id = $1 and entity_type = 'Customer' and source_id = $2`, [
        scene.syncId,
        sourceId,
      ]);
      return `Customer ${sourceId} is unknown: no link, no reason`;
    },
  },
  {
    what: 'an amount of a copy is another',
    invariant: 'I-04',
    async plant(scene) {
      const { sourceId, targetId } = await scene.carried('Invoice', 1);
      const { Id, SyncToken, Line } = await scene.copy('Invoice', targetId);
      const lines = (Line as Raw[])
        .filter((line) => line.DetailType === 'SalesItemLineDetail')
        .map((line) => ({
          ...line,
          Amount: Number(line.Amount) + 1,
          SalesItemLineDetail: { ...line.SalesItemLineDetail, UnitPrice: Number(line.Amount) + 1 },
        }));
      await scene.there.write('Invoice', { Id, SyncToken, sparse: true, Line: lines });
      return `Invoice ${sourceId} posts`;
    },
  },
  {
    what: 'a record was made twice, the second time with everything written down',
    invariant: 'I-02',
    async plant(scene) {
      const { sourceId } = await scene.carried('Customer', 3);
      const requestId = randomUUID();
      await scene.own.write('Customer', { DisplayName: 'Customer 3 again' }, undefined, requestId);
      // As a writer with a random request id would have left it.
      const call = randomUUID();
      await scene.sql(
        `insert into calls (id, target_realm_id, request_id, kind, fence, state, sends, http_status, claimed_at, answered_at)
         values ($1, $2, $3, 'single', 1, 'answered', 1, 200, now(), now())`,
        [call, scene.target, requestId],
      );
      await scene.sql(
        `insert into attempts (call_id, position, sync_id, entity_type, source_id, operation, request_id, version, desired_hash,
           generation, body, outcome)
         select $1, 0, sync_id, entity_type, source_id, 'create', $2, version, desired_hash, generation, body, 'created'
         from attempts where sync_id = $3 and entity_type = 'Customer' and source_id = $4 limit 1`,
        [call, requestId, scene.syncId, sourceId],
      );
      return `Customer ${sourceId} of the source is 2 records of the target`;
    },
  },
  {
    what: 'a record was made that nothing written down explains',
    invariant: 'I-02',
    async plant(scene) {
      const { Id } = await scene.own.write('Customer', { DisplayName: 'Nobody asked' }, undefined, randomUUID());
      return `Customer ${Id} of the target was made by us`;
    },
  },
  {
    what: 'a link belongs to the neighbour',
    invariant: 'I-05',
    async plant(scene) {
      const { sourceId } = await scene.carried('Invoice', 3);
      await scene.sql(
        `update links set organization_id = $3 where sync_id = $1 and entity_type = 'Invoice' and source_id = $2`,
        [scene.syncId, sourceId, scene.neighbour.organizationId],
      );
      return `link ${scene.syncId}/Invoice/${sourceId} belongs to another organization`;
    },
  },
  {
    what: 'more requests in a second than QuickBooks allows',
    invariant: 'I-06',
    async plant(scene) {
      await scene.emulator.limits({ all: false });
      await Promise.all(Array.from({ length: 15 }, () => scene.own.query('select * from Customer maxresults 1')));
      return scene.target;
    },
  },
  {
    what: 'the stored token of a company is one that QuickBooks no longer takes',
    invariant: 'I-07',
    async plant(scene) {
      const { source } = scene.neighbour;
      await scene.emulator.revokeGrant(scene.clientId, source);
      await scene.emulator.grant(scene.clientId, source);
      return `company ${source}: its grant is lost`;
    },
  },
  {
    what: "a neighbour's record is held for a connection that is there",
    invariant: 'I-08',
    async plant(scene) {
      const [row] = await scene.sql(
        `update links set state = 'held', failure_code = 'TARGET.RECONNECT_NEEDED', failure_reason = 'planted'
         where sync_id = $1 and entity_type = 'Customer' returning source_id`,
        [scene.neighbour.syncId],
      );
      return `Customer ${row.source_id} is held for a connection that its own organization has not lost`;
    },
  },
  {
    what: 'the log lacks the entry of a write',
    invariant: 'I-09',
    async plant(scene) {
      const { targetId } = await scene.carried('Invoice', 4);
      await scene.sql(
        `delete from sync_log where stage = 'settled' and sync_id = $1 and entity_type = 'Invoice' and target_id = $2`,
        [scene.syncId, targetId],
      );
      return `create of Invoice ${targetId}`;
    },
  },
  {
    what: 'an entry was taken out of the audit log',
    invariant: 'I-09',
    async plant(scene) {
      const { organizationId } = scene.neighbour;
      await scene.sql(`delete from audit_log where organization_id = $1 and sequence = 2`, [organizationId]);
      return `the audit chain of organization ${organizationId} lacks entry 2`;
    },
  },
  {
    what: 'a record was created again and nobody asked for it',
    invariant: 'I-13',
    async plant(scene) {
      const { sourceId } = await scene.carried('Invoice', 5);
      await scene.sql(
        `update links set generation = 1 where sync_id = $1 and entity_type = 'Invoice' and source_id = $2`,
        [scene.syncId, sourceId],
      );
      return `Invoice ${sourceId} was created again 1 times, the audit log says 0`;
    },
  },
  // Nobody reads the topics any more: from here on nothing is at rest, and what asks for that is not judged.
  {
    what: 'an older version was announced after a newer one',
    invariant: 'I-03',
    async plant(scene) {
      const { sourceId } = await scene.carried('Invoice', 2);
      await scene.tellAgain(
        'sync.results.v1',
        ({ entityType, sourceId: id, syncId }) =>
          syncId === scene.syncId && entityType === 'Invoice' && id === sourceId,
        (value) => ({ ...value, version: `2000${String(value.version).slice(4)}` }),
      );
      return `Invoice ${sourceId}: created of version 2000`;
    },
  },
  {
    what: 'a write of ours was captured as a change',
    invariant: 'I-11',
    async plant(scene) {
      const { sourceId, targetId } = await scene.carried('Customer', 2);
      await scene.tellAgain(
        'qbo.changes.v1',
        ({ realmId, entityType, id }) => realmId === scene.source && entityType === 'Customer' && id === sourceId,
        (value) => ({ ...value, realmId: scene.target, id: targetId }),
      );
      return "was captured as a change, and its company is nobody's source";
    },
  },
  {
    what: 'a consumer stands still: a record stays unread',
    invariant: 'I-10',
    async plant(scene) {
      await scene.tellAgain(
        'sync.writes.v1',
        ({ entityType }) => entityType === 'Invoice',
        (value) => value as Raw,
      );
      return 'sync-qbo-writer is';
    },
  },
];
