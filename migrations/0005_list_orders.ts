import { type Kysely, sql } from 'kysely'

/** Indexes for the orders in which lists are paged: src/db/jobPages.ts and src/db/prospectPages.ts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index jobs_updated on jobs (updated_at desc, id desc)`.execute(db)
  await sql`create index jobs_started on jobs (started_at desc, id desc)`.execute(db)
  await sql`create index jobs_priority on jobs (priority desc, id desc)`.execute(db)
  await sql`create index prospects_first_seen on prospects (first_seen_at, id)`.execute(db)
  await sql`create index prospects_updated on prospects (updated_at, id)`.execute(db)
  await sql`create index job_prospects_prospect on job_prospects (prospect_id)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index jobs_updated, jobs_started, jobs_priority, prospects_first_seen, prospects_updated,
    job_prospects_prospect`.execute(db)
}
