import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { JobRow } from '../../src/db/tables.ts'
import type { Commands } from '../../src/engine/commands.ts'
import { type Node, startNode } from '../../src/engine/node.ts'
import type { SubmitJobInput } from '../../src/engine/submitJob.ts'
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
let node: Node
let commands: Commands

beforeAll(async () => {
  test = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'gavel-node-'))
  const config = testConfig({ GAVEL_CSV_DIR: join(folder, 'csv'), LOG_LEVEL: 'silent' })
  node = await startNode({
    config,
    databaseUrl: test.url,
    db: test.db,
    log: silent,
    workers: 2,
    workerEntry: new URL('../support/fixtureWorker.ts', import.meta.url),
  })
  commands = commandsOn(test.db, node.queue)
})

afterAll(async () => {
  const pids = node.workers().map((worker) => worker.pid)
  await node.stop(0)
  if (pids.some(isAlive)) throw new Error('workers outlive their node')
  await test.drop()
  await rm(folder, { recursive: true })
})

const hangs: string[] = []
afterEach(async () => {
  for (const file of hangs.splice(0)) await writeFile(file, '')
})

/** A path that a site waits for, until the test is over at the latest. */
function hangFile(): string {
  const file = join(folder, randomUUID())
  hangs.push(file)
  return file
}

/** Submits a job on a fixture site that behaves as the query says. */
async function submit(query: Record<string, string>, input: Partial<SubmitJobInput> = {}): Promise<JobRow> {
  const siteKey = `${randomUUID()}.example.test`
  const url = `https://${siteKey}/?${new URLSearchParams(query).toString()}`
  return await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db, { siteKey, url }), ...input })
}

const until = { timeout: 20_000, interval: 25 }

async function reaches(jobId: string, expected: Partial<JobRow>): Promise<JobRow> {
  return await vi.waitFor(async () => {
    const job = await jobOf(test.db, jobId)
    expect(job).toMatchObject(expected)
    return job
  }, until)
}

