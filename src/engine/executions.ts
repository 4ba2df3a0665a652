import { changeJob, type LogEntry, lockExecution, lockJob } from '../db/changeJob.ts'
import type { Database, Tx } from '../db/database.ts'
import { closeExecution, findOpenExecution, insertExecution, insertJobError, notifyClosed } from '../db/executions.ts'
import { findJob, findJobSite, transactionNow, transactionTime } from '../db/jobs.ts'
import type { ExecutionRow, JobRow } from '../db/tables.ts'
import { errorPolicies } from './errors.ts'
import type { EndingError, RunOutcome } from './protocol.ts'
import { newQueueId, type Queue } from './queue.ts'
import { type Decision, decide } from './retry.ts'
import { enqueueJob } from './submitJob.ts'

/**
 * The states of a run. PENDING with a queue entry: waits for its turn, or for nextAttemptAt. A delivery opens an
 * execution: RUNNING. An execution is ended here and nowhere else (a cancel closes it in commands.ts): its job is
 * then COMPLETED, FAILED, or PENDING again with a fresh queue entry.
 */
export interface ExecutionDeps {
  db: Database
  queue: Queue
  retryDelaysSeconds: readonly number[]
}

type FinishedRun = Exclude<RunOutcome, { kind: 'fenced' }>

/**
 * Opens an execution for a delivered queue entry, in one transaction. An execution that is still open belonged to a
 * node that has died: it ends as WORKER_LOST first, which may end the job. null: there is nothing to run any more.
 */
export async function openExecution(
  { db, queue, retryDelaysSeconds }: ExecutionDeps,
  delivery: { queueId: string; jobId: string; sameAttempt: boolean },
  worker: { executionId: string; node: string; pid: number },
): Promise<{ job: JobRow; execution: ExecutionRow } | null> {
  return await db.transaction().execute(async (trx) => {
    let job = await lockJob(trx, delivery.jobId)
    if (!job || job.queueId !== delivery.queueId) return null
    const lost = await findOpenExecution(trx, job.id)
    // Opened by a try whose commit was not heard of.
    if (lost?.id === worker.executionId) return { job, execution: lost }
    if (lost) {
      const error = lostWorker(`worker ${lost.workerPid} of node ${lost.workerNode} was lost`)
      const decision = decide({ kind: 'failed', code: error.code }, { ...job, retryDelaysSeconds })
      await notifyClosed(trx, lost.id)
      if (decision.kind !== 'retry') {
        await finish(trx, queue, { job, execution: lost }, { kind: 'failed', error, stages: null }, decision)
        return null
      }
      job = await closeFailed(trx, job, lost, error)
    }
    const attempt = delivery.sameAttempt && !lost ? Math.max(1, job.attempt) : job.attempt + 1
    const execution = await insertExecution(trx, {
      id: worker.executionId,
      jobId: job.id,
      attempt,
      workerNode: worker.node,
      workerPid: worker.pid,
    })
    const started = await changeJob(
      trx,
      job,
      {
        status: 'RUNNING',
        attempt,
        nextAttemptAt: null,
        currentDate: null,
        startedAt: job.startedAt ?? transactionNow,
      },
      { lines: [{ level: 'INFO', message: `attempt ${attempt} started` }], executionId: execution.id },
    )
    return { job: started, execution }
  })
}

/**
 * Ends an execution and decides on its job, in one transaction: closes it, keeps the error that ended it, changes the
 * job's status, settles the queue entry and enqueues a retry. Throws FencedError when it is closed already.
 */
export async function endExecution(
  { db, queue, retryDelaysSeconds }: ExecutionDeps,
  executionId: string,
  outcome: FinishedRun,
): Promise<Decision> {
  return await db.transaction().execute(async (trx) => {
    const { job, execution } = await lockExecution(trx, executionId)
    const end =
      outcome.kind === 'completed'
        ? outcome
        : { kind: outcome.kind, code: outcome.error.code, retryAfterSeconds: outcome.error.retryAfterSeconds }
    const decision = decide(end, { ...job, retryDelaysSeconds })
    await finish(trx, queue, { job, execution }, outcome, decision)
    return decision
  })
}

/**
 * Ends an execution whose worker has shown no life for so long, as openExecution would for the next run, and queues
 * that at once: for when no node is there to do so. Answers the job as it then stands; null when the worker lives.
 * Throws FencedError when it is closed already.
 */
