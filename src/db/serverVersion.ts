import { sql } from 'kysely'
import type { Database } from './database.ts'

/** The server's version as it names it: `18.4`, `15.18 (Debian 15.18-0+deb12u1)`. */
export async function serverVersion(db: Database): Promise<string> {
  const { rows } = await sql<{ serverVersion: string }>`show server_version`.execute(db)
  return rows[0]?.serverVersion ?? ''
}
