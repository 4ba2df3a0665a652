import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { WorkerNodeRow } from './tables.ts'

/** The nodes whose heartbeat is not older than this, by name. */
export async function livingNodes(db: Database, staleAfterSeconds: number): Promise<WorkerNodeRow[]> {
  return await db
    .selectFrom('workerNodes')
    .selectAll()
    .where('heartbeatAt', '>', sql<Date>`now() - make_interval(secs => ${staleAfterSeconds})`)
    .orderBy('name')
    .execute()
}

/** What waits and what runs: jobs that may start now or wait for their next attempt, not the held ones. */
export async function queueDepth(
  db: Database,
): Promise<{ pending: number; running: number; oldestPendingSeconds: number | null }> {
  const row = await db
    .selectFrom('jobs')
    .select((eb) => [
      eb.fn.countAll<number>().filterWhere('status', '=', 'PENDING').as('pending'),
      eb.fn.countAll<number>().filterWhere('status', '=', 'RUNNING').as('running'),
      sql<number | null>`extract(epoch from now() - min(created_at) filter (
        where status = 'PENDING' and coalesce(next_attempt_at, now()) <= now()))::int`.as('oldestPendingSeconds'),
    ])
    .where('status', 'in', ['PENDING', 'RUNNING'])
    .where('held', '=', false)
    .executeTakeFirstOrThrow()
  return row
}
