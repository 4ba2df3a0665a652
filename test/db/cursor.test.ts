import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { readInBatches } from '../../src/db/cursor.ts'
import { createTestDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

const database = await createTestDatabase()
const { db } = database
afterAll(() => database.drop())

/** The statements and transactions of others that are under way. */
async function underWay(): Promise<string[]> {
  const { rows } = await sql<{ query: string }>`select query from pg_stat_activity
    where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`.execute(db)
  return rows.map((row) => row.query)
}

const numbers = (from: number, to: number) =>
  sql<{ n: number }>`select n from generate_series(${from}::int, ${to}::int) n order by n`

test('it reads every row of each query in turn, whether a batch is full or not', async () => {
  const read = await Array.fromAsync(readInBatches(db, [numbers(1, 1000), numbers(2000, 1000), numbers(1001, 1501)]))
  expect(read.map((batch) => batch.length)).toEqual([500, 500, 500, 1])
  expect(read.flat().map((row) => row.n)).toEqual(Array.from({ length: 1501 }, (_, i) => i + 1))
})

test('all rows are of one moment', async () => {
  await sql`create table things (n int)`.execute(db)
  await sql`insert into things select generate_series(1, 600)`.execute(db)
  const things = sql<{ n: number }>`select n from things`
  const read = readInBatches(db, [things, things])
  expect((await read.next()).value).toHaveLength(500)
  await sql`delete from things`.execute(db)
  expect((await Array.fromAsync(read)).map((batch) => batch.length)).toEqual([100, 500, 100])
})

test('a reader that returns, and one that fails, leave no transaction', async () => {
  for await (const _ of readInBatches(db, [numbers(1, 1000)])) break
  await expect(Array.fromAsync(readInBatches(db, [sql`select 1 / 0`]))).rejects.toThrow('division by zero')
  expect(await underWay()).toEqual([])
})

test('a query under way is cancelled by the signal, and its connection is free for others', async () => {
  const gone = new AbortController()
  const left = new Error('the client left')
  const read = Array.fromAsync(readInBatches(db, [sql`select pg_sleep(600)`], gone.signal))
  const failed = read.catch((error: unknown) => error)
  await until(async () => expect(await underWay()).toEqual([expect.stringContaining('fetch')]))
  gone.abort(left)
  expect(await failed).toBe(left)
  expect(await underWay()).toEqual([])
})
