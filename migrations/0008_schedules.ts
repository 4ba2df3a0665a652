import { type Kysely, sql } from 'kysely'

/**
 * Schedules, and the jobs they make. Such a job leaves out the days of its range that are final already, so that it
 * may have fewer days than its range.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table schedules (
      id uuid primary key default gen_random_uuid(),
      scrape_url_id uuid not null references scrape_urls (id) on delete cascade,
      cron text not null check (cron <> ''),
      -- null: the site's own, or the county's
      timezone text,
      active boolean not null default true,
      lookback_days integer not null default 14 check (lookback_days >= 0),
      lookahead_days integer not null default 30 check (lookahead_days >= 0),
      priority integer not null default 0 check (priority between -100 and 100),
      -- null: not active, or the pattern never comes again
      next_run_at timestamptz(3),
      last_run_at timestamptz(3),
      skipped_runs integer not null default 0,
      created_by uuid references users (id),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint schedules_window check (lookback_days + lookahead_days < 366),
      constraint schedules_next check (active or next_run_at is null)
    )`.execute(db)
  await sql`create index schedules_due on schedules (next_run_at) where next_run_at is not null`.execute(db)
  await sql`create index schedules_scrape_url on schedules (scrape_url_id)`.execute(db)
  await sql`create index schedules_created on schedules (created_at, id)`.execute(db)

  await sql`alter table jobs add column schedule_id uuid references schedules (id) on delete set null`.execute(db)
  await sql`create index jobs_schedule on jobs (schedule_id, created_at desc, id desc)
    where schedule_id is not null`.execute(db)
  await sql`alter table jobs drop constraint jobs_dates`.execute(db)
  await sql`alter table jobs add constraint jobs_dates check (end_date >= start_date and end_date - start_date < 366
    and dates_total between 1 and end_date - start_date + 1)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table jobs drop constraint jobs_dates`.execute(db)
  await sql`update jobs set dates_total = end_date - start_date + 1`.execute(db)
  await sql`alter table jobs add constraint jobs_dates check (end_date >= start_date
    and dates_total = end_date - start_date + 1 and dates_total <= 366)`.execute(db)
  await sql`alter table jobs drop column schedule_id`.execute(db)
  await sql`drop table schedules`.execute(db)
}
