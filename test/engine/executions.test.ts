import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Commands } from '../../src/engine/commands.ts'
import { endExecution, lostWorker, openExecution } from '../../src/engine/executions.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
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
} from '../support/engineFixtures.ts'

let test: TestDatabase
let queue: Queue
let commands: Commands

beforeAll(async () => {
  test = await createTestDatabase()
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
  commands = commandsOn(test.db, queue)
})

afterAll(async () => {
  await queue.stop()
  await test.drop()
})

const deps = () => ({ db: test.db, queue, retryDelaysSeconds: [5, 25] })
const worker = () => ({ executionId: randomUUID(), node: 'node-1', pid: 4711 })
const failure = { kind: 'failed', error: { ...lostWorker('no answer'), code: 'CONNECTION' }, stages: null } as const

/** Delivers the job's present queue entry. */
async function deliver(jobId: string, options: { sameAttempt?: boolean } = {}) {
  const { queueId } = await jobOf(test.db, jobId)
  if (queueId === null) throw new Error('the job is not queued')
  return await openExecution(deps(), { queueId, jobId, sameAttempt: false, ...options }, worker())
}

async function entry(queueId: string | null) {
  const { rows } = await sql<{ state: string; startAfter: Date; data: unknown }>`
    select state::text, start_after, data from pgboss.job where id = ${queueId}`.execute(test.db)
  return rows[0]
}

async function newJob(maxAttempts = 4) {
  return await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db), maxAttempts })
}

describe('openExecution', () => {
  it('takes the job into its next attempt', async () => {
    const job = await newJob()
    const run = await deliver(job.id)
    expect(run?.job).toMatchObject({ status: 'RUNNING', attempt: 1, sequence: 2 })
    expect(run?.execution).toMatchObject({ attempt: 1, status: 'RUNNING', workerNode: 'node-1', workerPid: 4711 })
    expect(run?.job.startedAt).toBeInstanceOf(Date)
  })

  it('opens nothing for an entry that is not the present one of its job', async () => {
    const job = await newJob()
    const stale = { queueId: randomUUID(), jobId: job.id, sameAttempt: false }
    expect(await openExecution(deps(), stale, worker())).toBeNull()
    expect(await openExecution(deps(), { ...stale, jobId: randomUUID() }, worker())).toBeNull()
    expect((await jobOf(test.db, job.id)).status).toBe('PENDING')
  })

  it('first ends the execution of a node that has died, which uses up an attempt', async () => {
    const job = await newJob()
    const lost = await deliver(job.id)
    const again = await deliver(job.id)
    expect(again?.execution.attempt).toBe(2)
    const [first] = await executionsOf(test.db, job.id)
    expect(first).toMatchObject({ id: lost?.execution.id, status: 'FAILED', stats: { ok: false, code: 'WORKER_LOST' } })
    expect(await errorsOf(test.db, job.id)).toMatchObject([
      { code: 'WORKER_LOST', category: 'SYSTEM', retryable: true },
    ])
    // A frozen worker that wakes up can end nothing.
    await expect(endExecution(deps(), lost?.execution.id ?? '', { kind: 'completed', stages: [] })).rejects.toThrow(
      'closed',
    )
  })

  it('ends a job whose last attempt was lost', async () => {
    const job = await newJob(1)
    const { queueId } = await jobOf(test.db, job.id)
    await deliver(job.id)
    expect(await deliver(job.id)).toBeNull()
    expect(await jobOf(test.db, job.id)).toMatchObject({ status: 'FAILED', attempt: 1, queueId: null })
    expect((await entry(queueId))?.state).toBe('completed')
    const retried = await commands.retryJob(job.id)
    expect(retried.kind).toBe('ok')
  })

  it('keeps the attempt after a long Retry-After, unless the execution was lost', async () => {
    const job = await newJob()
    await deliver(job.id)
    const { rows } = await sql<{ id: string }>`select id from executions where job_id = ${job.id}`.execute(test.db)
    const error = { ...failure.error, retryAfterSeconds: 7200 }
    await endExecution(deps(), rows[0]?.id ?? '', { ...failure, error })
    const waiting = await jobOf(test.db, job.id)
    expect(await entry(waiting.queueId)).toMatchObject({ data: { sameAttempt: true } })
    expect((await deliver(job.id, { sameAttempt: true }))?.execution.attempt).toBe(1)
    expect((await deliver(job.id, { sameAttempt: true }))?.execution.attempt).toBe(2)
  })
})

describe('endExecution', () => {
  it('makes a failed attempt wait, in a fresh queue entry that starts when the job says', async () => {
    const job = await newJob()
    const run = await deliver(job.id)
    const decision = await endExecution(deps(), run?.execution.id ?? '', failure)
    expect(decision).toEqual({ kind: 'retry', delaySeconds: 5, countsAttempt: true })
    const waiting = await jobOf(test.db, job.id)
    expect(waiting).toMatchObject({ status: 'PENDING', attempt: 1 })
    expect(waiting.queueId).not.toBe(job.queueId)
    expect((await entry(job.queueId))?.state).toBe('completed')
    expect((await entry(waiting.queueId))?.startAfter).toEqual(waiting.nextAttemptAt)
    const [execution] = await executionsOf(test.db, job.id)
    expect(execution).toMatchObject({ status: 'FAILED', errorMessage: 'no answer' })
    expect(execution?.finishedAt).toBeInstanceOf(Date)
    const [error] = await errorsOf(test.db, job.id)
    expect(error).toMatchObject({ id: waiting.endedByErrorId, code: 'CONNECTION', executionId: execution?.id })
    expect((await linesOf(test.db, job.id)).at(-1)).toMatchObject({
      level: 'WARN',
      message: expect.stringContaining('attempt 1 failed: no answer (CONNECTION); next attempt at'),
    })
  })

  it('sums the time of all executions up and tells every change of status', async () => {
    const job = await newJob(2)
    for (let n = 0; n < 2; n += 1) {
      const run = await deliver(job.id)
      await endExecution(deps(), run?.execution.id ?? '', failure)
    }
    const ended = await jobOf(test.db, job.id)
    const executions = await executionsOf(test.db, job.id)
    expect(ended).toMatchObject({ status: 'FAILED', attempt: 2, nextAttemptAt: null, queueId: null })
    expect(ended.durationMs).toBe(executions.reduce((sum, one) => sum + (one.durationMs ?? 0), 0))
    const events = await test.db
      .selectFrom('jobEvents')
      .selectAll()
      .where('jobId', '=', job.id)
      .orderBy('sequence')
      .execute()
    expect(events.map((event) => [event.sequence, event.status, event.errorMessage])).toEqual([
      [1, 'PENDING', null],
      [2, 'RUNNING', null],
      [3, 'PENDING', 'no answer'],
      [4, 'RUNNING', null],
      [5, 'FAILED', 'no answer'],
    ])
  })

  it('changes nothing when the queue does not take the retry', async () => {
    const job = await newJob()
    const run = await deliver(job.id)
    const refusing: Queue = { ...queue, enqueue: async () => await Promise.reject(new Error('full')) }
    await expect(endExecution({ ...deps(), queue: refusing }, run?.execution.id ?? '', failure)).rejects.toThrow('full')
    expect(await jobOf(test.db, job.id)).toMatchObject({ status: 'RUNNING', queueId: job.queueId })
    expect(await errorsOf(test.db, job.id)).toEqual([])
  })
})
