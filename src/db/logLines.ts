import type { Database } from './database.ts'
import type { LogLineRow } from './tables.ts'

/** A job's log lines after the given one, in order; at most `limit`. */
export async function readLogLines(
  db: Database,
  jobId: string,
  afterLine: number,
  limit: number,
): Promise<LogLineRow[]> {
  return await db
    .selectFrom('jobLogLines')
    .selectAll()
    .where('jobId', '=', jobId)
    .where('line', '>', afterLine)
    .orderBy('line')
    .limit(limit)
    .execute()
}
