import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConfigError } from '../../src/config.ts'
import { countConnections } from '../../src/db/connectionCount.ts'
import { checkConnections, connectionBudget } from '../../src/engine/connections.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let test: TestDatabase

beforeAll(async () => {
  test = await createTestDatabase()
})

afterAll(async () => await test.drop())

it('a node with the API and four workers opens up to 41 connections', () => {
  expect(connectionBudget({ workers: 4, api: true })).toBe(41)
  expect(connectionBudget({ workers: 4, api: false })).toBe(30)
  expect(connectionBudget({ workers: 0, api: true })).toBe(16)
})

it('a node that fits may start; one that does not is told how many workers do', async () => {
  await checkConnections(test.db, { workers: 1, api: false })
  const refused = checkConnections(test.db, { workers: 10_000, api: true })
  await expect(refused).rejects.toThrow(ConfigError)
  await expect(refused).rejects.toThrow(
    /^GAVEL_WORKERS 10000 takes up to 50021 connections, and Postgres has \d+ left \(max_connections \d+, \d+ reserved, \d+ in use\): set it to \d+ or less, or raise max_connections$/,
  )
})

it('connections of others count as in use', async () => {
  const before = await countConnections(test.db)
  expect(before.max).toBeGreaterThanOrEqual(50)
  const others = Array.from({ length: 5 }, () => new pg.Client(test.url))
  for (const other of others) await other.connect()
  const names = others.length
  const { inUse } = await countConnections(test.db)
  for (const other of others) await other.end()
  // Whatever else the server does at this time: ours are among them.
  expect(inUse).toBeGreaterThanOrEqual(names)
})
