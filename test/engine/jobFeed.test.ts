import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { changeJob, eventOfJob, lockJob, notifyJob, writeJob } from '../../src/db/changeJob.ts'
import type { JobFilter } from '../../src/db/jobPages.ts'
import type { JobRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import { createEvents, type Events, type JobUpdate } from '../../src/engine/events.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { silent } from '../support/engineFixtures.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

let database: TestDatabase
/** Two nodes on one database. */
let here: Events
let there: Events
let site: ScrapeUrlRow
let leaving: AbortController

beforeAll(async () => {
  database = await createTestDatabase()
  const options = { databaseUrl: database.url, db: database.db, log: silent }
  here = await createEvents(options)
  there = await createEvents(options)
})
beforeEach(async () => {
  site = await insertSite(database.db)
  leaving = new AbortController()
})
afterEach(async () => {
  leaving.abort()
  await everybodyLeft()
})
afterAll(async () => {
  await here.stop()
  await there.stop()
  await database.drop()
})

const everybodyLeft = async () =>
  await until(() => expect([here.counts(), there.counts()].map((one) => one.waiters)).toEqual([0, 0]))

/** A job as submitJob leaves it, of the site of the test unless told. */
async function newJob(values: Partial<JobRow> = {}, at = site): Promise<JobRow> {
  const job = await insertJob(database.db, at, { startDate: '2026-03-16', endDate: '2026-03-18' })
  return await database.db.transaction().execute(async (trx) => {
    const set = { priority: 0, ...values }
    const update = trx.updateTable('jobs').set(set).where('id', '=', job.id).returningAll()
    return await writeJob(trx, update, [eventOfJob(null)])
  })
}

async function change(job: JobRow, to: Partial<Pick<JobRow, 'status' | 'rowsProcessed' | 'held' | 'name'>>) {
  const terminal = to.status && !['PENDING', 'RUNNING'].includes(to.status)
  await database.db.transaction().execute(async (trx) => {
    const row = (await lockJob(trx, job.id)) as JobRow
    await changeJob(trx, row, { ...to, ...(to.status ? { finishedAt: terminal ? new Date() : null } : {}) })
  })
}

async function remove(job: JobRow): Promise<void> {
  await database.db.transaction().execute(async (trx) => {
    const row = (await lockJob(trx, job.id)) as JobRow
    await trx.deleteFrom('jobs').where('id', '=', job.id).execute()
    await notifyJob(trx, { ...row, sequence: row.sequence + 1 })
  })
}

/** Everything a reader is told; it reads as fast as it can once it has started. */
async function follow(events: Events, filter: JobFilter, snapshot = false) {
  const told: JobUpdate[] = []
  const updates = events.watchJobs(filter, { snapshot, signal: leaving.signal })
  const reading = (async () => {
    for await (const update of updates) told.push(update)
  })()
  await until(() => expect(events.counts().waiters).toBeGreaterThan(0))
  return { told, reading }
}

const brief = (updates: readonly JobUpdate[]) => updates.map((one) => `${one.kind} ${one.sequence} ${one.status}`)
const bySite = (): JobFilter => ({ scrapeUrlIds: [site.id] })

describe('jobUpdates', () => {
  test('a change on any node is told to the subscribers of every other, in order', async () => {
    const readers = [await follow(here, bySite()), await follow(there, bySite()), await follow(there, bySite())]
    const job = await newJob()
    await change(job, { status: 'RUNNING' })
    await change(job, { rowsProcessed: 5 })
    await change(job, { status: 'COMPLETED' })
    for (const { told } of readers) {
      await until(() => expect(told.at(-1)).toMatchObject({ sequence: 4, rowsProcessed: 5 }))
      expect(brief(told)).toEqual(
        expect.arrayContaining(['CHANGED 1 PENDING', 'CHANGED 2 RUNNING', 'CHANGED 4 COMPLETED']),
      )
      const sequences = told.map((one) => one.sequence)
      expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b))
    }
  })

  test('a job that leaves the filter is told once more, and then no longer', async () => {
    const job = await newJob()
    const running = await follow(here, { ...bySite(), status: ['RUNNING'] })
    const all = await follow(here, bySite())
    const settled = async (sequence: number) => await until(() => expect(all.told.at(-1)?.sequence).toBe(sequence))
    await change(job, { rowsProcessed: 1 })
    await settled(2)
    await change(job, { status: 'RUNNING' })
    await settled(3)
    await change(job, { status: 'PENDING' })
    await settled(4)
    await change(job, { rowsProcessed: 2 })
    await settled(5)
    expect(brief(running.told)).toEqual(['CHANGED 3 RUNNING', 'CHANGED 4 PENDING'])
  })

  test('a job that was changed several times before it was read is judged at each change', async () => {
    const job = await newJob()
    const running = await follow(here, { ...bySite(), status: ['RUNNING'] })
    const all = await follow(here, bySite())
    await database.db.transaction().execute(async (trx) => {
      for (const status of ['RUNNING', 'PENDING', 'CANCELLED'] as const) {
        const row = (await lockJob(trx, job.id)) as JobRow
        await changeJob(trx, row, { status, finishedAt: status === 'CANCELLED' ? new Date() : null })
      }
    })
    await until(() => expect(all.told).toHaveLength(3))
    expect(brief(all.told)).toEqual(['CHANGED 2 RUNNING', 'CHANGED 3 PENDING', 'CHANGED 4 CANCELLED'])
    expect(brief(running.told)).toEqual(['CHANGED 2 RUNNING', 'CHANGED 3 PENDING'])
  })

  test('a released and a renamed job leave filters for held jobs and names', async () => {
    const job = await newJob({ held: true, name: 'Sale of the 16th' })
    const held = await follow(here, { ...bySite(), held: true })
    const named = await follow(here, { ...bySite(), search: 'SALE OF' })
    const all = await follow(here, bySite())
    await change(job, { held: false })
    await until(() => expect(all.told.at(-1)?.sequence).toBe(2))
    await change(job, { name: 'Other' })
    await until(() => expect(all.told.at(-1)?.sequence).toBe(3))
    await change(job, { status: 'RUNNING' })
    await until(() => expect(all.told.at(-1)?.sequence).toBe(4))
    expect(held.told.map((one) => one.sequence)).toEqual([2])
    expect(named.told.map((one) => one.sequence)).toEqual([2, 3])
  })

  test('a deleted job is told as DELETED to those whose filter it matched', async () => {
    const job = await newJob()
    await change(job, { status: 'FAILED' })
    const error = { jobId: job.id, category: 'NETWORK', code: 'TIMEOUT', message: 'slow', retryable: true } as const
    await database.db.insertInto('jobErrors').values(error).execute()
    const failed = await follow(here, { ...bySite(), status: ['FAILED'], errorCode: ['TIMEOUT'] })
    const completed = await follow(here, { ...bySite(), status: ['COMPLETED'] })
    const all = await follow(there, bySite())
    await remove(job)
    await until(() => expect(brief(all.told)).toEqual(['DELETED 3 FAILED']))
    await until(() => expect(brief(failed.told)).toEqual(['DELETED 3 FAILED']))
    expect(completed.told).toEqual([])
  })

  test('a snapshot tells the newest jobs that match, at most 200, and then what changes', async () => {
    const ids = await database.db
      .insertInto('jobs')
      .values(
        Array.from({ length: 205 }, (_, i) => ({
          name: `job ${i}`,
          countyFips: site.countyFips,
          scrapeUrlId: site.id,
          startDate: '2026-03-16',
          endDate: '2026-03-16',
          timeoutSeconds: 60,
          datesTotal: 1,
          createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, i)),
        })),
      )
      .returning(['id', 'createdAt'])
      .execute()
    const newest = ids.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime()).slice(0, 200)
    const { told } = await follow(here, bySite(), true)
    expect(told.map((one) => one.jobId)).toEqual(newest.map((one) => one.id))
    expect(new Set(brief(told))).toEqual(new Set(['SNAPSHOT 1 PENDING']))
    await change({ id: ids[0]?.id } as JobRow, { status: 'RUNNING' })
    await until(() => expect(brief(told.slice(200))).toEqual(['CHANGED 2 RUNNING']))
    // No snapshot of another test is to be filled by them.
    await database.db.deleteFrom('jobs').where('scrapeUrlId', '=', site.id).execute()
  })

  test('a reader that stalls is told every change of status and the newest state, and holds no queue meanwhile', async () => {
    const stalled = here.watchJobs(bySite(), { snapshot: true, signal: leaving.signal })
    const job = await newJob()
    expect(brief([(await stalled.next()).value as JobUpdate])).toEqual(['SNAPSHOT 1 PENDING'])
    const other = await follow(here, bySite())
    // More changes than are kept in memory for all: the reader finds the rest in the database.
    const expected: string[] = []
    for (let round = 0; round < 40; round += 1) {
      await change(job, { status: 'RUNNING' })
      await change(job, { rowsProcessed: round })
      await change(job, { status: 'PENDING' })
      expected.push(`CHANGED ${3 * round + 2} RUNNING`, `CHANGED ${3 * round + 4} PENDING`)
    }
    await change(job, { rowsProcessed: 1_000 })
    await until(() => expect(other.told.at(-1)?.sequence).toBe(122))
    const told: JobUpdate[] = []
    while (told.at(-1)?.sequence !== 122) told.push((await stalled.next()).value as JobUpdate)
    expect(brief(told)).toEqual([...expected, 'CHANGED 122 PENDING'])
    await stalled.return()
  })

  test('what changed while nobody listened is found', async () => {
    const job = await newJob()
    const { told } = await follow(here, bySite())
    // Without a notification, as if the connection had been lost.
    await sql`update jobs set status = 'RUNNING', sequence = 2, updated_at = clock_timestamp() where id = ${job.id}`.execute(
      database.db,
    )
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'gavel listen gavel_job' and datname = current_database()`.execute(database.db)
    await until(() => expect(brief(told)).toEqual(['CHANGED 2 RUNNING']))
  })

  test('log lines alone are no change of a job that runs', async () => {
    const job = await newJob()
    await change(job, { status: 'RUNNING' })
    const { told } = await follow(here, bySite())
    await database.db.transaction().execute(async (trx) => {
      await notifyJob(trx, { ...((await lockJob(trx, job.id)) as JobRow), lastLine: 9 })
    })
    await change(job, { status: 'COMPLETED' })
    await until(() => expect(brief(told)).toEqual(['CHANGED 3 COMPLETED']))
  })
})

describe('the filters of jobUpdates', () => {
  test('agree with those of the list of jobs', async () => {
    const texas = { fips: '48201', stateCode: 'TX', name: 'Harris', timezone: 'America/Chicago' }
    const elsewhere = await insertSite(database.db, { county: texas, platform: 'CIVILVIEW' })
    const jobs = [
      await newJob({ name: 'Große 100%_Sale' }),
      await newJob({ name: 'held', held: true }),
      await newJob({ name: 'texan' }, elsewhere),
      await newJob({ name: 'late', createdAt: new Date('2020-01-01') }),
    ]
    const [first, second] = jobs as [JobRow, JobRow]
    await database.db
      .insertInto('jobErrors')
      .values({ jobId: second.id, category: 'SYSTEM', code: 'WORKER_LOST', message: 'gone', retryable: true })
      .execute()
    const filters: JobFilter[] = [
      {},
      { ids: [first.id] },
      { status: ['PENDING'] },
      { status: ['RUNNING', 'FAILED'] },
      { places: [{ state: 'tx' }] },
      { places: [{ state: 'FL', county: 'duval' }, { fips: '48201' }] },
      { places: [{ state: 'FL', county: 'Nowhere' }] },
      { scrapeUrlIds: [elsewhere.id] },
      { platform: ['CIVILVIEW'] },
      { dates: { from: '2026-03-18', to: '2026-04-01' } },
      { dates: { from: '2026-03-19' } },
      { dates: { undated: true } },
      { errorCode: ['WORKER_LOST'] },
      { search: 'GROSSE' },
      { search: 'große' },
      { search: '0%_s' },
      { search: '' },
      { held: true },
      { held: false },
      { createdBy: '00000000-0000-4000-8000-000000000000' },
      { createdAt: { to: new Date('2021-01-01') } },
      { updatedAt: { from: new Date('2021-01-01') } },
      { updatedAt: { to: new Date('2021-01-01') } },
      { status: ['PENDING'], held: true, errorCode: ['WORKER_LOST'], search: 'hel' },
    ]
    const ids = new Set(jobs.map((job) => job.id))
    const follow = (events: Events, filter: JobFilter, snapshot: boolean) => {
      const told = new Set<string>()
      const reading = (async () => {
        const updates = events.watchJobs(filter, { snapshot, signal: leaving.signal })
        for await (const update of updates) if (ids.has(update.jobId)) told.add(update.jobId)
      })()
      return { told, reading }
    }
    const listed = filters.map((filter) => follow(here, filter, true))
    const readers = filters.map((filter) => follow(there, filter, false))
    await until(() => expect(here.counts().waiters).toBe(filters.length))
    await until(() => expect(there.counts().waiters).toBe(filters.length))
    for (const job of jobs) await change(job, { rowsProcessed: 1 })
    await until(() => expect(readers[0]?.told.size).toBe(jobs.length))
    await until(() => expect(there.counts().waiters).toBe(filters.length))
    const sorted = (all: typeof readers) => all.map(({ told }) => [...told].toSorted())
    expect(sorted(readers)).toEqual(sorted(listed))
    expect(sorted(readers).filter((told) => told.length > 0).length).toBeGreaterThan(filters.length / 2)
    leaving.abort()
    await Promise.all([...listed, ...readers].map((one) => one.reading))
  })
})
