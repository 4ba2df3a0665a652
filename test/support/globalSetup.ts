import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createLogger } from '../../src/log.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server's maintenance database; each test file clones `templateDatabase` beside it. */
    serverUrl: string
    templateDatabase: string
  }
}

/**
 * One Postgres for the whole run: TEST_DATABASE_URL, or an embedded one in a temporary folder. Its migrated template
 * is cloned by each test file (test/support/database.ts).
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer()
  const template = `gavel_template_${randomUUID().replaceAll('-', '')}`
  await admin(server.url, `create database ${template}`)
  const db = openDatabase(withDatabase(server.url, template), {
    max: 1,
    name: 'template',
    log: createLogger('silent', 'test'),
  })
  await migrate(db)
  await db.destroy()
  project.provide('serverUrl', server.url)
  project.provide('templateDatabase', template)
  return async () => {
    await admin(server.url, `drop database if exists ${template} with (force)`)
    await server.stop()
  }
}

async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const given = process.env['TEST_DATABASE_URL']
  if (given) return { url: given, stop: async () => {} }
  const { openEmbedded } = await import('../../src/db/embedded/server.ts')
  const dataDir = await mkdtemp(join(tmpdir(), 'gavel-test-'))
  const server = await openEmbedded({ dataDir, log: createLogger('silent', 'test') })
  return {
    url: server.url,
    stop: async () => {
      await server.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
