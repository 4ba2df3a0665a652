import { type Kysely, sql } from 'kysely'

/**
 * Batches of jobs. A job may be in several: submitted in one, released from its hold by another. And an index for
 * every foreign key that the deletion of a job follows, so that none of them reads a whole table.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table job_batches (
      id uuid primary key default gen_random_uuid(),
      -- of submitJobs; the hash tells the same input from another
      idempotency_key text,
      idempotency_hash text,
      created_by uuid references users (id),
      created_at timestamptz(3) not null default now()
    )`.execute(db)
  await sql`create unique index job_batches_idempotency on job_batches (created_by, idempotency_key)
    nulls not distinct where idempotency_key is not null`.execute(db)

  await sql`
    create table job_batch_members (
      batch_id uuid not null references job_batches (id) on delete cascade,
      job_id uuid not null references jobs (id) on delete cascade,
      primary key (batch_id, job_id)
    )`.execute(db)
  await sql`create index job_batch_members_job on job_batch_members (job_id)`.execute(db)

  // The order in which held jobs are released.
  await sql`create index jobs_held on jobs (created_at, id) where held`.execute(db)

  await sql`create index jobs_cloned_from on jobs (cloned_from_id) where cloned_from_id is not null`.execute(db)
  await sql`create index jobs_ended_by on jobs (ended_by_error_id) where ended_by_error_id is not null`.execute(db)
  await sql`create index job_errors_execution on job_errors (execution_id) where execution_id is not null`.execute(db)
  await sql`create index scrape_days_job on scrape_days (job_id) where job_id is not null`.execute(db)
  await sql`create index scrape_days_execution on scrape_days (execution_id)
    where execution_id is not null`.execute(db)
  await sql`create index prospects_last_job on prospects (last_job_id) where last_job_id is not null`.execute(db)
  await sql`create index prospect_changes_job on prospect_changes (job_id) where job_id is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index jobs_held, jobs_cloned_from, jobs_ended_by, job_errors_execution, scrape_days_job,
    scrape_days_execution, prospects_last_job, prospect_changes_job`.execute(db)
  await sql`drop table job_batch_members, job_batches`.execute(db)
}
