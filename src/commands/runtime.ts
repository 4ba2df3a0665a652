import { type Config, ConfigError } from '../config.ts'
import { type Database, openDatabase } from '../db/database.ts'
import { openEmbedded } from '../db/embedded/server.ts'
import { migrate } from '../db/migrate.ts'
import { serverVersion } from '../db/serverVersion.ts'
import type { Logger } from '../log.ts'

/** The database a command works on. */
export interface Runtime {
  databaseUrl: string
  db: Database
  close(): Promise<void>
}

/**
 * Opens the database of the settings (DATABASE_URL, or the embedded server, started if need be) with a pool of `max`
 * connections. `migrated: true` brings it to this version first. Throws ConfigError where DATABASE_URL names no server
 * that answers.
 */
export async function openRuntime(
  config: Config,
  log: Logger,
  options: { name: string; max: number; migrated: boolean },
): Promise<Runtime> {
  const embedded = config.databaseUrl === null ? await openEmbedded({ dataDir: config.dataDir, log }) : null
  const databaseUrl = embedded?.url ?? config.databaseUrl ?? ''
  const db = openDatabase(databaseUrl, { max: options.max, name: options.name, log })
  const close = async () => {
    await db.destroy()
    await embedded?.close()
  }
  try {
    if (config.databaseUrl !== null) await reach(db)
    if (options.migrated) {
      for (const name of await migrate(db)) log.info({ migration: name }, 'migrated')
    }
  } catch (error) {
    await close()
    throw error
  }
  return { databaseUrl, db, close }
}

async function reach(db: Database): Promise<void> {
  try {
    await serverVersion(db)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    // Where a name has several addresses the message is empty, and the code says what all of them answered.
    const why = error.message || ('code' in error ? String(error.code) : error.name)
    throw new ConfigError(`DATABASE_URL names no database that answers: ${why}`, { cause: error })
  }
}
