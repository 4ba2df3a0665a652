import { sql } from 'kysely'
import type { Database } from './database.ts'

/** How many connections the server takes, and how many of them are spoken for. */
export interface ConnectionCount {
  max: number
  /** For superusers and roles that were given pg_use_reserved_connections. */
  reserved: number
  /** By everybody but the connection that asks. */
  inUse: number
}

export async function countConnections(db: Database): Promise<ConnectionCount> {
  // What has a database is a client, but for the server's own processes, whose kind not everybody may see.
  const { rows } = await sql<ConnectionCount>`
    select current_setting('max_connections')::int as max,
      current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
      (select count(*)::int from pg_stat_activity
        where datid is not null and pid <> pg_backend_pid()
          and coalesce(backend_type, 'client backend') = 'client backend') as in_use`.execute(db)
  const [row] = rows
  if (!row) throw new Error('the server does not tell of its connections')
  return row
}
