// What a rollback must know and remember. Of each link: whether its record of the target was made by us or was there before
// (`origin`; null in rows from before this: not known, so a rollback asks a person), the hash of
// what the target's record said after our last write (`seen_hash`), and how its rollback ended. Of each sync:
// since when nothing of its source is taken in any more, since when its links are told to go back, and when all of them were.
// Validations are reports that somebody signs: they are added, never changed. Nullable columns, wider checks that are not
// validated against old rows (which hold nothing of it), a new table: locks of milliseconds. The partial indexes read the
// whole of `links` once under a lock that lets nobody write (a second or two for each million rows) and are empty outside of
// rollbacks.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { entry, pickLinks } from './0061-pick-by-type.js';

const ops = (list: string): string =>
  `alter table links add constraint links_op check (desired_op in (${list})) not valid`;
const kinds = (list: string): string => `alter table jobs add constraint jobs_kind check (kind in (${list})) not valid`;

export class Rollbacks1763700000070 implements MigrationInterface {
  name = 'Rollbacks1763700000070';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table links add column origin text');
    await runner.query('alter table links add column seen_hash text');
    await runner.query('alter table links add column rolled_back text');
    await runner.query('alter table links drop constraint links_op');
    await runner.query(ops(`'upsert', 'delete', 'void', 'fail', 'exclude', 'rollback'`));
    await runner.query('alter table jobs drop constraint jobs_kind');
    await runner.query(kinds(`'backfill', 'replay', 'rollback'`));
    await runner.query('alter table syncs add column rollback_began_at timestamptz');
    await runner.query('alter table syncs add column rollback_told_at timestamptz');
    await runner.query('alter table syncs add column rolled_back_at timestamptz');
    // Who still refers to a record: asked of each name that is about to be made inactive.
    await runner.query(
      `create index links_rollback_references on links using gin (desired_references jsonb_path_ops) with (fastupdate = off) where desired_op = 'rollback'`,
    );
    await runner.query(
      `create index links_rollback_turn on links (sync_id, state, rank) where desired_op = 'rollback'`,
    );
    // A sync that is taken back carries nothing any more but what takes it back, and of that what has its turn: the lowest rank
    // on its way, and nothing else until it is done or held.
    await runner.query(`
      create or replace function pick_links(realm text, its_state text, lanes text[], types text[], at_most int,
        not_sync uuid[], not_type text[], not_id text[]) returns setof links
      language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
      declare carrying uuid[]; turn_of uuid[]; turn smallint[];
      begin
        select coalesce(array_agg(s.id) filter (where s.rollback_began_at is null), '{}') into carrying
          from syncs s where s.target_realm_id = realm and s.state = 'active';
        select array_agg(t.id), array_agg(t.rank) into turn_of, turn from (
          select s.id, min(first.rank) as rank from syncs s
            cross join unnest('{ready,sending,backoff,uncertain,waiting}'::text[]) as on_its_way
            cross join lateral (select l.rank from links l where l.sync_id = s.id and l.state = on_its_way
              and l.desired_op = 'rollback' order by l.rank limit 1) first
          where s.target_realm_id = realm and s.state = 'active' and s.rollback_told_at is not null
          group by s.id) t;
        return query
          select l.* from (
            select f.* from unnest(types) as its_type cross join unnest(lanes) as its_lane cross join lateral (
              select * from links
              where target_realm_id = realm and state = its_state and lane = its_lane and entity_type = its_type
                and sync_id = any(carrying)
                and (sync_id, entity_type, source_id) not in (select * from unnest(not_sync, not_type, not_id))
              order by rank, ${entry}, due_at limit at_most) f
            -- all that waits for a paused sync would be read through, at each wake
            where cardinality(carrying) > 0
            union all
            select b.* from unnest(turn_of, turn) as t (id, its_rank) cross join lateral (
              select * from links
              where sync_id = t.id and state = its_state and rank = t.its_rank and desired_op = 'rollback'
                and lane = any(lanes) and entity_type = any(types)
                and (sync_id, entity_type, source_id) not in (select * from unnest(not_sync, not_type, not_id))
              limit at_most) b) l
          order by lane desc, rank, ${entry}, due_at limit at_most;
      end $$`);
    await runner.query(`create table validations (
      sync_id uuid not null references syncs (id) on delete cascade,
      number integer not null,
      organization_id uuid not null references organizations (id),
      at timestamptz not null,
      author text not null,
      reason text not null,
      verdict text not null,
      report jsonb not null,
      primary key (sync_id, number)
    )`);
    await runner.query('alter table validations enable row level security');
    await runner.query('alter table validations force row level security');
    const ofTenant = `organization_id = nullif(current_setting('sync.organization_id', true), '')::uuid`;
    await runner.query(
      `create policy validations_of_tenant on validations to sync_tenant using (${ofTenant}) with check (${ofTenant})`,
    );
    await runner.query(
      'create policy validations_of_worker on validations to current_user using (true) with check (true)',
    );
    await runner.query('grant select, insert on validations to sync_tenant');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table validations');
    await runner.query(pickLinks);
    await runner.query('drop index links_rollback_turn');
    await runner.query('drop index links_rollback_references');
    await runner.query('alter table syncs drop column rolled_back_at');
    await runner.query('alter table syncs drop column rollback_told_at');
    await runner.query('alter table syncs drop column rollback_began_at');
    await runner.query(`delete from jobs where kind = 'rollback'`);
    await runner.query('alter table jobs drop constraint jobs_kind');
    await runner.query(kinds(`'backfill', 'replay'`));
    // The version before knows no such wish; what is settled under it stays as it is.
    await runner.query(`update links set desired_op = 'delete' where desired_op = 'rollback'`);
    await runner.query('alter table links drop constraint links_op');
    await runner.query(ops(`'upsert', 'delete', 'void', 'fail', 'exclude'`));
    await runner.query('alter table links drop column rolled_back');
    await runner.query('alter table links drop column seen_hash');
    await runner.query('alter table links drop column origin');
  }
}
