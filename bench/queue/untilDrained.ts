import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database } from '../../src/db/database.ts'

/**
 * Enqueues jobs and waits until all are done. Answers jobs/s between the instants at which pg-boss gave out the first
 * and took the last for done, which it keeps itself.
 */
export async function untilDrained(db: Database, jobs: number, enqueue: () => Promise<void>): Promise<number> {
  const { rows: now } = await sql<{ at: Date }>`select now() as at`.execute(db)
  const before = now[0]?.at
  await enqueue()
  const deadline = Date.now() + 300_000
  while (Date.now() < deadline) {
    await delay(200)
    const { rows } = await sql<{ done: number; seconds: number }>`
      select count(completed_on)::int as done,
        extract(epoch from max(completed_on) - min(started_on))::float8 as seconds
      from pgboss.job where name = 'scrape' and created_on >= ${before}`.execute(db)
    const [drained] = rows
    if (drained && drained.done >= jobs) return jobs / drained.seconds
  }
  throw new Error(`${jobs} jobs were not done in time`)
}
