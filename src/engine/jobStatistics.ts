import { DateTime, IANAZone } from 'luxon'
import type { Database } from '../db/database.ts'
import type { JobFilter } from '../db/jobPages.ts'
import { jobStatistics as readStatistics } from '../db/jobStatistics.ts'
import { RefusedInputError } from '../db/pages.ts'
import {
  type CalendarDate,
  type DayOutcome,
  dayOutcomes,
  type ErrorCategory,
  type JobStatus,
  terminalStatuses,
} from '../domain.ts'
import { dayRangeIssues } from './dayRange.ts'
import { addDays, dayIn, daysBetween } from './suggestedRange.ts'

/** Days of statistics unless told. */
export const defaultDays = 30

/** The jobs that ended in a range of days. A job that has not ended is in none of it. */
export interface Statistics {
  jobsByStatus: { status: JobStatus; count: number }[]
  errorsByCategory: { category: ErrorCategory; count: number; lastAt: Date }[]
  /** The part of the jobs that completed, 0..1. */
  successRate: number | null
  averageDurationMs: number | null
  rowsCollected: number
  daysByOutcome: { outcome: DayOutcome; count: number }[]
  perDay: { date: CalendarDate; completed: number; failed: number; cancelled: number; rowsCollected: number }[]
}

/**
 * What the matching jobs come to that ended from the first to the last day, days as a time zone has them: UTC, and the
 * last 30, unless told. Throws RefusedInputError for a range or a zone that makes no sense.
 */
export async function statistics(
  db: Database,
  filter: JobFilter,
  asked: {
    from?: CalendarDate | null | undefined
    to?: CalendarDate | null | undefined
    timezone?: string | null | undefined
  },
): Promise<Statistics> {
  const zone = asked.timezone ?? 'UTC'
  if (!IANAZone.isValidZone(zone)) {
    throw new RefusedInputError([
      { path: ['timezone'], message: 'must be an IANA time zone, such as America/New_York' },
    ])
  }
  const to = asked.to ?? dayIn(zone)
  const from = asked.from ?? addDays(to, 1 - defaultDays)
  const issues = dayRangeIssues({ from, to })
  if (issues.length > 0) throw new RefusedInputError(issues)

  const dates = daysBetween(from, to)
  const bounds = Array.from({ length: dates.length + 1 }, (_, i) =>
    DateTime.fromISO(from, { zone }).plus({ days: i }).toJSDate(),
  )
  const { perDay, errors, outcomes } = await readStatistics(db, filter, bounds)
  const jobs = sum(perDay, (row) => row.count)
  const timed = sum(perDay, (row) => row.timed)
  const ofStatus = (status: JobStatus) => perDay.filter((row) => row.status === status)
  const byDay = Map.groupBy(perDay, (row) => row.day)
  return {
    jobsByStatus: terminalStatuses
      .map((status) => ({ status, count: sum(ofStatus(status), (row) => row.count) }))
      .filter((one) => one.count > 0),
    errorsByCategory: errors,
    successRate: jobs === 0 ? null : sum(ofStatus('COMPLETED'), (row) => row.count) / jobs,
    averageDurationMs: timed === 0 ? null : sum(perDay, (row) => row.durationMs) / timed,
    rowsCollected: sum(perDay, (row) => row.rowsCollected),
    daysByOutcome: dayOutcomes.flatMap((outcome) => outcomes.filter((one) => one.outcome === outcome)),
    perDay: dates.map((date, i) => {
      const rows = byDay.get(i + 1) ?? []
      const count = (status: JobStatus) =>
        sum(
          rows.filter((row) => row.status === status),
          (row) => row.count,
        )
      return {
        date,
        completed: count('COMPLETED'),
        failed: count('FAILED'),
        cancelled: count('CANCELLED'),
        rowsCollected: sum(rows, (row) => row.rowsCollected),
      }
    }),
  }
}

function sum<T>(rows: readonly T[], figure: (row: T) => number): number {
  return rows.reduce((total, row) => total + figure(row), 0)
}
