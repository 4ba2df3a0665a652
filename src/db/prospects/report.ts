import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { type CalendarDate, type DayFigures, doneOutcomes, type ErrorCategory } from '../../domain.ts'
import type { Tx } from '../database.ts'
import type { ExecutionRow, JobRow, StageTiming } from '../tables.ts'
import type { RejectedRow } from './dayRow.ts'
import { toJson } from './json.ts'

/** Why a day is not done. */
export interface DayError {
  category: ErrorCategory
  code: string
  message: string
  retryable: boolean
  traceback: string | null
  url?: string
}

export interface DayCounts {
  created: number
  updated: number
  unchanged: number
  saved: number
  rejected: number
}

/**
 * Stores what one read of one day found, as the newest report of its job and date: the one that waits as PENDING is
 * filled, an older read stays beside it. Returns the report's id.
 */
export async function writeReport(
  trx: Tx,
  { job, execution }: { job: JobRow; execution: ExecutionRow },
  report: { date: CalendarDate | null; figures: DayFigures; final: boolean; durationMs: number; at: Date } & DayCounts,
): Promise<string> {
  const { figures, saved, rejected, created, updated, unchanged } = report
  const found = {
    executionId: execution.id,
    attempt: execution.attempt,
    outcome: figures.outcome,
    proof: figures.proof,
    expected: figures.expected,
    scheduled: figures.scheduled,
    waiting: figures.waiting,
    running: figures.running,
    closed: figures.closed,
    pages: figures.pages,
    received: saved + rejected,
    saved,
    rejected,
    created,
    updated,
    unchanged,
    final: report.final,
    durationMs: Math.round(report.durationMs),
    finishedAt: report.at,
  }
  const newest = trx
    .updateTable('scrapeDays')
    .where('jobId', '=', job.id)
    .where('date', report.date === null ? 'is' : '=', report.date)
    .where('latest', '=', true)
  const filled = await newest.set(found).where('outcome', '=', 'PENDING').returning('id').executeTakeFirst()
  if (filled) return filled.id
  await newest.set({ latest: false }).execute()
  const inserted = await trx
    .insertInto('scrapeDays')
    .values({ jobId: job.id, scrapeUrlId: job.scrapeUrlId, date: report.date, ...found })
    .returning('id')
    .executeTakeFirstOrThrow()
  return inserted.id
}

/** Stores the rows that could not be converted, and why the day is not done; returns the id of the latter. */
export async function writeErrors(
  trx: Tx,
  execution: ExecutionRow,
  day: {
    reportId: string
    date: CalendarDate | null
    rejected: readonly RejectedRow[]
    error: DayError | null
    at: Date
  },
): Promise<string | null> {
  const errorId = day.error ? randomUUID() : null
  const errors = [
    ...day.rejected.map(({ auctionId, field, message, raw }) => ({
      id: randomUUID(),
      category: 'DATA_VALIDATION',
      code: 'ROW_INVALID',
      message,
      retryable: false,
      auctionId,
      field,
      rawData: raw,
    })),
    ...(day.error ? [{ id: errorId, ...day.error }] : []),
  ]
  if (errors.length === 0) return null
  await sql`
    insert into job_errors (id, job_id, execution_id, scrape_day_id, category, code, message, traceback, retryable,
      date, url, occurred_at, auction_id, field, raw_data)
    select r.id, ${execution.jobId}, ${execution.id}, ${day.reportId}, r.category, r.code, r.message, r.traceback,
      r.retryable, ${day.date}, r.url, ${day.at}, r."auctionId", r.field, r."rawData"
    from jsonb_to_recordset(${toJson(errors)}::jsonb)
      as r (id uuid, category text, code text, message text, traceback text, retryable boolean, url text,
        "auctionId" text, field text, "rawData" jsonb)`.execute(trx)
  return errorId
}

/**
 * Adds up a job's newest reports. Writes the share of them that an execution has read, and the time that it has spent
 * so far, to the execution; answers what they are for the job.
 */
export async function sumReports(
  trx: Tx,
  execution: ExecutionRow,
  stages: readonly StageTiming[],
): Promise<{ rowsProcessed: number; rowsSuccess: number; rowsFailed: number; datesDone: number }> {
  const { rows } = await sql<{ saved: number; rejected: number; done: number }>`
    with sums as (
      select coalesce(sum(saved), 0) as saved, coalesce(sum(rejected), 0) as rejected,
        coalesce(sum(saved) filter (where execution_id = ${execution.id}), 0) as own_saved,
        coalesce(sum(rejected) filter (where execution_id = ${execution.id}), 0) as own_rejected,
        count(*) filter (where date is not null and outcome = any(${doneOutcomes}::text[])) as done
      from scrape_days where job_id = ${execution.jobId} and latest
    ), own as (
      update executions set rows_processed = own_saved + own_rejected, rows_success = own_saved,
        rows_failed = own_rejected, stages = ${JSON.stringify(stages)}::jsonb, heartbeat_at = clock_timestamp()
      from sums where id = ${execution.id}
    )
    select saved, rejected, done from sums`.execute(trx)
  const sums = rows[0]
  if (!sums) throw new Error('an aggregate without groups has one row')
  const { saved, rejected, done } = sums
  return { rowsProcessed: saved + rejected, rowsSuccess: saved, rowsFailed: rejected, datesDone: done }
}
