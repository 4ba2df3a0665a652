import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, executionsOf, insertScrapeUrl, jobOf, silent, submitted } from '../support/engineFixtures.ts'

let test: TestDatabase
let queue: Queue
let folder: string
const nodes: ChildProcess[] = []

beforeAll(async () => {
  test = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'gavel-recovery-'))
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
})

afterAll(async () => {
  for (const node of nodes) if (node.exitCode === null && node.signalCode === null) await ended(node)
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

async function ended(node: ChildProcess): Promise<void> {
  const exit = once(node, 'exit')
  node.kill('SIGKILL')
  await exit
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

it('a job whose whole node is killed goes on at another node, and saves nothing twice', async () => {
  const hang = join(folder, 'go')
  const siteKey = `${randomUUID()}.example.test`
  const url = `https://${siteKey}/?${new URLSearchParams({ hang }).toString()}`
  const first = await startFixtureNode()
  const { id } = await submitted(commandsOn(test.db, queue), {
    scrapeUrlId: await insertScrapeUrl(test.db, { siteKey, url }),
  })
  await vi.waitFor(async () => expect((await jobOf(test.db, id)).datesDone).toBe(1), { timeout: 20_000 })
  const [running] = await executionsOf(test.db, id)
  await startFixtureNode()
  await ended(first)
  // Its worker does not outlive it.
  await vi.waitFor(() => expect(isAlive(running?.workerPid ?? 0)).toBe(false), { timeout: 10_000 })
  await writeFile(hang, '')

  await vi.waitFor(async () => expect((await jobOf(test.db, id)).status).toBe('COMPLETED'), { timeout: 30_000 })
  expect(await jobOf(test.db, id)).toMatchObject({ attempt: 2, rowsSuccess: 9 })
  const [lost, second] = await executionsOf(test.db, id)
  expect(lost).toMatchObject({ status: 'FAILED', stats: { code: 'WORKER_LOST' } })
  expect(second?.workerNode).not.toBe(lost?.workerNode)
  const saved = await test.db.selectFrom('jobProspects').selectAll().where('jobId', '=', id).execute()
  expect(saved).toHaveLength(9)
}, 90_000)
