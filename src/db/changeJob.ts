import { type Compilable, type RawBuilder, sql, type Updateable } from 'kysely'
import type { LogLevel } from '../domain.ts'
import type { Tx } from './database.ts'
import { toJson } from './prospects/json.ts'
import type { ExecutionRow, JobRow, Tables } from './tables.ts'
import { queueJobEnd } from './webhookMessages.ts'

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

/** What may change of a job. The instants may be the database's own: transactionNow. */
type JobChange = Omit<Updateable<Tables['jobs']>, 'sequence' | 'updatedAt' | 'lastLine' | Instant> &
  Partial<Record<Instant, Date | RawBuilder<Date> | null>>
type Instant = 'startedAt' | 'finishedAt'

/** Locks a job's row until the transaction ends; null when there is no such job. Taken before anything else of it. */
export async function lockJob(trx: Tx, jobId: string): Promise<JobRow | null> {
  const row = await trx.selectFrom('jobs').selectAll().where('id', '=', jobId).forUpdate().executeTakeFirst()
  return row ?? null
}

/**
 * Locks the job of an execution and proves that the execution is still the open one: the fence before every write.
 * Two statements, for a row read in the statement that waited for the lock would be as old as that statement (whose
 * execution it is never changes). Throws FencedError when it has been closed.
 */
export async function lockExecution(trx: Tx, executionId: string): Promise<{ job: JobRow; execution: ExecutionRow }> {
  const job = await trx
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', (eb) => eb.selectFrom('executions').select('jobId').where('id', '=', executionId))
    .forUpdate()
    .executeTakeFirst()
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
 * queues its end for webhooks, and tells every node on commit. The caller holds the row's lock (lockJob, lockExecution).
 */
export async function changeJob(
  trx: Tx,
  job: JobRow,
  change: JobChange,
  options: { lines?: readonly LogEntry[]; executionId?: string; errorMessage?: string | null } = {},
): Promise<JobRow> {
  const lines = options.lines ?? []
  const update = trx
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
  const hasNewStatus = change.status !== undefined && change.status !== job.status
  const changed = await writeJob(trx, update, [
    ...(lines.length > 0 ? [linesAfterJob(lines, options.executionId ?? null)] : []),
    ...(hasNewStatus ? [eventOfJob(options.errorMessage ?? null)] : []),
  ])
  if (hasNewStatus) await queueJobEnd(trx, changed)
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
  const update = trx
    .updateTable('jobs')
    .set((eb) => ({ lastLine: eb('lastLine', '+', lines.length) }))
    .where('id', '=', job.id)
    .returningAll()
  await writeJob(trx, update, [linesAfterJob(lines, executionId)])
}

/**
 * Writes a job's row, what follows from it, and tells every node on commit, all in one statement: every change of every
 * job comes by here. What follows reads the row as it then stands from `written`.
 */
export async function writeJob(
  trx: Tx,
  write: Compilable<JobRow>,
  follows: readonly RawBuilder<unknown>[],
): Promise<JobRow> {
  const steps = follows.map((step, i) => sql`, ${sql.ref(`step_${i}`)} as (${step})`)
  const { rows } = await sql<JobRow & { told: unknown }>`
    with written as (${write})${sql.join(steps, sql``)}
    select *, pg_notify(${jobChannel}, concat_ws(':', id, sequence, last_line)) as told from written`.execute(trx)
  const [row] = rows
  if (!row) throw new Error('there is no such job')
  const { told: _, ...job } = row
  return job
}

/** Tells every node on commit that the job stands at this sequence and line. */
export async function notifyJob(trx: Tx, job: Pick<JobRow, 'id' | 'sequence' | 'lastLine'>): Promise<void> {
  await sql`select pg_notify(${jobChannel}, ${`${job.id}:${job.sequence}:${job.lastLine}`})`.execute(trx)
}

/** The job's last lines, for writeJob: it has counted them already. */
function linesAfterJob(lines: readonly LogEntry[], executionId: string | null): RawBuilder<unknown> {
  const numbered = lines.map((line, i) => ({ ...line, back: lines.length - 1 - i }))
  return sql`
    insert into job_log_lines (job_id, line, execution_id, at, level, message, data)
    select written.id, written.last_line - l.back, ${executionId}::uuid, clock_timestamp(), l.level, l.message, l.data
    from written, jsonb_to_recordset(${toJson(numbered)}::jsonb)
      as l (back integer, level text, message text, data jsonb)`
}

/** The job's present state as an event, for writeJob: where its status has changed, and where it is made. */
export function eventOfJob(errorMessage: string | null): RawBuilder<unknown> {
  return sql`
    insert into job_events (job_id, sequence, at, status, attempt, next_attempt_at, rows_processed, rows_success,
      rows_failed, dates_done, "current_date", error_message)
    select id, sequence, updated_at, status, attempt, next_attempt_at, rows_processed, rows_success,
      rows_failed, dates_done, "current_date", ${errorMessage}
    from written`
}
