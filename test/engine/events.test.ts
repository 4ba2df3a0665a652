import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { appendLines, changeJob, lockJob } from '../../src/db/changeJob.ts'
import type { JobRow } from '../../src/db/tables.ts'
import type { JobStatus } from '../../src/domain.ts'
import type { Commands } from '../../src/engine/commands.ts'
import { createEvents, type Events, type JobUpdate } from '../../src/engine/events.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, insertScrapeUrl, silent, submitted } from '../support/engineFixtures.ts'

let test: TestDatabase
let queue: Queue
let commands: Commands
let events: Events

beforeAll(async () => {
  test = await createTestDatabase()
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
  commands = commandsOn(test.db, queue)
  events = await createEvents({ databaseUrl: test.url, db: test.db, log: silent })
})

afterEach(() => {
  const { waiters, topics } = events.counts()
  if (waiters + topics > 0) throw new Error(`${waiters} readers still wait for ${topics} jobs`)
})

afterAll(async () => {
  await events.stop()
  await queue.stop()
  await test.drop()
})

const newJob = async () => await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db) })

/** Changes a job as a worker would: progress, or with a status. */
async function change(jobId: string, to: Partial<Pick<JobRow, 'status' | 'rowsProcessed'>>, lines: string[] = []) {
  await test.db.transaction().execute(async (trx) => {
    const job = await lockJob(trx, jobId)
    if (!job) throw new Error('gone')
    const finishedAt = to.status === 'COMPLETED' || to.status === 'FAILED' ? new Date() : null
    await changeJob(trx, job, { ...to, finishedAt }, { lines: lines.map((message) => ({ level: 'INFO', message })) })
  })
}

async function collect<T>(updates: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const update of updates) all.push(update)
  return all
}

const watch = (jobId: string, afterSequence?: number) =>
  events.watchJob(jobId, { afterSequence, signal: new AbortController().signal })

const statuses = (updates: JobUpdate[]): [number, JobStatus][] => updates.map((one) => [one.sequence, one.status])

