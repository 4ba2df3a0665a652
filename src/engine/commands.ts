import type { Config } from '../config.ts'
import { changeJob, type LogEntry } from '../db/changeJob.ts'
import type { Database, Tx } from '../db/database.ts'
import { closeExecution, findJobError, findOpenExecution, notifyClosed, sumDurations } from '../db/executions.ts'
import type { JobFilter } from '../db/jobPages.ts'
import { findJobSite, resetDays, transactionTime } from '../db/jobs.ts'
import type { JobErrorRow, JobRow } from '../db/tables.ts'
import { isTerminal } from '../domain.ts'
import type { Logger } from '../log.ts'
import { processPendingJobs, type SubmitJobsInput, submitJobs } from './batches.ts'
import { type BulkDone, cancelJobs, retryFailedJobs } from './bulkCommands.ts'
import { type CloneJobInput, cloneJob } from './cloneJob.ts'
import { deleteJob } from './deleteJob.ts'
import type { Outcome } from './outcome.ts'
import { newQueueId, type Queue } from './queue.ts'
import { recoverStaleJobs } from './recovery.ts'
import { enqueueJob, type SubmitJobInput, submitJob } from './submitJob.ts'
import { hasNoAttemptLeft, type UpdateJobInput, updateJob } from './updateJob.ts'
import { conflict, statusWords, withJob } from './withJob.ts'

/**
 * What people do with jobs. Each is one transaction: it changes the job and the queue together, or nothing; cancelJobs
 * and retryFailedJobs are one for each of their jobs.
 */
export interface Commands {
  submitJob(input: SubmitJobInput, userId: string | null): Promise<Outcome<JobRow>>
  /** "Run now" on a held job; "Re-run" on a finished one: all days again, attempt from 0. JOB_RUNNING otherwise. */
  runJob(id: string, userId?: string | null): Promise<Outcome<JobRow>>
  /** Runs the open days of a FAILED job that canRetry at once, with fresh attempts. NOT_FAILED, NOT_RETRYABLE. */
  retryJob(id: string, userId?: string | null): Promise<Outcome<JobRow>>
  /** Ends a job whatever it does; a worker that runs it is stopped, not asked. JOB_FINISHED when it is terminal. */
  cancelJob(id: string, userId?: string | null): Promise<Outcome<JobRow>>
  updateJob(input: UpdateJobInput, userId: string | null): Promise<Outcome<JobRow>>
  cloneJob(input: CloneJobInput, userId: string | null): Promise<Outcome<JobRow>>
  deleteJob(id: string, userId: string | null): Promise<Outcome<{ deletedId: string }>>
  submitJobs(input: SubmitJobsInput, userId: string | null): Promise<Outcome<{ batchId: string }>>
  processPendingJobs(
    limit: number | null | undefined,
    userId: string | null,
  ): Promise<Outcome<{ batchId: string; remaining: number }>>
  cancelJobs(input: BulkInput, userId: string | null): Promise<Outcome<BulkDone>>
  retryFailedJobs(input: BulkInput, userId: string | null): Promise<Outcome<BulkDone>>
  /** Ends the executions whose worker is gone and lets their jobs run again: see recovery.ts. */
  recoverStaleJobs(options: { olderThanSeconds?: number | undefined }): Promise<Outcome<{ jobs: JobRow[] }>>
}

/** Which jobs, and how many of them at most: 1,000 unless told. */
export interface BulkInput {
  filter: JobFilter
  limit?: number | null | undefined
}

