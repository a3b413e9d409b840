// Work is picked type by type, each in its order: who looks for names does not walk through a hundred thousand transactions
// that are ready too. The index replaces the one that `pick` used before, which began with the rank. Takes a lock on links
// while it is built.
// Those who wait are looked at a page at a time (waits.ts), in the order of their keys.
//
// Who settles asks who waits for it, each time; an index that puts news aside for later has to read through all of it then.
//
// Functions, because a planner that has not counted since a backfill began believes in a handful of rows, and then reads
// and sorts all of them for the first twenty: in here it may not.
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Ids of QuickBooks are one sequence for each company: its bulk work goes in the order of entry, as text of one length. */
export const entry = `(case when lane = 'bulk' then lpad(source_id, 20, '0') collate "C" end)`;

/** Also the way back of a later one (migration rollbacks). */
export const pickLinks = `
      create or replace function pick_links(realm text, its_state text, lanes text[], types text[], at_most int,
        not_sync uuid[], not_type text[], not_id text[]) returns setof links
      language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
      declare
        active uuid[] := array(select s.id from syncs s where s.target_realm_id = realm and s.state = 'active');
      begin
        -- all that waits for a paused sync would be read through, at each wake
        if active = '{}' then return; end if;
        return query
          select l.* from unnest(types) as its_type cross join unnest(lanes) as its_lane cross join lateral (
            select * from links
            where target_realm_id = realm and state = its_state and lane = its_lane and entity_type = its_type
              and sync_id = any(active)
              and (sync_id, entity_type, source_id) not in (select * from unnest(not_sync, not_type, not_id))
            order by rank, ${entry}, due_at limit at_most) l
          order by lane desc, rank, ${entry}, due_at limit at_most;
      end $$`;

export class PickByType1763700000061 implements MigrationInterface {
  name = 'PickByType1763700000061';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create index links_pick_by_type on links (target_realm_id, state, lane, entity_type, rank, ${entry}, due_at)`,
    );
    await runner.query('drop index links_pick_in_order');
    await runner.query(pickLinks);
    await runner.query(
      `create index links_waits on links (target_realm_id, sync_id, entity_type, source_id) where state in ('waiting', 'held')`,
    );
    await runner.query(
      `create index links_waiters on links using gin (waiting_on) with (fastupdate = off) where state in ('waiting', 'held')`,
    );
    await runner.query('drop index links_waiting_or_held');
    await runner.query(`
      create function waits_after(realm text, its_sync uuid, its_type text, its_id text, at_most int) returns setof links
      language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
      begin
        return query
          select * from links where target_realm_id = realm and (sync_id, entity_type, source_id) > (its_sync, its_type, its_id)
            and state in ('waiting', 'held') and (state = 'waiting' or failure_code like 'PARENT.%')
          order by sync_id, entity_type, source_id limit at_most;
      end $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function waits_after(text, uuid, text, text, int)');
    await runner.query(
      `create index links_waiting_or_held on links using gin (waiting_on) where state in ('waiting', 'held')`,
    );
    await runner.query('drop index links_waiters');
    await runner.query('drop index links_waits');
    await runner.query('drop function pick_links(text, text, text[], text[], int, uuid[], text[], text[])');
    await runner.query(
      `create index links_pick_in_order on links (target_realm_id, state, lane desc, rank, ${entry}, due_at)`,
    );
    await runner.query('drop index links_pick_by_type');
  }
}
