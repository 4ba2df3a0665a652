import { sql } from 'kysely'
import type { Database } from './database.ts'

/**
 * Switches the statistics of pg-boss off, for all nodes and for good; its watch over silent nodes goes on.
 *
 * pg-boss 12.35 keeps, beside the counts, a list of the sites that are busy, and its workers skip those by a copy that
 * is up to a minute old: a site's next job, and that of a dead node, would wait as long for nothing (measured: more
 * than 30 s). Without a list none is skipped; one job at a time per site is the unique index's work, not the list's.
 * And nothing scans the whole table once a second.
 */
export async function disableQueueStatistics(db: Database): Promise<void> {
  await sql`update pgboss.version set monitor_backoff_on = 'infinity'`.execute(db)
  await sql`update pgboss.queue set singletons_active = null where singletons_active is not null`.execute(db)
}
