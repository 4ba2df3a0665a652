import type { JobEventRow, JobRow } from '../db/tables.ts'
import type { CalendarDate, JobStatus } from '../domain.ts'

/** A job as it stands, or stood at a change of its status. */
export interface JobUpdate {
  kind: 'SNAPSHOT' | 'CHANGED' | 'DELETED'
  jobId: string
  /** Grows from update to update of one job. */
  sequence: number
  at: Date
  status: JobStatus
  attempt: number
  nextAttemptAt: Date | null
  rowsProcessed: number
  rowsSuccess: number
  rowsFailed: number
  datesTotal: number
  datesDone: number
  currentDate: CalendarDate | null
  /** When the job's present run began. */
  startedAt: Date | null
  errorMessage: string | null
}

/** The job as it stood at a change of its status. */
export function updateOf(event: JobEventRow, job: JobRow, kind: JobUpdate['kind']): JobUpdate {
  const { status, attempt, nextAttemptAt, rowsProcessed, rowsSuccess, rowsFailed, datesDone, currentDate } = event
  const progress = { rowsProcessed, rowsSuccess, rowsFailed, datesDone, currentDate }
  const { jobId, sequence, at, errorMessage } = event
  const { datesTotal, startedAt } = job
  return { kind, jobId, sequence, at, status, attempt, nextAttemptAt, ...progress, datesTotal, startedAt, errorMessage }
}

/** The job as it stands; `errorMessage` is why its newest attempt failed. */
export function standing(job: JobRow, errorMessage: string | null, kind: JobUpdate['kind']): JobUpdate {
  return updateOf({ ...job, jobId: job.id, at: job.updatedAt, errorMessage }, job, kind)
}
