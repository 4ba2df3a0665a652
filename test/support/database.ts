import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { type Database, openDatabase } from '../../src/db/database.ts'
import { createLogger } from '../../src/log.ts'

export interface TestDatabase {
  url: string
  db: Database
  drop(): Promise<void>
}

/** A migrated database of one's own, cloned from the run's template; `drop` in afterAll. */
export async function createTestDatabase(options: { statementMs?: number } = {}): Promise<TestDatabase> {
  const name = `gavel_test_${randomUUID().replaceAll('-', '')}`
  const server = new URL(inject('serverUrl'))
  await statement(server.href, `create database ${name} template ${inject('templateDatabase')}`)
  const own = new URL(server)
  own.pathname = `/${name}`
  const db = openDatabase(own.href, { ...options, max: 5, name: 'test', log: createLogger('silent', 'test') })
  return {
    url: own.href,
    db,
    async drop() {
      await db.destroy()
      await statement(server.href, `drop database if exists ${name} with (force)`)
    },
  }
}

async function statement(url: string, text: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
