import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JobFilter } from '../../src/db/jobPages.ts'
import type { JobRow } from '../../src/db/tables.ts'
import type { Commands } from '../../src/engine/commands.ts'
import type { ErrorCode } from '../../src/engine/errors.ts'
import { endExecution, lostWorker, openExecution } from '../../src/engine/executions.ts'
import type { Outcome } from '../../src/engine/outcome.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, insertScrapeUrl, jobOf, linesOf, silent, submitted } from '../support/engineFixtures.ts'

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

/** The value of an outcome that must be ok. */
async function ok<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  const answer = await outcome
  if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer))
  return answer.value
}

async function entry(queueId: string | null) {
  const { rows } = await sql<{ state: string; priority: number; startAfter: Date; sameAttempt: boolean }>`
    select state::text, priority, start_after, (data->>'sameAttempt')::boolean as same_attempt
    from pgboss.job where id = ${queueId}`.execute(test.db)
  return rows[0]
}

async function newJob(input: Partial<Parameters<Commands['submitJob']>[0]> = {}): Promise<JobRow> {
  return await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db), ...input })
}

/** Runs the job's next attempt; it stays RUNNING without an end. */
async function run(job: JobRow, end?: { code: ErrorCode; retryAfterSeconds?: number } | 'completed'): Promise<JobRow> {
  const deps = { db: test.db, queue, retryDelaysSeconds: [5, 25, 125] }
  const { queueId } = await jobOf(test.db, job.id)
  const delivery = { queueId: queueId ?? '', jobId: job.id, sameAttempt: false }
  const opened = await openExecution(deps, delivery, { executionId: randomUUID(), node: 'node-1', pid: 4711 })
  if (!opened) throw new Error('nothing to run')
  if (end === 'completed') await endExecution(deps, opened.execution.id, { kind: 'completed', stages: [] })
  else if (end) {
    const error = { ...lostWorker('it failed'), ...end }
    await endExecution(deps, opened.execution.id, { kind: 'failed', error, stages: null })
  }
  return await jobOf(test.db, job.id)
}

/** A job that has failed, for good or not. */
async function failed(code: ErrorCode): Promise<JobRow> {
  return await run(await newJob({ maxAttempts: 1 }), { code })
}

describe('updateJob', () => {
  it('changes what is given and keeps the rest, with a line in the log', async () => {
    const job = await newJob({ priority: 3 })
    const changed = await ok(
      commands.updateJob({ id: job.id, name: ' Night run ', timeoutSeconds: 60, maxAttempts: 2 }, null),
    )
    expect(changed).toEqual({
      ...job,
      name: 'Night run',
      timeoutSeconds: 60,
      maxAttempts: 2,
      sequence: 2,
      lastLine: 1,
      updatedAt: changed.updatedAt,
    })
    expect(await linesOf(test.db, job.id)).toMatchObject([
      { message: 'changed: name Night run, timeoutSeconds 60, maxAttempts 2' },
    ])
    expect(await ok(commands.updateJob({ id: job.id, priority: 3, name: null }, null))).toEqual(changed)
  })

  it('changes the priority of the waiting entry, which keeps its time and its attempt', async () => {
    const job = await run(await newJob(), { code: 'CONNECTION', retryAfterSeconds: 3600 })
    const before = await entry(job.queueId)
    expect(before).toMatchObject({ priority: 0, sameAttempt: true })
    const changed = await ok(commands.updateJob({ id: job.id, priority: 9 }, null))
    expect(changed.nextAttemptAt).toEqual(job.nextAttemptAt)
    expect(await entry(changed.queueId)).toEqual({ ...before, priority: 9 })
  })

  it('holds a job, which leaves the queue, and releases it with its new priority', async () => {
    const job = await run(await newJob(), { code: 'CONNECTION' })
    const held = await ok(commands.updateJob({ id: job.id, hold: true }, null))
    expect(held).toMatchObject({ status: 'PENDING', held: true, queueId: null, nextAttemptAt: null })
    expect(await entry(job.queueId)).toMatchObject({ state: 'cancelled' })
    await ok(commands.updateJob({ id: job.id, priority: 5 }, null))
    const released = await ok(commands.updateJob({ id: job.id, hold: false }, null))
    expect(released).toMatchObject({ held: false, attempt: 1, sequence: held.sequence + 2 })
    expect(await entry(released.queueId)).toMatchObject({ state: 'created', priority: 5, sameAttempt: false })
  })

  it.each(['updateJob', 'runJob', 'processPendingJobs'] as const)(
    'a job that was held between attempts of one number goes on with it when %s releases it',
    async (by) => {
      const job = await run(await newJob({ maxAttempts: 1 }), { code: 'HTTP_ERROR', retryAfterSeconds: 3600 })
      expect(job).toMatchObject({ status: 'PENDING', attempt: 1 })
      await ok(commands.updateJob({ id: job.id, hold: true }, null))
      if (by === 'updateJob') await ok(commands.updateJob({ id: job.id, hold: false }, null))
      else if (by === 'runJob') await ok(commands.runJob(job.id))
      else await ok(commands.processPendingJobs(null, null))
      expect(await entry((await jobOf(test.db, job.id)).queueId)).toMatchObject({ sameAttempt: true })
    },
  )

  it('refuses a job that runs and one that has ended', async () => {
    const job = await run(await newJob())
    const again = async () => await commands.updateJob({ id: job.id, priority: 1 }, null)
    expect(await again()).toMatchObject({ kind: 'conflict', reason: 'JOB_RUNNING', jobId: job.id })
    await ok(commands.cancelJob(job.id))
    expect(await again()).toMatchObject({ kind: 'conflict', reason: 'JOB_FINISHED', jobId: job.id })
  })

  it('tells everything that is wrong at once, and does not find what is not there', async () => {
    const wrong = await commands.updateJob({ id: randomUUID(), name: '', priority: 1.5, maxAttempts: 11 }, null)
    expect(wrong.kind === 'invalid' && wrong.issues.map((issue) => issue.path[0])).toEqual([
      'name',
      'priority',
      'maxAttempts',
    ])
    for (const id of [randomUUID(), 'nonsense']) {
      expect(await commands.updateJob({ id }, null)).toMatchObject({ kind: 'notFound', id })
    }
  })

  it('refuses fewer attempts than were made', async () => {
    const job = await run(await newJob(), { code: 'CONNECTION' })
    expect(await commands.updateJob({ id: job.id, maxAttempts: 1 }, null)).toMatchObject({
      kind: 'invalid',
      issues: [{ path: ['maxAttempts'] }],
    })
    expect(await ok(commands.updateJob({ id: job.id, maxAttempts: 2 }, null))).toMatchObject({ maxAttempts: 2 })
  })
})