async function busyWorker(jobId: string): Promise<number> {
  return await vi.waitFor(async () => {
    // The first day is saved: the site waits in the second.
    expect(await jobOf(test.db, jobId)).toMatchObject({ status: 'RUNNING', datesDone: 1 })
    const worker = node.workers().find((one) => one.jobId === jobId)
    if (!worker) throw new Error('no worker yet')
    return worker.pid
  }, until)
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

async function savedProspects(jobId: string): Promise<number> {
  const rows = await test.db.selectFrom('jobProspects').selectAll().where('jobId', '=', jobId).execute()
  return rows.length
}

describe('a job', () => {
  it('runs in a child process, saves each day, writes its file and is completed', async () => {
    const { id } = await submit({ items: '4', label: 'Odd Label:' })
    const job = await reaches(id, { status: 'COMPLETED' })
    expect(job).toMatchObject({ attempt: 1, datesDone: 3, rowsProcessed: 12, rowsSuccess: 12, queueId: null })
    expect(job.currentDate).toBeNull()
    expect(job.finishedAt).toBeInstanceOf(Date)
    const [execution, ...others] = await executionsOf(test.db, id)
    expect(others).toEqual([])
    expect(execution).toMatchObject({
      status: 'COMPLETED',
      errorMessage: null,
      stats: { ok: true, days: { COMPLETE: 3 } },
      workerNode: node.name,
    })
    expect(execution?.workerPid).not.toBe(process.pid)
    expect(job.durationMs).toBe(execution?.durationMs)
    expect(execution?.stages.map((stage) => stage.name)).toEqual(['PARSE', 'CONVERT', 'SAVE', 'EXPORT', 'NOTIFY'])
    const lines = (await linesOf(test.db, id)).map((line) => line.message.replace(/\d+ ms$/, 'N ms'))
    expect(lines).toEqual([
      'attempt 1 started',
      'saved 4 auctions of 2026-03-16 in N ms',
      'saved 4 auctions of 2026-03-17 in N ms',
      'saved 4 auctions of 2026-03-18 in N ms',
      'unknown labels: Odd Label',
      'completed: 12 auctions of 3 days',
    ])
    const csv = await readFile(join(folder, 'csv', `FL_Miami-Dade_${id}.csv`), 'utf8')
    const [header, first, ...rest] = csv.trimEnd().split('\n')
    expect(header).toMatch(/^id,state,county,caseNumber,.*,Parcel ID:,Property Address:$/)
    expect(header).toContain(',Odd Label:,')
    expect(first).toMatch(/,[1-4]000\.50,/)
    expect(first).toContain(",'-7,")
    expect(rest).toHaveLength(11)
    expect((await readdir(join(folder, 'csv'))).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('keeps a row that cannot be converted as an error and goes on', async () => {
    const { id } = await submit({ items: '2', bad: '1' }, { endDate: '2026-03-16' })
    const job = await reaches(id, { status: 'COMPLETED' })
    expect(job).toMatchObject({ rowsSuccess: 1, rowsFailed: 1 })
    expect(await errorsOf(test.db, id)).toMatchObject([{ code: 'ROW_INVALID', field: 'finalJudgmentAmount' }])
  })

  it('whose worker is killed is run again at once and saves nothing twice', async () => {
    const hang = hangFile()
    const { id } = await submit({ hang })
    const pid = await busyWorker(id)
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(async () => expect((await executionsOf(test.db, id)).length).toBe(2), until)
    await writeFile(hang, '')
    const job = await reaches(id, { status: 'COMPLETED' })
    expect(job).toMatchObject({ attempt: 2, rowsSuccess: 9, rowsProcessed: 9 })
    expect(await savedProspects(id)).toBe(9)
    const [lost, second] = await executionsOf(test.db, id)
    expect(lost).toMatchObject({ status: 'FAILED', rowsSuccess: 3, stats: { ok: false, code: 'WORKER_LOST' } })
    expect(lost?.errorMessage).toContain('SIGKILL')
    // The first day is done: the second attempt reads the other two.
    expect(second).toMatchObject({ status: 'COMPLETED', rowsSuccess: 6 })
    const reports = await test.db.selectFrom('scrapeDays').selectAll().where('jobId', '=', id).execute()
    expect(reports.filter((day) => day.outcome === 'COMPLETE')).toHaveLength(3)
    expect(node.workers().map((worker) => worker.pid)).not.toContain(pid)
  })

  it('that always kills its worker fails after its attempts, with the exit code in the error', async () => {
    const { id } = await submit({ crash: '1' }, { maxAttempts: 2 })
    await reaches(id, { status: 'FAILED', attempt: 2 })
    expect((await errorsOf(test.db, id)).map((error) => [error.code, error.message])).toEqual([
      ['WORKER_LOST', expect.stringContaining('ended with code 7')],
      ['WORKER_LOST', expect.stringContaining('ended with code 7')],
    ])
  })

  it('whose time is up is ended with its process, even when that blocks its event loop', async () => {
    const { id } = await submit({ spin: '1' }, { timeoutSeconds: 1, maxAttempts: 1 })
    const job = await reaches(id, { status: 'FAILED' })
    const [error] = await errorsOf(test.db, id)
    expect(error).toMatchObject({ code: 'TIMEOUT', category: 'NETWORK', retryable: true })
    expect(job.endedByErrorId).toBe(error?.id)
  })

  it('fails an attempt with the first open day, reads the others, and takes only that day again', async () => {
    const { id } = await submit({ fail: 'CONNECTION' }, { maxAttempts: 3 })
    await reaches(id, { status: 'PENDING', attempt: 1, datesDone: 2 })
    // The day that was open is the first of the second attempt's days, where the site does not fail.
    const job = await reaches(id, { status: 'COMPLETED', attempt: 2, datesDone: 3 })
    const errors = await errorsOf(test.db, id)
    expect(errors).toMatchObject([{ code: 'CONNECTION', date: '2026-03-17', retryable: true }])
    expect(job.endedByErrorId).toBeNull()
    const [first] = await executionsOf(test.db, id)
    expect(first).toMatchObject({ status: 'FAILED', rowsSuccess: 6, errorMessage: 'CONNECTION on 2026-03-17' })
  })

  it('that is blocked ends its attempt at once', async () => {
    const { id } = await submit({ fail: 'BLOCKED' }, { maxAttempts: 1 })
    const job = await reaches(id, { status: 'FAILED' })
    expect(job.datesDone).toBe(1)
    const error = await errorsOf(test.db, id)
    expect(error).toMatchObject([{ code: 'BLOCKED' }])
    expect(job.endedByErrorId).toBe(error[0]?.id)
  })

  it('waits as long as the site asks, and the next execution does not raise its attempt', async () => {
    const { id } = await submit({ fail: 'HTTP_ERROR', retryAfter: '1' }, { endDate: '2026-03-17', maxAttempts: 1 })
    const job = await reaches(id, { status: 'COMPLETED' })
    expect(job.attempt).toBe(1)
    const executions = await executionsOf(test.db, id)
    expect(executions.map((one) => [one.attempt, one.status])).toEqual([
      [1, 'FAILED'],
      [1, 'COMPLETED'],
    ])
  })

  it('that is cancelled while it runs loses its worker, and is not run again', async () => {
    const { id } = await submit({ hang: hangFile() })
    const pid = await busyWorker(id)
    expect(await commands.cancelJob(id)).toMatchObject({ kind: 'ok', value: { status: 'CANCELLED' } })
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), until)
    await vi.waitFor(() => expect(node.workers().filter((one) => one.state === 'IDLE')).toHaveLength(2), until)
    expect(await jobOf(test.db, id)).toMatchObject({ status: 'CANCELLED', attempt: 1 })
    expect(await executionsOf(test.db, id)).toMatchObject([{ status: 'CANCELLED', errorMessage: 'cancelled' }])
    expect(await errorsOf(test.db, id)).toEqual([])
  })

  it('waits for another on the same site, while other sites go on', async () => {
    const hang = hangFile()
    const first = await submit({ hang })
    await busyWorker(first.id)
    const { scrapeUrlId } = await jobOf(test.db, first.id)
    const second = await submitted(commands, { scrapeUrlId, priority: 100 })
    const elsewhere = await submit({ items: '1' })
    await reaches(elsewhere.id, { status: 'COMPLETED' })
    expect((await jobOf(test.db, second.id)).status).toBe('PENDING')
    await writeFile(hang, '')
    await reaches(second.id, { status: 'COMPLETED' })
    const [a] = await executionsOf(test.db, first.id)
    const [b] = await executionsOf(test.db, second.id)
    expect(b?.startedAt.getTime()).toBeGreaterThanOrEqual(a?.finishedAt?.getTime() ?? Infinity)
  })
})
