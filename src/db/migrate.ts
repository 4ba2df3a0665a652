import { readdir } from 'node:fs/promises'
import { type Migration, type MigrationResultSet, Migrator } from 'kysely/migration'
import type { Database } from './database.ts'

const folder = new URL('../../migrations/', import.meta.url)

/**
 * Brings the database to this version (or, with `down`, one migration back), under Kysely's own lock, so that
 * several nodes may start at once. Returns the names of the migrations that ran. Throws what a migration threw.
 */
export async function migrate(db: Database, direction: 'latest' | 'down' = 'latest'): Promise<string[]> {
  const result = await (direction === 'latest' ? migrator(db).migrateToLatest() : migrator(db).migrateDown())
  return ran(result)
}

/** The migrations that this version has and the database has not. */
export async function pendingMigrations(db: Database): Promise<string[]> {
  const all = await migrator(db).getMigrations()
  return all.filter((one) => one.executedAt === undefined).map((one) => one.name)
}

function migrator(db: Database): Migrator {
  // Kysely's own table is read under its own names.
  return new Migrator({ db: db.withoutPlugins(), provider: { getMigrations } })
}

async function getMigrations(): Promise<Record<string, Migration>> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}_\w+\.ts$/.test(file)).toSorted()
  const migrations: Record<string, Migration> = {}
  for (const file of files) {
    migrations[file.replace(/\.ts$/, '')] = (await import(new URL(file, folder).href)) as Migration
  }
  return migrations
}

function ran({ error, results }: MigrationResultSet): string[] {
  if (error !== undefined) throw error
  return (results ?? []).filter((one) => one.status === 'Success').map((one) => one.migrationName)
}
