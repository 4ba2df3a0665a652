import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openEmbedded } from '../src/db/embedded/server.ts'
import { createLogger } from '../src/log.ts'

/** A Postgres for one run, with databases that are gone after it. */
export interface Postgres extends AsyncDisposable {
  /** Makes an empty database; answers its URL. */
  createDatabase(): Promise<string>
}

/** The server of TEST_DATABASE_URL, or an embedded one in a temporary folder. */
export async function openPostgres(): Promise<Postgres> {
  const closing = new AsyncDisposableStack()
  const server = new URL(process.env['TEST_DATABASE_URL'] ?? (await startEmbedded(closing)))
  return {
    async createDatabase() {
      const name = `gavel_bench_${randomUUID().replaceAll('-', '')}`
      await statement(server.href, `create database ${name}`)
      closing.defer(async () => await statement(server.href, `drop database if exists ${name} with (force)`))
      const own = new URL(server)
      own.pathname = `/${name}`
      return own.href
    },
    [Symbol.asyncDispose]: async () => await closing.disposeAsync(),
  }
}

async function startEmbedded(closing: AsyncDisposableStack): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gavel-bench-'))
  closing.defer(async () => await rm(dataDir, { recursive: true, force: true }))
  const server = await openEmbedded({ dataDir, log: createLogger('silent', 'bench') })
  closing.defer(async () => await server.close())
  return server.url
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
