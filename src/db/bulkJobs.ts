import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { type JobStatus, terminalStatuses } from '../domain.ts'
import type { Database } from './database.ts'
import { type JobFilter, jobConditions } from './jobPages.ts'
import type { Tables } from './tables.ts'

/** Whether a filter says nothing, so that it would match every job. */
export function matchesEveryJob(filter: JobFilter): boolean {
  return jobConditions(filter).length === 0
}

/**
 * The jobs of a filter that have not ended; at most `limit`. Waiting ones come first, so that none of them starts in
 * the place of one that was just cancelled.
 */
export async function jobsToCancel(db: Database, filter: JobFilter, limit: number): Promise<string[]> {
  const rows = await matching(db, filter)
    .select('jobs.id')
    .where('jobs.status', 'in', ['PENDING', 'RUNNING'] satisfies JobStatus[])
    .orderBy('jobs.status')
    .orderBy('jobs.createdAt')
    .orderBy('jobs.id')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id)
}

/** How many jobs of a filter have ended. */
export async function countEnded(db: Database, filter: JobFilter): Promise<number> {
  return await count(matching(db, filter).where('jobs.status', 'in', terminalStatuses))
}

/** The FAILED jobs of a filter that a retry can help, oldest first; at most `limit`. */
export async function jobsToRetry(db: Database, filter: JobFilter, limit: number): Promise<string[]> {
  const rows = await matching(db, filter)
    .select('jobs.id')
    .where('jobs.status', '=', 'FAILED')
    .where(endedRetryably)
    .orderBy('jobs.createdAt')
    .orderBy('jobs.id')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id)
}

/** How many FAILED jobs of a filter a retry cannot help. */
export async function countNotRetryable(db: Database, filter: JobFilter): Promise<number> {
  return await count(
    matching(db, filter).where('jobs.status', '=', 'FAILED').where(sql<SqlBool>`not ${endedRetryably}`),
  )
}

const endedRetryably = sql<SqlBool>`exists (select from job_errors e where e.id = jobs.ended_by_error_id and e.retryable)`

function matching(db: Database, filter: JobFilter) {
  let rows = db.selectFrom('jobs')
  for (const condition of jobConditions(filter)) rows = rows.where(condition)
  return rows
}

async function count(rows: SelectQueryBuilder<Tables, 'jobs', object>): Promise<number> {
  const row = await rows.select((eb) => eb.fn.countAll<number>().as('jobs')).executeTakeFirstOrThrow()
  return row.jobs
}
