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

export async function insertExecution(
  trx: Tx,
  execution: { id: string; jobId: string; attempt: number; workerNode: string; workerPid: number },
): Promise<ExecutionRow> {
  return await trx.insertInto('executions').values(execution).returningAll().executeTakeFirstOrThrow()
}

/**
 * Closes an open execution: from here on its worker can write nothing. `stats` gets the job's days by outcome; `stages`
 * null keeps what the execution's days have stored. Answers the milliseconds of all executions of the job that have
 * ended. The caller holds the job's lock.
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
): Promise<number> {
  const closed = await trx
    .updateTable('executions')
    .set({
      status: end.status,
      stats: sql<string>`${JSON.stringify(end.stats)}::jsonb || jsonb_build_object('days', (
        select coalesce(jsonb_object_agg(outcome, days), '{}') from (
          select outcome, count(*) as days from scrape_days d
          where d.job_id = executions.job_id and latest and date is not null group by outcome
        ) as counted))`,
      ...(end.stages ? { stages: JSON.stringify(end.stages) } : {}),
      errorMessage: end.errorMessage,
      finishedAt: sql<Date>`greatest(now(), started_at)`,
      durationMs: sql<number>`greatest(0, extract(epoch from now() - started_at) * 1000)::bigint`,
    })
    .where('id', '=', executionId)
    .where('status', '=', 'RUNNING')
    // This one is not yet among those that the subquery sees.
    .returning(
      sql<number>`duration_ms + (
      select coalesce(sum(e.duration_ms), 0)::bigint from executions e where e.job_id = executions.job_id)`.as('total'),
    )
    .executeTakeFirstOrThrow()
  return closed.total
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

/** The open executions whose worker has shown no life for so long, the longest first. */
export async function staleExecutions(db: Database, olderThanSeconds: number): Promise<ExecutionRow[]> {
  return await db
    .selectFrom('executions')
    .selectAll()
    .where('status', '=', 'RUNNING')
    .where('heartbeatAt', '<', sql<Date>`now() - make_interval(secs => ${olderThanSeconds})`)
    .orderBy('heartbeatAt')
    .execute()
}

/**
 * Shows that the executions' node is alive. One that a save has locked is passed over, so that a save that waits takes
 * no life from the others; it shows life by itself (sumReports).
 */
export async function beatExecutions(db: Database, executionIds: readonly string[]): Promise<void> {
  if (executionIds.length === 0) return
  await db
    .updateTable('executions')
    .set({ heartbeatAt: sql<Date>`clock_timestamp()` })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('executions')
        .select('id')
        .where('id', '=', sql<string>`any(${sql.val(executionIds)})`)
        .where('status', '=', 'RUNNING')
        .forUpdate()
        .skipLocked(),
    )
    .execute()
}

export async function insertJobError(trx: Tx, error: Insertable<Tables['jobErrors']>): Promise<JobErrorRow> {
  return await trx.insertInto('jobErrors').values(error).returningAll().executeTakeFirstOrThrow()
}

export async function findJobError(db: Database | Tx, id: string): Promise<JobErrorRow | null> {
  return (await db.selectFrom('jobErrors').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
}
