import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { migrate, pendingMigrations } from '../src/db/migrate.ts'
import { createTestDatabase } from './support/database.ts'

const database = await createTestDatabase()
afterAll(() => database.drop())

test('the newest version has nothing left to migrate, and every migration goes down and up again', async () => {
  expect(await pendingMigrations(database.db)).toEqual([])
  const names: string[] = []
  for (let step = 0; step < 100; step++) {
    const [name] = await migrate(database.db, 'down')
    if (name === undefined) break
    names.push(name)
  }
  const left = await sql<{ tablename: string }>`
    select tablename from pg_tables where schemaname = 'public' and tablename not like 'kysely%'`.execute(database.db)
  expect(left.rows).toEqual([])
  expect(await migrate(database.db)).toEqual(names.toReversed())
})
