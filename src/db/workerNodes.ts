import { sql } from 'kysely'
import type { Database } from './database.ts'
import type { WorkerRow } from './tables.ts'

/**
 * Writes the node's row, or brings it up to date: its workers as they stand, why it does not take all jobs (null when
 * it does), and the time.
 */
export async function beatNode(
  db: Database,
  name: string,
  node: { workers: readonly WorkerRow[]; fault: string | null },
): Promise<void> {
  const state = { workers: JSON.stringify(node.workers), fault: node.fault }
  await db
    .insertInto('workerNodes')
    .values({ name, ...state })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ ...state, heartbeatAt: sql<Date>`now()` }))
    .execute()
}

/** Takes the node's row out, and those of nodes that have been silent for an hour. */
export async function removeNode(db: Database, name: string): Promise<void> {
  await db
    .deleteFrom('workerNodes')
    .where((eb) => eb.or([eb('name', '=', name), eb('heartbeatAt', '<', sql<Date>`now() - interval '1 hour'`)]))
    .execute()
}