describe('cloneJob', () => {
  it('submits a job like the original, whatever has become of that', async () => {
    const original = await newJob({ priority: 4, timeoutSeconds: 77, maxAttempts: 2, transport: 'BROWSER' })
    await ok(commands.cancelJob(original.id))
    const clone = await ok(commands.cloneJob({ id: original.id }, null))
    expect(clone).toMatchObject({
      name: original.name,
      scrapeUrlId: original.scrapeUrlId,
      startDate: original.startDate,
      endDate: original.endDate,
      priority: 4,
      timeoutSeconds: 77,
      maxAttempts: 2,
      transport: 'BROWSER',
      clonedFromId: original.id,
      status: 'PENDING',
      held: false,
      attempt: 0,
      sequence: 1,
      datesTotal: 3,
    })
    expect(await entry(clone.queueId)).toMatchObject({ state: 'created', priority: 4 })
  })

  it('takes what is told, and makes a name anew that was made of the days', async () => {
    const original = await newJob({ hold: true })
    const days = { startDate: '2026-04-01', endDate: '2026-04-02' }
    const clone = await ok(commands.cloneJob({ id: original.id, ...days, priority: 1 }, null))
    expect(clone).toMatchObject({
      name: 'FL Miami-Dade 2026-04-01..2026-04-02',
      ...days,
      datesTotal: 2,
      priority: 1,
      held: false,
    })
    const named = await ok(commands.cloneJob({ id: original.id, name: 'Mine', hold: true }, null))
    expect(named).toMatchObject({ name: 'Mine', held: true, queueId: null })
    expect(await ok(commands.cloneJob({ id: named.id, ...days }, null))).toMatchObject({ name: 'Mine', ...days })
  })

  it('answers the first clone to the same key, KEY_REUSED to other input; submitJob has keys of its own', async () => {
    const original = await newJob({ idempotencyKey: 'k' })
    const first = await ok(commands.cloneJob({ id: original.id, idempotencyKey: 'k' }, null))
    expect(first.id).not.toBe(original.id)
    expect((await ok(commands.cloneJob({ id: original.id, idempotencyKey: 'k' }, null))).id).toBe(first.id)
    expect(await commands.cloneJob({ id: original.id, idempotencyKey: 'k', priority: 1 }, null)).toMatchObject({
      kind: 'conflict',
      reason: 'KEY_REUSED',
      jobId: first.id,
    })
  })

  it('refuses days that make no range with the original, an inactive site, and what is not there', async () => {
    const original = await newJob()
    expect(await commands.cloneJob({ id: original.id, endDate: '2026-03-01', priority: 999 }, null)).toMatchObject({
      kind: 'invalid',
      issues: [{ path: ['priority'] }],
    })
    expect(await commands.cloneJob({ id: original.id, endDate: '2026-03-01' }, null)).toMatchObject({
      kind: 'invalid',
      issues: [{ path: ['endDate'] }],
    })
    await test.db.updateTable('scrapeUrls').set({ active: false }).where('id', '=', original.scrapeUrlId).execute()
    expect(await commands.cloneJob({ id: original.id }, null)).toMatchObject({ reason: 'SCRAPE_URL_INACTIVE' })
    expect(await commands.cloneJob({ id: 'nonsense' }, null)).toMatchObject({ kind: 'notFound', id: 'nonsense' })
  })
})

