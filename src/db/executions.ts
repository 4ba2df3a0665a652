import { type Insertable, sql } from 'kysely'
import type { ExecutionStatus } from '../domain.ts'
import type { Database, Tx } from './database.ts'
import type { ExecutionRow, JobErrorRow, StageTiming, Tables } from './tables.ts'

/** The channel on which nodes hear the id of every execution that was closed over its worker's head. */
export const closedChannel = 'gavel_execution_closed'

/** The job's open execution; there is at most one. The caller holds the job's lock. */
export async function findOpenExecution(trx: Tx, jobId: string): Promise<ExecutionRow | null> {
  const row = await trx
    .selectFrom('executions')
    .selectAll()
    .where('jobId', '=', jobId)
    .where('status', '=', 'RUNNING')
    .executeTakeFirst()
  return row ?? null
}

export async function findExecution(db: Database, id: string): Promise<ExecutionRow | null> {
  return (await db.selectFrom('executions').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
}

export async function insertExecution(
  trx: Tx,
  execution: { id: string; jobId: string; attempt: number; workerNode: string; workerPid: number },
): Promise<ExecutionRow> {
  return await trx.insertInto('executions').values(execution).returningAll().executeTakeFirstOrThrow()
}

/**
 * Closes an open execution: from here on its worker can write nothing. `stages` null keeps what its days have stored.
 * The caller holds the job's lock.
 */
export async function closeExecution(
  trx: Tx,
  executionId: string,
  end: {
    status: Exclude<ExecutionStatus, 'RUNNING'>
    stats: Record<string, unknown>
    stages: readonly StageTiming[] | null
    errorMessage: string | null
  },
): Promise<ExecutionRow> {
  return await trx
    .updateTable('executions')
    .set({
      status: end.status,
      stats: JSON.stringify(end.stats),
      ...(end.stages ? { stages: JSON.stringify(end.stages) } : {}),
      errorMessage: end.errorMessage,
      finishedAt: sql<Date>`greatest(now(), started_at)`,
      durationMs: sql<number>`greatest(0, extract(epoch from now() - started_at) * 1000)::bigint`,
    })
    .where('id', '=', executionId)
    .where('status', '=', 'RUNNING')
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Tells every node on commit that this execution was closed, so that the one that runs it stops its worker. */
export async function notifyClosed(trx: Tx, executionId: string): Promise<void> {
  await sql`select pg_notify(${closedChannel}, ${executionId})`.execute(trx)
}

/** Milliseconds of all executions of a job that have ended. */
export async function sumDurations(trx: Tx, jobId: string): Promise<number> {
  const row = await trx
    .selectFrom('executions')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<string>('durationMs'), sql<string>`0`).as('total'))
    .where('jobId', '=', jobId)
    .executeTakeFirstOrThrow()
  return Number(row.total)
}

/** Those of the executions that are open no longer. */
export async function closedAmong(db: Database, executionIds: readonly string[]): Promise<string[]> {
  const open = await db
    .selectFrom('executions')
    .select('id')
    .where('id', '=', sql<string>`any(${sql.val(executionIds)})`)
    .where('status', '=', 'RUNNING')
    .execute()
  const ids = new Set(open.map((row) => row.id))
  return executionIds.filter((id) => !ids.has(id))
}

/** Shows that the executions' node is alive. */
export async function beatExecutions(db: Database, executionIds: readonly string[]): Promise<void> {
  if (executionIds.length === 0) return
  await db
    .updateTable('executions')
    .set({ heartbeatAt: sql<Date>`now()` })
    .where('id', '=', sql<string>`any(${sql.val(executionIds)})`)
    .where('status', '=', 'RUNNING')
    .execute()
}

export async function insertJobError(trx: Tx, error: Insertable<Tables['jobErrors']>): Promise<JobErrorRow> {
  return await trx.insertInto('jobErrors').values(error).returningAll().executeTakeFirstOrThrow()
}

export async function findJobError(db: Database | Tx, id: string): Promise<JobErrorRow | null> {
  return (await db.selectFrom('jobErrors').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
}