describe('watchJob', () => {
  it('tells the job as it stands at once, then every change, and ends with the terminal one', async () => {
    const job = await newJob()
    const updates = watch(job.id)
    expect((await updates.next()).value).toMatchObject({
      kind: 'SNAPSHOT',
      sequence: 1,
      status: 'PENDING',
      datesTotal: 3,
    })
    await change(job.id, { status: 'RUNNING' })
    expect((await updates.next()).value).toMatchObject({ kind: 'CHANGED', sequence: 2, status: 'RUNNING' })
    await change(job.id, { rowsProcessed: 5 })
    expect((await updates.next()).value).toMatchObject({ sequence: 3, rowsProcessed: 5 })
    await change(job.id, { status: 'COMPLETED' })
    expect((await updates.next()).value).toMatchObject({ sequence: 4, status: 'COMPLETED' })
    expect((await updates.next()).done).toBe(true)
  })

  it('tells the changes of status after a sequence first', async () => {
    const job = await newJob()
    await change(job.id, { status: 'RUNNING' })
    await change(job.id, { rowsProcessed: 1 })
    await change(job.id, { status: 'PENDING' })
    await change(job.id, { status: 'RUNNING' })
    await change(job.id, { rowsProcessed: 2 })
    const updates = watch(job.id, 2)
    const told = [await updates.next(), await updates.next(), await updates.next()].map(
      ({ value }) => value as JobUpdate,
    )
    expect(statuses(told)).toEqual([
      [4, 'PENDING'],
      [5, 'RUNNING'],
      [6, 'RUNNING'],
    ])
    await updates.return()
  })

  it('tells a slow reader every change of status and the newest state, but not each step between', async () => {
    const job = await newJob()
    const updates = watch(job.id)
    await updates.next()
    await change(job.id, { status: 'RUNNING' })
    for (let rowsProcessed = 1; rowsProcessed <= 20; rowsProcessed += 1) await change(job.id, { rowsProcessed })
    await change(job.id, { status: 'PENDING' })
    await change(job.id, { status: 'RUNNING' })
    await change(job.id, { rowsProcessed: 30 })
    const told: JobUpdate[] = []
    while (told.at(-1)?.sequence !== 25) {
      const { value } = await updates.next()
      if (value) told.push(value)
    }
    expect(told.map((one) => one.sequence)).toEqual(told.map((one) => one.sequence).toSorted((a, b) => a - b))
    expect(statuses(told)).toEqual(
      expect.arrayContaining([
        [2, 'RUNNING'],
        [23, 'PENDING'],
        [24, 'RUNNING'],
      ]),
    )
    expect(told.at(-1)).toMatchObject({ sequence: 25, rowsProcessed: 30 })
    await updates.return()
  })

  it('tells a finished job and ends, also to one who has seen its end', async () => {
    const job = await newJob()
    await commands.cancelJob(job.id)
    expect(statuses(await collect(watch(job.id)))).toEqual([[2, 'CANCELLED']])
    expect(statuses(await collect(watch(job.id, 0)))).toEqual([
      [1, 'PENDING'],
      [2, 'CANCELLED'],
    ])
    expect(statuses(await collect(watch(job.id, 2)))).toEqual([[2, 'CANCELLED']])
  })

  it('goes on where a finished job was run again', async () => {
    const job = await newJob()
    await commands.cancelJob(job.id)
    await commands.runJob(job.id)
    const updates = watch(job.id, 1)
    expect(statuses([(await updates.next()).value as JobUpdate, (await updates.next()).value as JobUpdate])).toEqual([
      [2, 'CANCELLED'],
      [3, 'PENDING'],
    ])
    await updates.return()
  })

  it('tells that the job was deleted, and ends', async () => {
    const job = await newJob()
    const updates = watch(job.id)
    await updates.next()
    await test.db.transaction().execute(async (trx) => {
      await trx.deleteFrom('jobs').where('id', '=', job.id).execute()
      await sql`select pg_notify('gavel_job', ${`${job.id}:2:0`})`.execute(trx)
    })
    expect((await updates.next()).value).toMatchObject({ kind: 'DELETED', sequence: 2 })
    expect((await updates.next()).done).toBe(true)
  })

  it('ends at once for a job that does not exist', async () => {
    expect(await collect(watch(randomUUID()))).toEqual([])
  })

  it('frees everything when a sleeping reader leaves, by return or by its signal', async () => {
    const job = await newJob()
    const leaving = new AbortController()
    const one = watch(job.id)
    const two = events.watchJob(job.id, { signal: leaving.signal })
    await Promise.all([one.next(), two.next()])
    const asleep = [one.next(), two.next()]
    await vi.waitFor(() => expect(events.counts()).toEqual({ waiters: 2, topics: 1 }))
    await one.return()
    leaving.abort()
    expect(await Promise.all(asleep)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
  })

  it('loses nothing when its listening connection is cut', async () => {
    const job = await newJob()
    const updates = watch(job.id)
    await updates.next()
    const next = updates.next()
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'gavel listen gavel_job' and datname = current_database()`.execute(test.db)
    await change(job.id, { status: 'RUNNING' })
    expect((await next).value).toMatchObject({ sequence: 2 })
    await updates.return()
  })
})

describe('watchLog', () => {
  const watchLog = (jobId: string, afterLine: number) =>
    events.watchLog(jobId, { afterLine, signal: new AbortController().signal })

  it('tells old lines, then live ones, none lost and none twice, and ends with a terminal job', async () => {
    const job = await newJob()
    await change(job.id, { status: 'RUNNING' }, ['one', 'two'])
    const readers = [watchLog(job.id, 0), watchLog(job.id, 1)]
    const all = Promise.all(readers.map(collect))
    await vi.waitFor(() => expect(events.counts().waiters).toBe(2))
    for (let n = 3; n <= 40; n += 1) {
      await test.db.transaction().execute(async (trx) => {
        const row = await lockJob(trx, job.id)
        if (row) await appendLines(trx, row, [{ level: 'INFO', message: `line ${n}` }], null)
      })
    }
    await change(job.id, { status: 'COMPLETED' }, ['end'])
    const [first, second] = (await all).map((batches) => batches.flatMap((batch) => batch.lines.map((one) => one.line)))
    expect(first).toEqual(Array.from({ length: 41 }, (_, n) => n + 1))
    expect(second).toEqual(Array.from({ length: 40 }, (_, n) => n + 2))
  })

  it('tells many lines in batches of at most 500', async () => {
    const job = await newJob()
    const lines = Array.from({ length: 1201 }, (_, n) => `line ${n}`)
    await change(job.id, { status: 'COMPLETED' }, lines)
    const batches = await collect(watchLog(job.id, 0))
    expect(batches.map((batch) => [batch.lines.length, batch.lastLine])).toEqual([
      [500, 500],
      [500, 1000],
      [201, 1201],
    ])
  })
})
