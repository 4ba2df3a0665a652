import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { JobRow } from '../../src/db/tables.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, executionsOf, insertScrapeUrl, jobOf, silent, submitted } from '../support/engineFixtures.ts'

let test: TestDatabase
let queue: Queue
let folder: string
const nodes: ChildProcess[] = []
const frozen: number[] = []

beforeAll(async () => {
  test = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'gavel-frozen-'))
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
})

afterAll(async () => {
  for (const pid of frozen) process.kill(pid, 'SIGCONT')
  for (const node of nodes) await killed(node)
  await queue.stop()
  await test.drop()
  await rm(folder, { recursive: true })
})

async function startFixtureNode(): Promise<ChildProcess> {
  const node = fork(new URL('../support/fixtureNode.ts', import.meta.url), {
    execArgv: [],
    env: { ...process.env, DATABASE_URL: test.url, GAVEL_CSV_DIR: folder },
  })
  nodes.push(node)
  await once(node, 'message')
  return node
}

async function killed(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return
  const exit = once(node, 'exit')
  node.kill('SIGKILL')
  await exit
}

async function submit(query: Record<string, string>): Promise<JobRow> {
  const siteKey = `${randomUUID()}.example.test`
  const url = `https://${siteKey}/?${new URLSearchParams(query).toString()}`
  const scrapeUrlId = await insertScrapeUrl(test.db, { siteKey, url })
  return await submitted(commandsOn(test.db, queue), { scrapeUrlId })
}

const until = { timeout: 30_000, interval: 25 }

/** Stops a node and its workers as they stand, as a machine that is suspended does. */
async function freeze(node: ChildProcess): Promise<void> {
  const rows = await test.db.selectFrom('workerNodes').selectAll().execute()
  const row = rows.find(({ name }) => name.includes(`-${node.pid}-`))
  const pids = [node.pid ?? 0, ...(row?.workers.map((worker) => worker.pid) ?? [])]
  expect(pids).toHaveLength(2)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  frozen.push(...pids)
}

function thaw(): void {
  for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT')
}

it('a frozen node loses its job to another, writes nothing when it comes back, and takes the next', async () => {
  const hang = join(folder, 'go')
  const first = await startFixtureNode()
  const { id } = await submit({ hang })
  await vi.waitFor(async () => expect((await jobOf(test.db, id)).datesDone).toBe(1), until)
  await freeze(first)
  const second = await startFixtureNode()
  await vi.waitFor(async () => expect((await jobOf(test.db, id)).attempt).toBe(2), until)
  // Both may go on now; the first cannot yet.
  await writeFile(hang, '')
  await vi.waitFor(async () => expect((await jobOf(test.db, id)).status).toBe('COMPLETED'), until)
  await killed(second)
  const stands = async () => ({
    job: await jobOf(test.db, id),
    executions: await executionsOf(test.db, id),
    days: await test.db.selectFrom('scrapeDays').selectAll().where('jobId', '=', id).orderBy('date').execute(),
  })
  const before = await stands()
  expect(before.executions).toMatchObject([
    { status: 'FAILED', rowsSuccess: 3, stats: { ok: false, code: 'WORKER_LOST' } },
    { status: 'COMPLETED', rowsSuccess: 6, stats: { ok: true } },
  ])
  for (const { finishedAt, durationMs } of before.executions) {
    expect(finishedAt).toBeInstanceOf(Date)
    expect(durationMs).toBeGreaterThan(0)
  }

  thaw()
  const next = await submit({ items: '1' })
  await vi.waitFor(async () => expect((await jobOf(test.db, next.id)).status).toBe('COMPLETED'), until)
  const [execution] = await executionsOf(test.db, next.id)
  expect(execution?.workerNode).toBe(before.executions[0]?.workerNode)
  expect(await stands()).toEqual(before)
}, 90_000)

it('the transaction of a frozen worker ends by the time that it is taken for dead', async () => {
  const { rows } = await sql`show idle_in_transaction_session_timeout`.execute(test.db)
  expect(rows).toEqual([{ idleInTransactionSessionTimeout: '10s' }])
})
