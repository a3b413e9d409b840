// Since when a key seals grants, and until when it did: how old the key in use is can be watched, and when an old one may be
// thrown away after a rotation. Kept by a trigger, so that whoever stores a pair need not think of it; by the key's id (eight
// digits of its hash, the second part of a sealed token), never the key. A new table and a trigger: nothing is locked for long.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TokenKeys1763700000057 implements MigrationInterface {
  name = 'TokenKeys1763700000057';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table token_keys (
  key_id text primary key,
  first_used_at timestamptz not null default now(),
  last_used_at timestamptz not null default now()
);
insert into token_keys (key_id, first_used_at)
  select split_part(refresh_token_sealed, '.', 2), coalesce(min(refreshed_at), now()) from oauth_grants group by 1;
create function note_token_key() returns trigger language plpgsql security definer set search_path from current as $$
begin
  insert into token_keys as known (key_id) values (split_part(new.refresh_token_sealed, '.', 2))
    -- Once a minute is enough, and keeps renewals of many companies out of each other's way.
    on conflict (key_id) do update set last_used_at = now() where known.last_used_at < now() - interval '1 minute';
  return null;
end $$;
create trigger oauth_grants_sealed_note_key after insert or update of refresh_token_sealed on oauth_grants
  for each row execute function note_token_key()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop trigger oauth_grants_sealed_note_key on oauth_grants');
    await runner.query('drop function note_token_key()');
    await runner.query('drop table token_keys');
  }
}