describe('cancelJobs', () => {
  it('cancels what has not ended, waiting ones first, and counts what had', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const running = await run(await newJob({ scrapeUrlId }))
    const waiting = await newJob({ scrapeUrlId })
    const held = await newJob({ scrapeUrlId, hold: true })
    const over = await newJob({ scrapeUrlId })
    await ok(commands.cancelJob(over.id))
    const other = await newJob()
    const done = await ok(commands.cancelJobs({ filter: { scrapeUrlIds: [scrapeUrlId] } }, null))
    expect(done.jobs.map((job) => [job.id, job.status])).toEqual(
      [waiting, held, running].map((job) => [job.id, 'CANCELLED']),
    )
    expect(done.skipped).toBe(1)
    const open = await test.db.selectFrom('executions').select('id').where('status', '=', 'RUNNING').execute()
    expect(open).toEqual([])
    expect(await jobOf(test.db, other.id)).toMatchObject({ status: 'PENDING' })
  })

  it('cancels at most so many', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const jobs = [await newJob({ scrapeUrlId }), await newJob({ scrapeUrlId })]
    const done = await ok(commands.cancelJobs({ filter: { scrapeUrlIds: [scrapeUrlId] }, limit: 1 }, null))
    expect(done).toMatchObject({ jobs: [{ id: jobs[0]?.id }], skipped: 0 })
    expect(await jobOf(test.db, jobs[1]?.id ?? '')).toMatchObject({ status: 'PENDING' })
  })

  it.each<[string, JobFilter]>([
    ['nothing', {}],
    ['nulls', { status: null, places: null, held: null, batchId: null }],
    ['an empty range', { dates: {}, createdAt: {}, updatedAt: { from: null } }],
    ['what every job has', { dates: { undated: false }, search: '' }],
  ])('refuses a filter of %s', async (_what, filter) => {
    const job = await newJob()
    expect(await commands.cancelJobs({ filter, limit: 1001 }, null)).toMatchObject({
      kind: 'invalid',
      issues: [{ path: ['filter'] }, { path: ['limit'] }],
    })
    expect(await jobOf(test.db, job.id)).toMatchObject({ status: 'PENDING' })
  })
})

describe('retryFailedJobs', () => {
  it('retries the failed jobs that canRetry, and counts the failed ones that cannot', async () => {
    const jobs = [
      await failed('CONNECTION'),
      await failed('NOT_A_TENANT'),
      await failed('WORKER_LOST'),
      await run(await newJob(), 'completed'),
      await newJob(),
    ]
    const ids = jobs.map((job) => job.id)
    const done = await ok(commands.retryFailedJobs({ filter: { ids } }, null))
    expect(done.jobs.map((job) => [job.id, job.status, job.attempt])).toEqual([
      [ids[0], 'PENDING', 0],
      [ids[2], 'PENDING', 0],
    ])
    expect(done.skipped).toBe(1)
    expect(await ok(commands.retryFailedJobs({ filter: { ids } }, null))).toEqual({ jobs: [], skipped: 1 })
  })

  it('comes to those that can be retried behind any number that cannot', async () => {
    await failed('NOT_A_TENANT')
    await failed('NOT_A_TENANT')
    const job = await failed('CONNECTION')
    const done = await ok(commands.retryFailedJobs({ filter: {}, limit: 1 }, null))
    expect(done.jobs.map((one) => one.id)).toEqual([job.id])
  })

  it('refuses a limit that is out of bounds', async () => {
    expect(await commands.retryFailedJobs({ filter: {}, limit: 0 }, null)).toMatchObject({
      kind: 'invalid',
      issues: [{ path: ['limit'] }],
    })
  })
})
