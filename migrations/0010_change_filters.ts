import { type Kysely, sql } from 'kysely'

/**
 * What subscriptions with a filter are judged by: what a job was before it changed, and what it was when it was
 * deleted. Its former states are in job_events already; triggers keep the rest, so that whoever writes jobs need not
 * think of it. And indexes for the filters on changes of prospects.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The hold and the name that a job had until it changed to this sequence.
  await sql`
    create table job_edits (
      job_id uuid not null references jobs (id) on delete cascade,
      sequence integer not null,
      at timestamptz(3) not null,
      held boolean not null,
      name text not null,
      primary key (job_id, sequence)
    )`.execute(db)
  await sql`
    create function keep_job_edit() returns trigger language plpgsql as $$
    begin
      insert into job_edits (job_id, sequence, at, held, name)
      values (new.id, new.sequence, new.updated_at, old.held, old.name)
      on conflict do nothing;
      return null;
    end $$`.execute(db)
  await sql`
    create trigger jobs_keep_edit after update of held, name on jobs
    for each row when (old.held is distinct from new.held or old.name is distinct from new.name)
    execute function keep_job_edit()`.execute(db)

  // Deleted jobs as they last were, for a day: long enough for every subscriber to be told.
  await sql`
    create table deleted_jobs (
      job_id uuid primary key,
      at timestamptz(3) not null,
      job jsonb not null,
      error_codes text[] not null,
      batch_ids uuid[] not null
    )`.execute(db)
  await sql`create index deleted_jobs_at on deleted_jobs (at)`.execute(db)
  await sql`
    create function keep_deleted_job() returns trigger language plpgsql as $$
    begin
      insert into deleted_jobs (job_id, at, job, error_codes, batch_ids)
      values (old.id, clock_timestamp(), to_jsonb(old),
        array(select distinct e.code from job_errors e where e.job_id = old.id),
        array(select m.batch_id from job_batch_members m where m.job_id = old.id));
      delete from deleted_jobs d using (
        select job_id from deleted_jobs where at < now() - interval '1 day' order by at limit 10 for update skip locked
      ) expired where d.job_id = expired.job_id;
      return old;
    end $$`.execute(db)
  await sql`
    create trigger jobs_keep_deleted before delete on jobs
    for each row execute function keep_deleted_job()`.execute(db)

  await sql`create index prospect_changes_at on prospect_changes (at, position)`.execute(db)
  await sql`create index prospect_changes_county on prospect_changes (county_fips, position)`.execute(db)
  await sql`create index prospect_changes_site on prospect_changes (scrape_url_id, position)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index prospect_changes_at, prospect_changes_county, prospect_changes_site`.execute(db)
  await sql`drop trigger jobs_keep_deleted on jobs`.execute(db)
  await sql`drop trigger jobs_keep_edit on jobs`.execute(db)
  await sql`drop function keep_deleted_job, keep_job_edit`.execute(db)
  await sql`drop table deleted_jobs, job_edits`.execute(db)
}
