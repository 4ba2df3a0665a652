import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { ScrapeDayRow } from './tables.ts'

/**
 * The dates of the jobs' ranges that they leave out, since they were final when the job was made: for each the report
 * that settled it, which is another job's, or that of a job that is deleted.
 */
export async function settledDaysOfJobs(
  db: Database,
  jobIds: readonly string[],
): Promise<(ScrapeDayRow & { leftOutBy: string })[]> {
  const { rows } = await sql<ScrapeDayRow & { leftOutBy: string }>`
    select j.id as left_out_by, settled.*
    from jobs j cross join lateral (
      select distinct on (d.date) d.*
      from scrape_days d
      where d.scrape_url_id = j.scrape_url_id and d.date between j.start_date and j.end_date and d.final
        and not exists (select from scrape_days own where own.job_id = j.id and own.date = d.date)
      order by d.date, d.finished_at
    ) settled
    where j.id = any(${jobIds}::uuid[]) and j.dates_total <= j.end_date - j.start_date`.execute(db)
  return rows
}
