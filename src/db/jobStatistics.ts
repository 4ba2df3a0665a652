import { type SqlBool, sql } from 'kysely'
import type { DayOutcome, ErrorCategory, JobStatus } from '../domain.ts'
import type { Database } from './database.ts'
import { type JobFilter, jobConditions } from './jobPages.ts'

/** What the jobs that ended in a range of days come to. `day` counts from 1. */
export interface JobStatistics {
  perDay: {
    day: number
    status: JobStatus
    count: number
    /** The sum over those that have a duration, and how many these are. */
    durationMs: number
    timed: number
    rowsCollected: number
  }[]
  errors: { category: ErrorCategory; count: number; lastAt: Date }[]
  outcomes: { outcome: DayOutcome; count: number }[]
}

/**
 * The matching jobs that ended in the days between the bounds, the instants at which the days begin and the last one
 * ends: n days have n + 1 bounds. All figures are of one moment.
 */
export async function jobStatistics(db: Database, filter: JobFilter, bounds: readonly Date[]): Promise<JobStatistics> {
  // As numbers: the year 10000, in which the last day of 9999 ends, has no text that Postgres reads.
  const instant = (at: Date | undefined) => sql`to_timestamp(${(at?.getTime() ?? 0) / 1000}::float8)`
  const seconds = bounds.map((at) => at.getTime() / 1000)
  const finished = sql.ref('jobs.finishedAt')
  const ended = sql.join(
    [
      sql<SqlBool>`${finished} >= ${instant(bounds[0])}`,
      sql<SqlBool>`${finished} < ${instant(bounds.at(-1))}`,
      ...jobConditions(filter),
    ],
    sql` and `,
  )
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const perDay = await sql<JobStatistics['perDay'][number]>`
        select width_bucket(extract(epoch from jobs.finished_at)::float8, ${seconds}::float8[]) as day, jobs.status,
          count(*) as count, coalesce(sum(jobs.duration_ms), 0)::float8 as duration_ms,
          count(jobs.duration_ms) as timed, sum(jobs.rows_success)::float8 as rows_collected
        from jobs where ${ended} group by 1, 2 order by 1, 2`.execute(trx)
      const errors = await sql<JobStatistics['errors'][number]>`
        select e.category, count(*) as count, max(e.occurred_at) as last_at
        from jobs join job_errors e on e.job_id = jobs.id where ${ended} group by 1 order by 1`.execute(trx)
      const outcomes = await sql<JobStatistics['outcomes'][number]>`
        select d.outcome, count(*) as count
        from jobs join scrape_days d on d.job_id = jobs.id and d.latest where ${ended} group by 1`.execute(trx)
      return { perDay: perDay.rows, errors: errors.rows, outcomes: outcomes.rows }
    })
}
