import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Commands, retryState } from '../../src/engine/commands.ts'
import { endExecution, lostWorker, openExecution } from '../../src/engine/executions.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { addDays, dayIn } from '../../src/engine/suggestedRange.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, executionsOf, insertScrapeUrl, jobOf, silent, submitted } from '../support/engineFixtures.ts'

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

const worker = () => ({ executionId: randomUUID(), node: 'node-1', pid: 4711 })

/** The state of a queue entry. */
async function entryState(queueId: string | null): Promise<string | undefined> {
  const { rows } = await sql<{ state: string }>`select state::text from pgboss.job where id = ${queueId}`.execute(
    test.db,
  )
  return rows[0]?.state
}

async function open(jobId: string) {
  const job = await jobOf(test.db, jobId)
  const deps = { db: test.db, queue, retryDelaysSeconds: [5, 25, 125] }
  const run = await openExecution(deps, { queueId: job.queueId ?? '', jobId, sameAttempt: false }, worker())
  if (!run) throw new Error('nothing to run')
  return {
    ...run,
    end: async (outcome: Parameters<typeof endExecution>[2]) => await endExecution(deps, run.execution.id, outcome),
  }
}

const failure = (code: 'CONNECTION' | 'INTERNAL') =>
  ({ kind: 'failed', error: { ...lostWorker('it failed'), code }, stages: null }) as const

describe('submitJob', () => {
  it('stores the job with its days and its first event, and queues it', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const job = await submitted(commands, { scrapeUrlId, priority: 7 })
    expect(job).toMatchObject({
      name: 'FL Miami-Dade 2026-03-16..2026-03-18',
      status: 'PENDING',
      sequence: 1,
      attempt: 0,
      maxAttempts: 4,
      timeoutSeconds: 1800,
      datesTotal: 3,
      priority: 7,
    })
    const days = await test.db
      .selectFrom('scrapeDays')
      .selectAll()
      .where('jobId', '=', job.id)
      .orderBy('date')
      .execute()
    expect(days.map((day) => [day.date, day.outcome])).toEqual([
      ['2026-03-16', 'PENDING'],
      ['2026-03-17', 'PENDING'],
      ['2026-03-18', 'PENDING'],
    ])
    const events = await test.db.selectFrom('jobEvents').selectAll().where('jobId', '=', job.id).execute()
    expect(events).toMatchObject([{ sequence: 1, status: 'PENDING' }])
    expect(await entryState(job.queueId)).toBe('created')
  })

  it('takes the suggested range for days that are left out', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const today = dayIn('America/New_York')
    await test.db
      .insertInto('scrapeDays')
      .values(
        [14, 13, 12].map((back) => ({
          scrapeUrlId,
          date: addDays(today, -back),
          outcome: 'EMPTY' as const,
          proof: 'CALENDAR' as const,
          final: true,
          finishedAt: new Date(),
        })),
      )
      .execute()
    const outcome = await commands.submitJob({ scrapeUrlId }, null)
    expect(outcome).toMatchObject({
      kind: 'ok',
      value: { startDate: addDays(today, -11), endDate: addDays(today, 30), datesTotal: 42 },
    })
  })

  it('tells everything that is wrong with an input at once', async () => {
    const outcome = await commands.submitJob(
      {
        scrapeUrlId: await insertScrapeUrl(test.db),
        name: '  ',
        startDate: '2026-02-30',
        priority: 101,
        timeoutSeconds: 0,
        maxAttempts: 11,
      },
      null,
    )
    expect(outcome.kind === 'invalid' && outcome.issues.map((issue) => issue.path.join('.')).toSorted()).toEqual([
      'maxAttempts',
      'name',
      'priority',
      'startDate',
      'timeoutSeconds',
    ])
  })

  it.each([
    ['2026-03-05', '2026-03-04', 'must not be before'],
    ['2026-01-01', '2027-01-02', 'at most 366 days'],
  ])('refuses the range %s..%s', async (startDate, endDate, message) => {
    const outcome = await commands.submitJob({ scrapeUrlId: await insertScrapeUrl(test.db), startDate, endDate }, null)
    expect(outcome).toMatchObject({ kind: 'invalid', issues: [{ path: ['endDate'] }] })
    expect(outcome.kind === 'invalid' && outcome.issues[0]?.message).toContain(message)
  })

  it('takes a range of 366 days', async () => {
    const job = await submitted(commands, {
      scrapeUrlId: await insertScrapeUrl(test.db),
      startDate: '2028-01-01',
      endDate: '2028-12-31',
    })
    expect(job.datesTotal).toBe(366)
  })

  it('does not find a scrape URL that is not there, and refuses one that is not active', async () => {
    expect(await commands.submitJob({ scrapeUrlId: randomUUID() }, null)).toMatchObject({ kind: 'notFound' })
    expect(await commands.submitJob({ scrapeUrlId: 'no uuid' }, null)).toMatchObject({ kind: 'notFound' })
    const inactive = await insertScrapeUrl(test.db, { active: false })
    expect(await commands.submitJob({ scrapeUrlId: inactive }, null)).toMatchObject({
      kind: 'conflict',
      reason: 'SCRAPE_URL_INACTIVE',
    })
  })

  it('answers the first job for the same key and input, also when both come at once', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const input = { scrapeUrlId, startDate: '2026-03-16', endDate: '2026-03-16', idempotencyKey: randomUUID() }
    const answers = await Promise.all([1, 2, 3].map(async () => await commands.submitJob(input, null)))
    const ids = answers.map((answer) => answer.kind === 'ok' && answer.value.id)
    expect(new Set(ids).size).toBe(1)
    expect(await commands.submitJob({ ...input, priority: 1 }, null)).toMatchObject({
      kind: 'conflict',
      reason: 'KEY_REUSED',
      jobId: ids[0],
    })
  })

  it('lets a key be used again after 7 days', async () => {
    const input = { scrapeUrlId: await insertScrapeUrl(test.db), idempotencyKey: randomUUID() }
    const first = await submitted(commands, input)
    await test.db
      .updateTable('jobs')
      .set({ createdAt: sql<Date>`now() - interval '8 days'` })
      .where('id', '=', first.id)
      .execute()
    const second = await submitted(commands, input)
    expect(second.id).not.toBe(first.id)
  })

  it('makes nothing when the queue does not take the job', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const refusing: Queue = { ...queue, enqueue: async () => await Promise.reject(new Error('full')) }
    await expect(submitted(commandsOn(test.db, refusing), { scrapeUrlId })).rejects.toThrow('full')
    const jobs = await test.db.selectFrom('jobs').select('id').where('scrapeUrlId', '=', scrapeUrlId).execute()
    expect(jobs).toEqual([])
  })
})

