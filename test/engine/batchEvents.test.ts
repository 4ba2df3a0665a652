import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { JobBatch } from '../../src/db/batches.ts'
import { insertBatch } from '../../src/db/batches.ts'
import { changeJob, lockJob } from '../../src/db/changeJob.ts'
import type { JobRow } from '../../src/db/tables.ts'
import { createEvents, type Events } from '../../src/engine/events.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { silent } from '../support/engineFixtures.ts'
import { insertJob, insertSite } from '../support/rows.ts'

let test: TestDatabase
let events: Events

beforeAll(async () => {
  test = await createTestDatabase()
})
beforeEach(async () => {
  events = await createEvents({ databaseUrl: test.url, db: test.db, log: silent })
})
afterEach(async () => {
  await vi.waitFor(() => {
    if (events.counts().topics > 0) throw new Error('a batch is still watched')
  })
  await events.stop()
})
afterAll(() => test.drop())

async function batchOf(jobs: number): Promise<{ id: string; jobs: JobRow[] }> {
  const site = await insertSite(test.db)
  const made: JobRow[] = []
  for (let n = 0; n < jobs; n++) made.push(await insertJob(test.db, site, { startDate: '2026-03-16' }))
  const ids = made.map((job) => job.id)
  const batch = await test.db.transaction().execute(async (trx) => await insertBatch(trx, { createdBy: null }, ids))
  return { id: batch.id, jobs: made }
}

async function change(job: JobRow | undefined, values: Parameters<typeof changeJob>[2]): Promise<void> {
  await test.db.transaction().execute(async (trx) => {
    const locked = await lockJob(trx, job?.id ?? '')
    if (locked) await changeJob(trx, locked, values)
  })
}

const completed = (rowsSuccess = 0) => ({ status: 'COMPLETED', finishedAt: new Date(), rowsSuccess }) as const
const watch = (id: string) => events.watchBatch(id, { signal: new AbortController().signal })

it('tells the batch as it stands, then every change, and ends when it is done', async () => {
  const { id, jobs } = await batchOf(2)
  const states = watch(id)
  expect(await states.next()).toMatchObject({ value: { total: 2, pending: 2, done: false } })
  await change(jobs[0], { status: 'RUNNING' })
  expect(await states.next()).toMatchObject({ value: { pending: 1, running: 1 } })
  await change(jobs[0], { rowsSuccess: 3 })
  expect(await states.next()).toMatchObject({ value: { running: 1, rowsCollected: 3 } })
  await change(jobs[0], completed(3))
  expect(await states.next()).toMatchObject({ value: { pending: 1, completed: 1, done: false } })
  await change(jobs[1], completed(4))
  expect(await states.next()).toMatchObject({ value: { completed: 2, rowsCollected: 7, done: true } })
  expect(await states.next()).toEqual({ done: true, value: undefined })
})

it('tells a batch that is done once', async () => {
  const { id } = await batchOf(0)
  const states = watch(id)
  expect(await states.next()).toMatchObject({ value: { total: 0, done: true } })
  expect((await states.next()).done).toBe(true)
})

it('ends at once for a batch that is not there', async () => {
  expect((await watch('00000000-0000-4000-8000-000000000000').next()).done).toBe(true)
})

it('tells many changes at once together, and a slow reader the newest state alone', async () => {
  const { id, jobs } = await batchOf(20)
  const [fast, slow] = [watch(id), watch(id)]
  await slow.next()
  const told: JobBatch[] = []
  const began = Date.now()
  const reading = (async () => {
    for await (const state of fast) told.push(state)
  })()
  await vi.waitFor(() => expect(told).toHaveLength(1))
  for (const job of jobs) await change(job, { status: 'RUNNING' })
  for (const job of jobs) await change(job, completed(1))
  await reading
  expect(told.at(-1)).toMatchObject({ completed: 20, rowsCollected: 20, done: true })
  expect(told.length).toBeLessThan(40)
  // The first two are told at once: the batch as it stands, and the first change.
  expect(told.length - 2).toBeLessThanOrEqual((Date.now() - began) / 250)
  expect(await slow.next()).toMatchObject({ value: { completed: 20, done: true } })
  expect((await slow.next()).done).toBe(true)
})

it('does not wake for jobs that are not in it, nor for changes that it does not count', async () => {
  const [one, other] = [await batchOf(1), await batchOf(1)]
  const states = watch(one.id)
  await states.next()
  const next = states.next()
  await change(other.jobs[0], completed())
  await change(one.jobs[0], { name: 'renamed' })
  await change(one.jobs[0], { status: 'RUNNING' })
  expect(await next).toMatchObject({ value: { running: 1 } })
  await states.return()
})

it('reads once for all who watch the same batch', async () => {
  const { id, jobs } = await batchOf(1)
  const readers = Array.from({ length: 5 }, () => watch(id))
  for (const reader of readers) await reader.next()
  expect(events.counts().topics).toBe(1)
  const next = readers.map(async (reader) => (await reader.next()).value)
  await change(jobs[0], { status: 'RUNNING' })
  const [first, ...others] = await Promise.all(next)
  for (const state of others) expect(state).toBe(first)
  for (const reader of readers) await reader.return()
})

it('goes on without a job that is deleted', async () => {
  const { id, jobs } = await batchOf(2)
  const states = watch(id)
  await states.next()
  await change(jobs[0], completed())
  expect(await states.next()).toMatchObject({ value: { total: 2, completed: 1 } })
  await test.db
    .deleteFrom('jobs')
    .where('id', '=', jobs[0]?.id ?? '')
    .execute()
  await change(jobs[1], completed())
  expect(await states.next()).toMatchObject({ value: { total: 1, completed: 1, done: true } })
  await states.return()
})

it('forgets a reader that leaves while it sleeps', async () => {
  const { id } = await batchOf(1)
  const states = watch(id)
  await states.next()
  const next = states.next()
  await vi.waitFor(() => expect(events.counts().waiters).toBe(1))
  await states.return()
  expect((await next).done).toBe(true)
})
