import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startOf } from '../../src/db/embedded/processes.ts'
import type { JobRow } from '../../src/db/tables.ts'
import type { Commands } from '../../src/engine/commands.ts'
import { type Node, startNode } from '../../src/engine/node.ts'
import { processesWithin } from '../../src/engine/processesWithin.ts'
import type { SubmitJobInput } from '../../src/engine/submitJob.ts'
import { browserPatienceMs, testBrowser } from '../support/browser.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  commandsOn,
  errorsOf,
  executionsOf,
  insertScrapeUrl,
  jobOf,
  linesOf,
  silent,
  submitted,
  testConfig,
} from '../support/engineFixtures.ts'

let test: TestDatabase
let folder: string
/** The machine's folder of temporary files, as far as the node knows. */
let temporary: string
/** GAVEL_BROWSER: a link that leads nowhere until the test sets it. */
let link: string
let browserPath: string
let node: Node
let commands: Commands

beforeAll(async () => {
  browserPath = (await testBrowser()).executablePath ?? ''
  test = await createTestDatabase()
  folder = await realpath(await mkdtemp(join(tmpdir(), 'gavel-browser-jobs-')))
  temporary = join(folder, 'tmp')
  link = join(folder, 'browser')
  await mkdir(temporary)
  await symlink(browserPath, link)
  vi.stubEnv('TMPDIR', temporary)
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
  node = await startNode({
    config: testConfig({ GAVEL_CSV_DIR: join(folder, 'csv'), GAVEL_BROWSER: link, LOG_LEVEL: 'silent' }),
    databaseUrl: test.url,
    db: test.db,
    log: silent,
    workers: 1,
    workerEntry: new URL('../support/browserWorker.ts', import.meta.url),
  })
  commands = commandsOn(test.db, node.queue)
}, browserPatienceMs)

afterAll(async () => {
  await node.stop(0)
  vi.unstubAllEnvs()
  const left = await leftFolders()
  if (left.length > 0) throw new Error(`the node has left ${left.join(', ')}`)
  await test.drop()
  await rm(folder, { recursive: true })
})

const ids: string[] = []
afterEach(async () => {
  for (const id of ids.splice(0)) await commands.cancelJob(id)
})

async function submit(query: string, input: Partial<SubmitJobInput> = {}): Promise<JobRow> {
  const siteKey = `${randomUUID()}.example.test`
  const scrapeUrlId = await insertScrapeUrl(test.db, { siteKey, url: `https://${siteKey}/?${query}` })
  const job = await submitted(commands, { scrapeUrlId, transport: 'BROWSER', ...input })
  ids.push(job.id)
  return job
}

const until = { timeout: 60_000, interval: 25 }

async function reaches(jobId: string, expected: Partial<JobRow>): Promise<JobRow> {
  return await vi.waitFor(async () => {
    const job = await jobOf(test.db, jobId)
    expect(job).toMatchObject(expected)
    return job
  }, until)
}

const leftFolders = async () => (await readdir(temporary)).filter((name) => name !== 'node-compile-cache')

/** The job in the middle of its second day: its worker and the processes of its browser. */
async function inBrowser(jobId: string): Promise<{ worker: number; processes: number[]; profile: string }> {
  await reaches(jobId, { status: 'RUNNING', datesDone: 1 })
  const worker = node.workers().find((one) => one.jobId === jobId)?.pid ?? 0
  const [own = ''] = await leftFolders()
  const processes = await processesWithin(join(temporary, own))
  expect(processes).toContain(worker)
  // The browser's own, and those that draw its pages.
  expect(processes.length).toBeGreaterThan(2)
  return { worker, processes, profile: own }
}

async function isCleared({ processes, profile }: { processes: number[]; profile: string }): Promise<void> {
  await vi.waitFor(() => expect(processes.filter((pid) => startOf(pid) !== null)).toEqual([]), until)
  await vi.waitFor(async () => expect(await leftFolders()).not.toContain(profile), until)
}

describe('of a job in a browser', () => {
  it('nothing is left after a cancel, neither processes nor folders', async () => {
    const { id } = await submit('hang')
    const running = await inBrowser(id)
    expect(await commands.cancelJob(id)).toMatchObject({ kind: 'ok' })
    await isCleared(running)
    expect(await jobOf(test.db, id)).toMatchObject({ status: 'CANCELLED', datesDone: 1 })
    const [execution] = await executionsOf(test.db, id)
    expect(execution).toMatchObject({ status: 'CANCELLED', stats: { ok: false } })
    expect(execution?.finishedAt).toBeInstanceOf(Date)
    expect(execution?.durationMs).toBeGreaterThan(0)
  }, 60_000)

  it('nothing is left when its worker is killed', async () => {
    const { id } = await submit('hang', { maxAttempts: 1 })
    const running = await inBrowser(id)
    process.kill(running.worker, 'SIGKILL')
    await isCleared(running)
    await reaches(id, { status: 'FAILED' })
    expect(await errorsOf(test.db, id)).toMatchObject([{ code: 'WORKER_LOST' }])
  }, 60_000)

  it('nothing is left when its time is up', async () => {
    const { id } = await submit('hang', { maxAttempts: 1, timeoutSeconds: 12 })
    const running = await inBrowser(id)
    await isCleared(running)
    await reaches(id, { status: 'FAILED' })
    expect(await errorsOf(test.db, id)).toMatchObject([{ code: 'TIMEOUT' }])
  }, 60_000)
})

describe('a node without a browser', () => {
  it('fails one job for want of it and puts the others off, until there is one', async () => {
    await rm(link)
    const first = await submit('')
    await reaches(first.id, { status: 'FAILED', attempt: 1 })
    expect(await errorsOf(test.db, first.id)).toMatchObject([{ code: 'NO_BROWSER', category: 'SYSTEM' }])

    const waiting = await submit('')
    await vi.waitFor(async () => {
      const { nextAttemptAt, attempt, status } = await jobOf(test.db, waiting.id)
      expect({ attempt, status }).toEqual({ attempt: 0, status: 'PENDING' })
      expect(nextAttemptAt).toBeInstanceOf(Date)
    }, until)
    expect((await linesOf(test.db, waiting.id)).map((line) => line.message)).toContainEqual(
      expect.stringMatching(/^waits for a browser: /),
    )
    const faults = async () =>
      (await test.db.selectFrom('workerNodes').select('fault').execute()).map((one) => one.fault)
    await vi.waitFor(async () => expect(await faults()).toEqual([expect.stringContaining(link)]), until)

    await symlink(browserPath, link)
    await reaches(waiting.id, { status: 'COMPLETED', attempt: 1, nextAttemptAt: null })
    await vi.waitFor(async () => expect(await faults()).toEqual([null]), until)
  }, 180_000)
})
