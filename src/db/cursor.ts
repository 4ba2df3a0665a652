import { type Expression, sql } from 'kysely'
import type { Database } from './database.ts'

const rowsPerFetch = 500
/** The most that one fetch may take: the first of a sorted list sorts it. */
const statementTimeout = '60s'
/** How long a reader may be busy with what was fetched; the database ends the transaction of one that never returns. */
const idleTimeout = '120s'

/**
 * The rows of the queries, one query after the other, in batches from server-side cursors: as many rows are in memory
 * as are fetched at once, and all are of one moment. It takes a connection of the pool until it is read to its end or
 * returned. `signal` cancels the query under way; the reading then throws the signal's reason.
 */
export async function* readInBatches<Row>(
  db: Database,
  queries: readonly Expression<Row>[],
  signal?: AbortSignal,
): AsyncGenerator<Row[], void, undefined> {
  const trx = await db.startTransaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute()
  let pid = 0
  const cancels: Promise<unknown>[] = []
  const cancel = () => {
    // One that fails leaves the query to its timeout.
    cancels.push(Promise.allSettled([sql`select pg_cancel_backend(${pid})`.execute(db)]))
  }
  try {
    const { rows: backend } = await sql<{ pid: number }>`
      select pg_backend_pid() as pid, set_config('statement_timeout', ${statementTimeout}, true),
        set_config('idle_in_transaction_session_timeout', ${idleTimeout}, true)`.execute(trx)
    pid = backend[0]?.pid ?? 0
    signal?.throwIfAborted()
    signal?.addEventListener('abort', cancel, { once: true })
    for (const query of queries) {
      await sql`declare rows_of no scroll cursor for ${query}`.execute(trx)
      let rows: Row[]
      do {
        signal?.throwIfAborted()
        ;({ rows } = await sql<Row>`fetch ${sql.lit(rowsPerFetch)} from rows_of`.execute(trx))
        if (rows.length > 0) yield rows
      } while (rows.length === rowsPerFetch)
      await sql`close rows_of`.execute(trx)
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', cancel)
    // Not before a cancel has gone out: it must not hit whoever has the connection next.
    await Promise.all(cancels)
    // It has only read.
    await trx.rollback().execute()
  }
}
