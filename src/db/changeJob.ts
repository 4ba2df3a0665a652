import { sql, type Updateable } from 'kysely'
import type { LogLevel } from '../domain.ts'
import type { Tx } from './database.ts'
import type { ExecutionRow, JobRow, Tables } from './tables.ts'

/** The channel on which nodes hear `jobId:sequence:lastLine` of every committed change of a job. */
export const jobChannel = 'gavel_job'

/** The execution is no longer the one that may write: it was closed while its worker went on. */
export class FencedError extends Error {
  override name = 'FencedError'
}

/** A line for a job's log; `data` is kept as JSON. */
export interface LogEntry {
  level: LogLevel
  message: string
  data?: Record<string, unknown> | undefined
}

/** Locks a job's row until the transaction ends; null when there is no such job. Taken before anything else of it. */
export async function lockJob(trx: Tx, jobId: string): Promise<JobRow | null> {
  const row = await trx.selectFrom('jobs').selectAll().where('id', '=', jobId).forUpdate().executeTakeFirst()
  return row ?? null
}

/**
 * Locks the job of an execution and proves that the execution is still the open one: the fence before every write.
 * Two statements, for a row read in the statement that waited for the lock would be as old as that statement.
 * Throws FencedError when it has been closed.
 */
export async function lockExecution(trx: Tx, executionId: string): Promise<{ job: JobRow; execution: ExecutionRow }> {
  const owner = await trx.selectFrom('executions').select('jobId').where('id', '=', executionId).executeTakeFirst()
  const job = owner && (await lockJob(trx, owner.jobId))
  const execution = await trx
    .selectFrom('executions')
    .selectAll()
    .where('id', '=', executionId)
    .where('status', '=', 'RUNNING')
    .executeTakeFirst()
  if (!job || !execution) throw new FencedError(`execution ${executionId} is closed`)
  return { job, execution }
}

/**
 * The one way to change a job that watchers may see: raises its sequence, stores an event when the status changes,
 * and tells every node on commit. The caller holds the row's lock (lockJob, lockExecution).
 */
export async function changeJob(
  trx: Tx,
  job: JobRow,
  change: Omit<Updateable<Tables['jobs']>, 'sequence' | 'updatedAt' | 'lastLine'>,
  options: { lines?: readonly LogEntry[]; executionId?: string; errorMessage?: string | null } = {},
): Promise<JobRow> {
  const lines = options.lines ?? []
  const changed = await trx
    .updateTable('jobs')
    .set((eb) => ({
      ...change,
      sequence: eb('sequence', '+', 1),
      lastLine: eb('lastLine', '+', lines.length),
      // now() is when the transaction began, which may be before another one's change; under the lock, this grows
      updatedAt: sql<Date>`clock_timestamp()`,
    }))
    .where('id', '=', job.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await insertLines(trx, changed.id, changed.lastLine - lines.length, lines, options.executionId ?? null)
  if (changed.status !== job.status) await insertEvent(trx, changed, options.errorMessage ?? null)
  await notifyJob(trx, changed)
  return changed
}

/** Adds lines to a job's log and tells every node on commit; the job's sequence stays. The caller holds its lock. */
export async function appendLines(
  trx: Tx,
  job: JobRow,
  lines: readonly LogEntry[],
  executionId: string | null,
): Promise<void> {
  if (lines.length === 0) return
  const changed = await trx
    .updateTable('jobs')
    .set((eb) => ({ lastLine: eb('lastLine', '+', lines.length) }))
    .where('id', '=', job.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await insertLines(trx, job.id, changed.lastLine - lines.length, lines, executionId)
  await notifyJob(trx, changed)
}

/** Tells every node on commit that the job stands at this sequence and line. */
export async function notifyJob(trx: Tx, job: Pick<JobRow, 'id' | 'sequence' | 'lastLine'>): Promise<void> {
  await sql`select pg_notify(${jobChannel}, ${`${job.id}:${job.sequence}:${job.lastLine}`})`.execute(trx)
}

async function insertLines(
  trx: Tx,
  jobId: string,
  after: number,
  lines: readonly LogEntry[],
  executionId: string | null,
): Promise<void> {
  if (lines.length === 0) return
  await trx
    .insertInto('jobLogLines')
    .values(
      lines.map((line, i) => ({
        jobId,
        line: after + i + 1,
        executionId,
        at: sql<Date>`clock_timestamp()`,
        level: line.level,
        message: line.message,
        data: line.data === undefined ? null : JSON.stringify(line.data),
      })),
    )
    .execute()
}

/** Stores the job's present state as an event: called where its status has changed, and where it is made. */
export async function insertEvent(trx: Tx, job: JobRow, errorMessage: string | null): Promise<void> {
  await trx
    .insertInto('jobEvents')
    .values({
      jobId: job.id,
      sequence: job.sequence,
      at: job.updatedAt,
      status: job.status,
      attempt: job.attempt,
      nextAttemptAt: job.nextAttemptAt,
      rowsProcessed: job.rowsProcessed,
      rowsSuccess: job.rowsSuccess,
      rowsFailed: job.rowsFailed,
      datesDone: job.datesDone,
      currentDate: job.currentDate,
      errorMessage,
    })
    .execute()
}