describe('runJob', () => {
  it('releases a held job, which was not queued before', async () => {
    const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db), hold: true })
    expect(job).toMatchObject({ held: true, queueId: null })
    const outcome = await commands.runJob(job.id)
    if (outcome.kind !== 'ok') throw new Error(outcome.kind)
    expect(outcome.value).toMatchObject({ held: false, status: 'PENDING', sequence: 2 })
    expect(await entryState(outcome.value.queueId)).toBe('created')
    expect(await commands.runJob(job.id)).toMatchObject({ kind: 'conflict', reason: 'JOB_RUNNING', jobId: job.id })
  })

  it('runs a finished job again: all days, attempt from 0, the sequence goes on', async () => {
    const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db) })
    const run = await open(job.id)
    await test.db
      .updateTable('scrapeDays')
      .set({ outcome: 'EMPTY', proof: 'CALENDAR', finishedAt: new Date() })
      .where('jobId', '=', job.id)
      .where('date', '=', '2026-03-16')
      .execute()
    await run.end(failure('INTERNAL'))
    const before = await jobOf(test.db, job.id)
    const outcome = await commands.runJob(job.id)
    if (outcome.kind !== 'ok') throw new Error(outcome.kind)
    expect(outcome.value).toMatchObject({ status: 'PENDING', attempt: 0, finishedAt: null, endedByErrorId: null })
    expect(outcome.value.sequence).toBe(before.sequence + 1)
    const days = await test.db.selectFrom('scrapeDays').selectAll().where('jobId', '=', job.id).execute()
    expect(days.filter((day) => day.latest).map((day) => day.outcome)).toEqual(['PENDING', 'PENDING', 'PENDING'])
    expect(days.filter((day) => !day.latest).map((day) => day.outcome)).toEqual(['EMPTY'])
  })
})

describe('retryJob', () => {
  it('runs a failed job with fresh attempts', async () => {
    const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db), maxAttempts: 1 })
    const run = await open(job.id)
    expect(await run.end(failure('CONNECTION'))).toEqual({ kind: 'failed' })
    const outcome = await commands.retryJob(job.id)
    if (outcome.kind !== 'ok') throw new Error(outcome.kind)
    expect(outcome.value).toMatchObject({ status: 'PENDING', attempt: 0, nextAttemptAt: null })
    expect(await entryState(outcome.value.queueId)).toBe('created')
    expect((await open(job.id)).execution.attempt).toBe(1)
  })

  it('refuses a job that has not failed, and one that a retry cannot help', async () => {
    const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db) })
    expect(await commands.retryJob(job.id)).toMatchObject({ kind: 'conflict', reason: 'NOT_FAILED' })
    const run = await open(job.id)
    await run.end(failure('INTERNAL'))
    expect(await commands.retryJob(job.id)).toMatchObject({ kind: 'conflict', reason: 'NOT_RETRYABLE' })
    expect(retryState({ status: 'FAILED' }, { code: 'INTERNAL', retryable: false }).reason).toContain('INTERNAL')
  })
})

describe('cancelJob', () => {
  it('ends a waiting job and takes it out of the queue', async () => {
    const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db) })
    expect(await commands.cancelJob(job.id)).toMatchObject({
      kind: 'ok',
      value: { status: 'CANCELLED', queueId: null, durationMs: 0 },
    })
    expect(await entryState(job.queueId)).toBe('cancelled')
    expect(await commands.cancelJob(job.id)).toMatchObject({ kind: 'conflict', reason: 'JOB_FINISHED' })
  })

  it('closes the open execution, whose worker can then end nothing', async () => {
    const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db) })
    const run = await open(job.id)
    await commands.cancelJob(job.id)
    const [execution] = await executionsOf(test.db, job.id)
    expect(execution).toMatchObject({ status: 'CANCELLED', errorMessage: 'cancelled', stats: { ok: false } })
    expect(execution?.durationMs).toBeGreaterThanOrEqual(0)
    await expect(run.end({ kind: 'completed', stages: [] })).rejects.toThrow('closed')
    expect((await jobOf(test.db, job.id)).status).toBe('CANCELLED')
  })

  it('does not find a job that is not there', async () => {
    expect(await commands.cancelJob(randomUUID())).toMatchObject({ kind: 'notFound' })
  })
})