export async function endStaleExecution(
  { db, queue, retryDelaysSeconds }: ExecutionDeps,
  executionId: string,
  olderThanSeconds: number,
): Promise<JobRow | null> {
  return await db.transaction().execute(async (trx) => {
    const { job, execution } = await lockExecution(trx, executionId)
    const silentMs = (await transactionTime(trx)).getTime() - execution.heartbeatAt.getTime()
    if (silentMs < olderThanSeconds * 1000) return null
    const error = lostWorker(`worker ${execution.workerPid} of node ${execution.workerNode} was lost`)
    const decision = decide({ kind: 'failed', code: error.code }, { ...job, retryDelaysSeconds })
    await notifyClosed(trx, execution.id)
    await finish(trx, queue, { job, execution }, { kind: 'failed', error, stages: null }, decision)
    return await findJob(trx, job.id)
  })
}

/** The error of a worker that is gone. */
export function lostWorker(message: string): EndingError {
  return { code: 'WORKER_LOST', message, traceback: null, date: null, url: null, errorId: null }
}

async function finish(
  trx: Tx,
  queue: Queue,
  open: { job: JobRow; execution: ExecutionRow },
  outcome: FinishedRun,
  decision: Decision,
): Promise<void> {
  const { job, execution } = open
  const error = outcome.kind === 'failed' ? outcome.error : null
  const durationMs = await closeExecution(trx, execution.id, {
    status: error ? 'FAILED' : 'COMPLETED',
    stats: { ok: error === null, ...(error ? { code: error.code } : {}) },
    stages: outcome.stages,
    errorMessage: error?.message ?? null,
  })
  const endedByErrorId = error ? await storeError(trx, execution, error) : null
  if (job.queueId) await queue.settle(trx, job.queueId)
  const common = { currentDate: null, endedByErrorId, durationMs }
  const options = { executionId: execution.id, errorMessage: error?.message ?? null }

  if (decision.kind !== 'retry') {
    const status = { completed: 'COMPLETED', failed: 'FAILED' } as const
    await changeJob(
      trx,
      job,
      { ...common, status: status[decision.kind], queueId: null, finishedAt: transactionNow },
      { ...options, lines: [endLine(job, execution, error, null)] },
    )
    return
  }
  const now = await transactionTime(trx)
  const at = decision.delaySeconds > 0 ? new Date(now.getTime() + decision.delaySeconds * 1000) : null
  const waiting = await changeJob(
    trx,
    job,
    { ...common, status: 'PENDING', queueId: newQueueId(), nextAttemptAt: at },
    { ...options, lines: [endLine(job, execution, error, at ?? now)] },
  )
  const site = await findJobSite(trx, job.scrapeUrlId)
  if (!site) throw new Error(`job ${job.id} has no scrape URL`)
  await enqueueJob(queue, trx, waiting, site, {
    ...(at ? { startAfter: at } : {}),
    sameAttempt: !decision.countsAttempt,
  })
}

/** Closes a lost execution whose job goes on in the same queue entry. */
async function closeFailed(trx: Tx, job: JobRow, lost: ExecutionRow, error: EndingError): Promise<JobRow> {
  const durationMs = await closeExecution(trx, lost.id, {
    status: 'FAILED',
    stats: { ok: false, code: error.code },
    stages: null,
    errorMessage: error.message,
  })
  return await changeJob(
    trx,
    job,
    {
      status: 'PENDING',
      endedByErrorId: await storeError(trx, lost, error),
      currentDate: null,
      durationMs,
    },
    { executionId: lost.id, errorMessage: error.message, lines: [endLine(job, lost, error, new Date())] },
  )
}

/** The id of the error that ended the attempt: the one its day has stored, or a new one. */
async function storeError(trx: Tx, execution: ExecutionRow, error: EndingError): Promise<string> {
  if (error.errorId) return error.errorId
  const { category, retryable } = errorPolicies[error.code]
  const made = await insertJobError(trx, {
    jobId: execution.jobId,
    executionId: execution.id,
    category,
    retryable,
    code: error.code,
    message: error.message,
    traceback: error.traceback,
    date: error.date,
    url: error.url,
  })
  return made.id
}

function endLine(job: JobRow, execution: ExecutionRow, error: EndingError | null, next: Date | null): LogEntry {
  if (!error) return { level: 'INFO', message: `completed: ${job.rowsSuccess} auctions of ${job.datesTotal} days` }
  const then = next ? `next attempt at ${next.toISOString()}` : 'no further attempt'
  return {
    level: next ? 'WARN' : 'ERROR',
    message: `attempt ${execution.attempt} failed: ${error.message} (${error.code}); ${then}`,
  }
}