export function createCommands(deps: {
  db: Database
  queue: Queue
  config: Pick<Config, 'jobTimeoutSeconds' | 'retryDelaysSeconds' | 'staleAfterSeconds'>
  log: Logger
}): Commands {
  const { db, queue, log } = deps

  /** Makes the job wait for a fresh run, and queues that. */
  async function startAnew(
    trx: Tx,
    job: JobRow,
    change: Parameters<typeof changeJob>[2],
    line: LogEntry,
  ): Promise<Outcome<JobRow>> {
    const site = await findJobSite(trx, job.scrapeUrlId)
    if (!site) throw new Error(`job ${job.id} has no scrape URL`)
    const changed = await changeJob(
      trx,
      job,
      { ...change, status: 'PENDING', held: false, nextAttemptAt: null, finishedAt: null, queueId: newQueueId() },
      { lines: [line] },
    )
    await enqueueJob(queue, trx, changed, site, { sameAttempt: hasNoAttemptLeft(changed) })
    return { kind: 'ok', value: changed }
  }

  const commands: Commands = {
    submitJob: async (input, userId) => await submitJob(deps, input, userId),

    runJob: async (id, userId = null) =>
      await withJob(db, id, async (trx, job) => {
        const by = { updatedBy: userId ?? job.updatedBy }
        if (job.held) return await startAnew(trx, job, by, { level: 'INFO', message: 'released' })
        if (!isTerminal(job.status)) return conflict('JOB_RUNNING', `The job is ${statusWords[job.status]}.`, job)
        await resetDays(trx, job)
        const reset = {
          attempt: 0,
          rowsProcessed: 0,
          rowsSuccess: 0,
          rowsFailed: 0,
          datesDone: 0,
          currentDate: null,
          endedByErrorId: null,
          startedAt: null,
          durationMs: null,
        }
        return await startAnew(trx, job, { ...reset, ...by }, { level: 'INFO', message: 'run again, all days' })
      }),

    retryJob: async (id, userId = null) =>
      await withJob(db, id, async (trx, job) => {
        const endedBy = job.endedByErrorId ? await findJobError(trx, job.endedByErrorId) : null
        const { canRetry, reason } = retryState(job, endedBy)
        if (!canRetry) return conflict(job.status === 'FAILED' ? 'NOT_RETRYABLE' : 'NOT_FAILED', reason ?? '', job)
        const change = { attempt: 0, updatedBy: userId ?? job.updatedBy }
        return await startAnew(trx, job, change, { level: 'INFO', message: 'retried, open days only' })
      }),

    cancelJob: async (id, userId = null) =>
      await withJob(db, id, async (trx, job) => {
        if (isTerminal(job.status)) return conflict('JOB_FINISHED', `The job is ${statusWords[job.status]}.`, job)
        if (job.queueId) await queue.cancel(trx, job.queueId)
        const execution = await findOpenExecution(trx, job.id)
        if (execution) {
          const end = { status: 'CANCELLED', stats: { ok: false, cancelled: true }, stages: null } as const
          await closeExecution(trx, execution.id, { ...end, errorMessage: 'cancelled' })
          await notifyClosed(trx, execution.id)
        }
        const cancelled = await changeJob(
          trx,
          job,
          {
            status: 'CANCELLED',
            held: false,
            nextAttemptAt: null,
            currentDate: null,
            queueId: null,
            finishedAt: await transactionTime(trx),
            durationMs: await sumDurations(trx, job.id),
            updatedBy: userId ?? job.updatedBy,
          },
          { lines: [{ level: 'WARN', message: 'cancelled' }], ...(execution ? { executionId: execution.id } : {}) },
        )
        log.info({ jobId: job.id }, 'job cancelled')
        return { kind: 'ok', value: cancelled }
      }),

    updateJob: async (input, userId) => await updateJob(deps, input, userId),
    cloneJob: async (input, userId) => await cloneJob(deps, input, userId),
    deleteJob: async (id, userId) => await deleteJob(deps, id, userId),
    submitJobs: async (input, userId) => await submitJobs(deps, input, userId),
    processPendingJobs: async (limit, userId) => await processPendingJobs(deps, limit, userId),
    cancelJobs: async (input, userId) => await cancelJobs({ db, commands }, input, userId),
    retryFailedJobs: async (input, userId) => await retryFailedJobs({ db, commands }, input, userId),
    recoverStaleJobs: async (options) => await recoverStaleJobs({ db, queue, ...deps.config }, options),
  }
  return commands
}

/** Whether retryJob takes the job, and if not, why: judged by the error that ended its newest attempt. */
export function retryState(
  job: Pick<JobRow, 'status'>,
  endedBy: Pick<JobErrorRow, 'code' | 'retryable'> | null,
): { canRetry: boolean; reason: string | null } {
  if (job.status !== 'FAILED')
    return { canRetry: false, reason: `The job has not failed: it is ${statusWords[job.status]}.` }
  if (endedBy?.retryable) return { canRetry: true, reason: null }
  const code = endedBy?.code ?? 'its error'
  return { canRetry: false, reason: `A retry cannot help: ${code} would happen again. Run the job again instead.` }
}
