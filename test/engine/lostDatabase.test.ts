import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Database, openDatabase } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import type { JobRow } from '../../src/db/tables.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import type { SubmitJobInput } from '../../src/engine/submitJob.ts'
import {
  commandsOn,
  errorsOf,
  executionsOf,
  insertScrapeUrl,
  jobOf,
  linesOf,
  silent,
  submitted,
} from '../support/engineFixtures.ts'
import { type OwnPostgres, startOwnPostgres } from '../support/ownPostgres.ts'

let server: OwnPostgres
let db: Database
let queue: Queue
let folder: string
let node: ChildProcess

beforeAll(async () => {
  server = await startOwnPostgres()
  db = openDatabase(server.url, { max: 3, name: 'test', log: silent })
  await migrate(db)
  folder = await mkdtemp(join(tmpdir(), 'gavel-lost-'))
  queue = await openQueue({ db, databaseUrl: server.url, staleAfterSeconds: 10, worker: false, log: silent })
  node = fork(new URL('../support/fixtureNode.ts', import.meta.url), {
    execArgv: [],
    env: { ...process.env, DATABASE_URL: server.url, GAVEL_CSV_DIR: folder },
  })
  await once(node, 'message')
})

afterAll(async () => {
  const isAlive = node.exitCode === null && node.signalCode === null
  if (isAlive) {
    node.kill('SIGKILL')
    await once(node, 'exit')
  }
  await queue.stop()
  await db.destroy()
  await server.remove()
  await rm(folder, { recursive: true })
  if (!isAlive) throw new Error('the node did not outlive all of this')
})

async function submit(query: Record<string, string>, input: Partial<SubmitJobInput> = {}): Promise<JobRow> {
  const siteKey = `${randomUUID()}.example.test`
  const url = `https://${siteKey}/?${new URLSearchParams(query).toString()}`
  return await submitted(commandsOn(db, queue), { scrapeUrlId: await insertScrapeUrl(db, { siteKey, url }), ...input })
}

const until = { timeout: 25_000, interval: 25 }

async function reaches(jobId: string, expected: Partial<JobRow>): Promise<JobRow> {
  return await vi.waitFor(async () => {
    const job = await jobOf(db, jobId)
    expect(job).toMatchObject(expected)
    return job
  }, until)
}

/** Cuts every connection but the test's own; answers whose they were. */
async function cutConnections(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select application_name as name, pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'test'`.execute(db)
  return [...new Set(rows.map((row) => row.name))].toSorted()
}

async function linesAreGapless(jobId: string): Promise<void> {
  const numbers = (await linesOf(db, jobId)).map((line) => line.line)
  expect(numbers).toEqual(numbers.map((_, i) => i + 1))
}

describe('a node whose connections are cut', () => {
  it('goes on with its job, hears of cancels, and takes the next', async () => {
    const hang = join(folder, randomUUID())
    const { id } = await submit({ hang })
    await reaches(id, { status: 'RUNNING', datesDone: 1 })
    const cut = await cutConnections()
    expect(cut).toEqual(
      expect.arrayContaining(['fixture node', 'gavel listen gavel_execution_closed', 'gavel queue', 'gavel worker']),
    )
    await writeFile(hang, '')
    expect(await reaches(id, { status: 'COMPLETED' })).toMatchObject({ attempt: 1, rowsSuccess: 9 })

    const cancelled = await submit({ hang: join(folder, randomUUID()) })
    await reaches(cancelled.id, { status: 'RUNNING', datesDone: 1 })
    await commandsOn(db, queue).cancelJob(cancelled.id)
    const next = await submit({ items: '1' })
    await reaches(next.id, { status: 'COMPLETED', attempt: 1 })
  }, 60_000)

  it('saves every day once although they are cut again and again', async () => {
    const { id } = await submit({ items: '20' }, { startDate: '2026-03-01', endDate: '2026-03-31' })
    let cuts = 0
    let days = 0
    await vi.waitFor(
      async () => {
        const { status, datesDone } = await jobOf(db, id)
        // One day got through: the next is in the worker's hands.
        if (datesDone > days && status === 'RUNNING') cuts += (await cutConnections()).includes('gavel worker') ? 1 : 0
        days = datesDone
        expect(status).toBe('COMPLETED')
      },
      { timeout: 60_000, interval: 10 },
    )
    expect(cuts).toBeGreaterThan(3)
    expect(await jobOf(db, id)).toMatchObject({ attempt: 1, rowsSuccess: 620, datesDone: 31 })
    await linesAreGapless(id)
    const saved = await db.selectFrom('jobProspects').selectAll().where('jobId', '=', id).execute()
    expect(saved).toHaveLength(620)
  }, 90_000)
})

describe('a node whose Postgres is started again', () => {
  it('waits with its job and completes it', async () => {
    const hang = join(folder, randomUUID())
    const { id } = await submit({ hang })
    await reaches(id, { status: 'RUNNING', datesDone: 1 })
    await server.crash()
    // The worker goes on while nobody takes its days.
    await writeFile(hang, '')
    await server.start()
    expect(await reaches(id, { status: 'COMPLETED' })).toMatchObject({ attempt: 1, rowsSuccess: 9, datesDone: 3 })
    const [execution, ...others] = await executionsOf(db, id)
    expect(others).toEqual([])
    expect(execution).toMatchObject({ status: 'COMPLETED', stats: { ok: true }, errorMessage: null })
    await linesAreGapless(id)
  }, 60_000)

  it('ends the execution of a worker that has died meanwhile, with the reason', async () => {
    const hang = join(folder, randomUUID())
    const { id } = await submit({ hang, crash: '1' }, { maxAttempts: 1 })
    await reaches(id, { status: 'RUNNING', datesDone: 1 })
    const [running] = await executionsOf(db, id)
    await server.crash()
    await writeFile(hang, '')
    await vi.waitFor(() => expect(() => process.kill(running?.workerPid ?? 0, 0)).toThrow('ESRCH'), until)
    await server.start()
    await reaches(id, { status: 'FAILED', attempt: 1 })
    const [execution] = await executionsOf(db, id)
    expect(execution).toMatchObject({ status: 'FAILED', stats: { ok: false, code: 'WORKER_LOST' } })
    expect(execution?.errorMessage).toContain('ended with code 7')
    expect(execution?.finishedAt).toBeInstanceOf(Date)
    expect(execution?.durationMs).toBeGreaterThan(0)
    expect(await errorsOf(db, id)).toMatchObject([{ code: 'WORKER_LOST' }])
    const next = await submit({ items: '1' })
    await reaches(next.id, { status: 'COMPLETED', attempt: 1 })
  }, 60_000)
})
