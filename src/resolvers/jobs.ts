import {
  daysById,
  daysOfJobs,
  defaultJobOrder,
  errorCountsOfJobs,
  type JobOrder,
  jobPages,
  jobsById,
  lastErrorsOfJobs,
} from '../db/jobPages.ts'
import type { Page, PageArgs } from '../db/pages.ts'
import { settledDaysOfJobs } from '../db/settledDays.ts'
import type { JobErrorRow, JobRow, ScrapeDayRow } from '../db/tables.ts'
import { type DayOutcome, dayOutcomes, type ErrorCategory, isTerminal, type JobStatus } from '../domain.ts'
import { retryState } from '../engine/commands.ts'
import type { JobUpdate } from '../engine/events.ts'
import type { Outcome } from '../engine/outcome.ts'
import type { SubmitJobInput } from '../engine/submitJob.ts'
import { distinct, inGroups, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { type JobFilterArg, jobFilter } from './filters.ts'
import { keyOf } from './globalIds.ts'
import { loadErrors } from './jobErrors.ts'

export type JobPageArgs = PageArgs & {
  filter?: JobFilterArg | null | undefined
  orderBy?: JobOrder | null | undefined
}

export async function loadJobs(ids: readonly string[], { db }: Context): Promise<(JobRow | null)[]> {
  return inOrder(ids, await jobsById(db, distinct(ids)), (row) => row.id)
}

export async function jobs(args: JobPageArgs, { db }: Context): Promise<Page<JobRow>> {
  const [page] = await jobPages(db, [jobFilter(args.filter)], args.orderBy ?? defaultJobOrder, args)
  return page as Page<JobRow>
}

/** The same page of jobs for each county. */
export async function loadJobsOfCounties(
  fips: readonly string[],
  args: JobPageArgs,
  { db }: Context,
): Promise<Page<JobRow>[]> {
  const filter = jobFilter(args.filter)
  const filters = fips.map((code) => ({ ...filter, countyFips: code }))
  return await jobPages(db, filters, args.orderBy ?? defaultJobOrder, args)
}

export async function loadDays(ids: readonly string[], { db }: Context): Promise<(ScrapeDayRow | null)[]> {
  return inOrder(ids, await daysById(db, distinct(ids)), (row) => row.id)
}

/**
 * A report for every date of each job's range, by date, then that on undated rows. A date that was final when a
 * schedule made the job, which the job therefore leaves out, stands with the report that settled it.
 */
export async function loadDaysOfJobs(jobIds: readonly string[], { db }: Context): Promise<ScrapeDayRow[][]> {
  const ids = distinct(jobIds)
  const own = inGroups(jobIds, await daysOfJobs(db, ids), (row) => row.jobId as string)
  const settled = await settledDaysOfJobs(db, ids)
  if (settled.length === 0) return own
  const leftOut = inGroups(jobIds, settled, (row) => row.leftOutBy)
  return own.map((days, i) => [...days, ...(leftOut[i] ?? [])].toSorted(byDate))
}

export async function loadLastErrors(jobIds: readonly string[], { db }: Context): Promise<(JobErrorRow | null)[]> {
  return inOrder(jobIds, await lastErrorsOfJobs(db, distinct(jobIds)), (row) => row.jobId)
}

export interface CategoryCount {
  category: ErrorCategory
  count: number
  lastAt: Date
}

export async function loadErrorCounts(jobIds: readonly string[], { db }: Context): Promise<CategoryCount[][]> {
  return inGroups(jobIds, await errorCountsOfJobs(db, distinct(jobIds)), (row) => row.jobId)
}

/** Whether each job can be retried, and why not. */
export async function loadRetryStates(
  rows: readonly JobRow[],
  context: Context,
): Promise<{ canRetry: boolean; reason: string | null }[]> {
  const ended = distinct(rows.flatMap((row) => row.endedByErrorId ?? []))
  const errors = new Map((await loadErrors(ended, context)).flatMap((error) => (error ? [[error.id, error]] : [])))
  return rows.map((row) => retryState(row, errors.get(row.endedByErrorId ?? '') ?? null))
}

/** What a job has brought, or an update of it said it had. */
export interface ResultOf {
  jobId: string
  status: JobStatus
  rowsSuccess: number
  durationMs: number | null
}

export interface JobResult {
  jobId: string
  success: boolean
  rowsCollected: number
  duration: string
  days: { outcome: DayOutcome; count: number }[]
}

/** The result of each terminal job; null for the others. */
export async function loadResults(ended: readonly ResultOf[], context: Context): Promise<(JobResult | null)[]> {
  const ids = distinct(ended.filter((one) => isTerminal(one.status)).map((one) => one.jobId))
  const days = ids.length === 0 ? [] : await loadDaysOfJobs(ids, context)
  const byJob = new Map(ids.map((id, i) => [id, days[i] ?? []]))
  return ended.map((one) => {
    if (!isTerminal(one.status)) return null
    const outcomes = (byJob.get(one.jobId) ?? []).map((day) => day.outcome)
    return {
      jobId: one.jobId,
      success: one.status === 'COMPLETED',
      rowsCollected: one.rowsSuccess,
      duration: clock(one.durationMs ?? 0),
      days: dayOutcomes
        .map((outcome) => ({ outcome, count: outcomes.filter((one) => one === outcome).length }))
        .filter((one) => one.count > 0),
    }
  })
}

/** The result that each update of a job tells, for those in which it is terminal. */
export async function loadUpdateResults(
  updates: readonly JobUpdate[],
  context: Context,
): Promise<(JobResult | null)[]> {
  const ended = distinct(updates.filter((update) => isTerminal(update.status)).map((update) => update.jobId))
  const rows = ended.length === 0 ? [] : await loadJobs(ended, context)
  const durations = new Map(rows.flatMap((row) => (row ? [[row.id, row.durationMs]] : [])))
  return await loadResults(
    updates.map((update) => ({ ...update, durationMs: durations.get(update.jobId) ?? null })),
    context,
  )
}

export async function submit(input: SubmitJobInput, { commands, viewer }: Context): Promise<Outcome<JobRow>> {
  const scrapeUrlId = keyOf('CountyScrapeUrl', input.scrapeUrlId)
  if (scrapeUrlId === null) {
    return { kind: 'notFound', id: input.scrapeUrlId, message: 'There is no such scrape URL.' }
  }
  const outcome = await commands.submitJob({ ...input, scrapeUrlId }, viewer?.user.id ?? null)
  return outcome.kind === 'notFound' ? { ...outcome, id: input.scrapeUrlId } : outcome
}

/** runJob, retryJob or cancelJob of the contract. */
export async function command(
  name: 'runJob' | 'retryJob' | 'cancelJob',
  id: string,
  { commands, viewer }: Context,
): Promise<Outcome<JobRow>> {
  const key = keyOf('ScrapingJob', id)
  if (key === null) return { kind: 'notFound', id, message: 'There is no such job.' }
  const outcome = await commands[name](key, viewer?.user.id ?? null)
  return outcome.kind === 'notFound' ? { ...outcome, id } : outcome
}

/** `HH:MM:SS`; hours grow beyond 99. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')
}

/** Undated reports last. */
function byDate(a: ScrapeDayRow, b: ScrapeDayRow): number {
  if (a.date === b.date) return 0
  return a.date !== null && (b.date === null || a.date < b.date) ? -1 : 1
}
