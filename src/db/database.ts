import { CamelCasePlugin, Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { Logger } from '../log.ts'
import type { Tables } from './tables.ts'

export type Database = Kysely<Tables>
export type Tx = Transaction<Tables>

const { types } = pg
// Calendar dates and numerics stay text: a JS Date would add a zone, a float would lose cents.
const parsers = new Map<number, (text: string) => unknown>([
  [types.builtins.DATE, (text) => text],
  [types.builtins.NUMERIC, (text) => text],
  // Counts and positions; none comes near 2^53.
  [types.builtins.INT8, Number],
])

const getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  parsers.get(oid) ?? types.getTypeParser(oid, format)) as typeof types.getTypeParser

/** How this project talks to Postgres: dates and numerics as text, UTC, an own name in pg_stat_activity. */
export function connectionSettings(url: string, applicationName: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: applicationName,
    types: { getTypeParser },
    // A dead peer is noticed. The transaction of a frozen process ends, and with it its locks, by the time that the
    // process is taken for dead (the least GAVEL_STALE_AFTER): what goes on in its place must not wait for it.
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: 10_000,
    options: '-c timezone=UTC',
  }
}

/**
 * Opens a pool on the database. Columns are camelCase here and snake_case in the database; keys inside JSON are left
 * alone. `max` is the number of connections; errors of idle connections go to the log (the pool replaces them). The
 * database cancels a statement that takes longer than `statementMs`, with SQLSTATE 57014; unless told, none.
 */
export function openDatabase(
  url: string,
  options: { max: number; name: string; log: Logger; statementMs?: number },
): Database {
  const settings = connectionSettings(url, options.name)
  const pool = new pg.Pool({ ...settings, max: options.max, statement_timeout: options.statementMs ?? false })
  pool.on('error', (error) => options.log.warn({ err: error }, 'an idle database connection was lost'))
  // The pool does not listen while a connection is in use; one that is lost between two statements of a transaction
  // would end the process. The next statement fails with it.
  pool.on('connect', (client) => client.on('error', (error) => options.log.debug({ err: error }, 'connection lost')))
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  })
}
