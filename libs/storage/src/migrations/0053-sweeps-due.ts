// Sweeps that fall due wake the writer of their company as any other work does: who writes the time need not say so, and a
// sync that nothing ever happens to is swept too. A new sync is due at once: with nothing written there that costs no call,
// and from then on the writer's own interval counts. A default and a trigger: no rewrite; rows that exist are told once.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SweepsDue1763700000053 implements MigrationInterface {
  name = 'SweepsDue1763700000053';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter table syncs alter column sweep_due_at set default now();
create function sweep_makes_work() returns trigger language plpgsql security definer set search_path from current as $$
begin
  perform realm_work_is_due(array[new.target_realm_id], 'writer', array[new.sweep_due_at]);
  return null;
end $$;
create trigger syncs_inserted_make_sweeps after insert on syncs for each row execute function sweep_makes_work();
create trigger syncs_swept_make_sweeps after update of sweep_due_at on syncs
  for each row when (new.sweep_due_at is distinct from old.sweep_due_at) execute function sweep_makes_work();
select realm_work_is_due(array_agg(target_realm_id), 'writer', array_agg(sweep_due_at)) from syncs having count(*) > 0;`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop trigger syncs_swept_make_sweeps on syncs;
drop trigger syncs_inserted_make_sweeps on syncs;
drop function sweep_makes_work();
alter table syncs alter column sweep_due_at set default now() + interval '6 hours';`);
  }
}
