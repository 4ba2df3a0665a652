import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { batchesById, type JobBatch } from '../../src/db/batches.ts'
import { changeJob, lockJob } from '../../src/db/changeJob.ts'
import type { JobRow } from '../../src/db/tables.ts'
import type { SubmitJobsInput } from '../../src/engine/batches.ts'
import { type Commands, createCommands } from '../../src/engine/commands.ts'
import type { Outcome } from '../../src/engine/outcome.ts'
import { createUser } from '../../src/engine/people.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { addDays, dayIn } from '../../src/engine/suggestedRange.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, insertScrapeUrl, linesOf, silent, submitted, testConfig } from '../support/engineFixtures.ts'

let test: TestDatabase
let queue: Queue
let commands: Commands

beforeAll(async () => {
  test = await createTestDatabase()
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
  commands = commandsOn(test.db, queue)
})
beforeEach(async () => {
  await sql`truncate scrape_urls, job_batches, pgboss.job cascade`.execute(test.db)
})
afterAll(async () => {
  await queue.stop()
  await test.drop()
})

const days = { startDate: '2026-03-16', endDate: '2026-03-18' }

/** The value of an outcome that must be ok. */
async function ok<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  const answer = await outcome
  if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer))
  return answer.value
}

async function submitBatch(input: SubmitJobsInput, userId: string | null = null): Promise<JobBatch> {
  const { batchId } = await ok(commands.submitJobs(input, userId))
  return await batch(batchId)
}

async function batch(id: string): Promise<JobBatch> {
  const [found] = await batchesById(test.db, [id])
  if (!found) throw new Error('no batch')
  return found
}

async function jobsOf(batchId: string): Promise<JobRow[]> {
  return await test.db
    .selectFrom('jobs')
    .selectAll('jobs')
    .innerJoin('jobBatchMembers as m', 'm.jobId', 'jobs.id')
    .where('m.batchId', '=', batchId)
    .orderBy('jobs.scrapeUrlId')
    .execute()
}

interface Entry {
  id: string
  state: string
  priority: number
  data: { jobId: string; sameAttempt: boolean }
  singletonKey: string
  groupId: string
}

async function entries(): Promise<Entry[]> {
  const { rows } = await sql<Entry>`
    select id, state::text, priority, data, singleton_key, group_id from pgboss.job`.execute(test.db)
  return rows
}

async function issuePaths(input: SubmitJobsInput): Promise<string[]> {
  const outcome = await commands.submitJobs(input, null)
  return outcome.kind === 'invalid' ? outcome.issues.map((issue) => issue.path.join('.')) : [outcome.kind]
}

async function change(job: JobRow, values: Parameters<typeof changeJob>[2]): Promise<void> {
  await test.db.transaction().execute(async (trx) => {
    const locked = await lockJob(trx, job.id)
    if (locked) await changeJob(trx, locked, values)
  })
}

describe('submitJobs', () => {
  it('stores a job for every active site with its days and its first event, and queues each', async () => {
    const ids = [await insertScrapeUrl(test.db, { siteKey: 'a.test' }), await insertScrapeUrl(test.db)]
    const off = await insertScrapeUrl(test.db, { active: false })
    const made = await submitBatch({ scrapeUrlIds: [...ids, off, ...ids], ...days, priority: 7, maxAttempts: 2 })
    expect(made).toMatchObject({ total: 2, pending: 2, running: 0, rowsCollected: 0, done: false })
    const jobs = await jobsOf(made.id)
    expect(jobs.map((job) => job.scrapeUrlId)).toEqual(ids.toSorted())
    const [job] = jobs
    expect(job).toMatchObject({
      name: 'FL Miami-Dade 2026-03-16..2026-03-18',
      status: 'PENDING',
      priority: 7,
      maxAttempts: 2,
      timeoutSeconds: 1800,
      datesTotal: 3,
      sequence: 1,
      attempt: 0,
    })
    const counted = await sql<{ days: number; events: number }>`
      select (select count(*) from scrape_days d where d.job_id = j.id and d.outcome = 'PENDING' and d.latest) as days,
        (select count(*) from job_events e where e.job_id = j.id and e.sequence = 1 and e.status = 'PENDING') as events
      from jobs j`.execute(test.db)
    expect(counted.rows).toEqual([
      { days: 3, events: 1 },
      { days: 3, events: 1 },
    ])
    const queued = await entries()
    expect(queued.map((entry) => entry.id).toSorted()).toEqual(jobs.map((one) => String(one.queueId)).toSorted())
    const first = queued.find((entry) => entry.singletonKey === 'REALAUCTION:a.test')
    expect(first).toMatchObject({ state: 'created', priority: 7, groupId: 'REALAUCTION:a.test' })
    expect(first?.data).toEqual({ jobId: jobs.find((one) => one.queueId === first?.id)?.id, sameAttempt: false })
  })

  it('runs as one would that was submitted alone', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const alone = await submitted(commands, { scrapeUrlId, ...days })
    const [among] = await jobsOf((await submitBatch({ all: true, ...days })).id)
    const same = ({ id: _i, queueId: _q, createdAt: _c, updatedAt: _u, ...rest }: JobRow) => rest
    const { batchId: _b, jobId: _j, ...job } = among as JobRow & { batchId: string; jobId: string }
    expect(same(job)).toEqual(same(alone))
    const { rows } = await sql<Record<string, unknown>>`select * from pgboss.job`.execute(test.db)
    const [one, other] = rows.map(
      ({ id: _id, data: _d, createdOn: _c, startAfter: _s, keepUntil: _k, ...rest }) => rest,
    )
    expect(one).toEqual(other)
  })

  it('takes the sites of states, of auction types and of platforms', async () => {
    const county = { deed: '12031', lien: '06037', other: '12086' }
    const add = async (countyFips: string, auctionType: 'TAX_DEED' | 'TAX_LIEN' | null) =>
      await test.db
        .insertInto('scrapeUrls')
        .values({
          countyFips,
          auctionType,
          url: `https://${randomUUID()}.test/`,
          platform: 'REALAUCTION',
          siteKey: randomUUID(),
        })
        .execute()
    await add(county.deed, 'TAX_DEED')
    await add(county.lien, 'TAX_LIEN')
    await add(county.other, null)
    const total = async (input: SubmitJobsInput) => (await submitBatch({ ...days, ...input })).total
    expect(await total({ all: true })).toBe(3)
    expect(await total({ states: ['fl'] })).toBe(2)
    expect(await total({ states: ['FL', 'CA'] })).toBe(3)
    expect(await total({ all: true, auctionType: ['TAX_LIEN', 'TAX_DEED'] })).toBe(2)
    expect(await total({ states: ['FL'], auctionType: ['TAX_DEED'] })).toBe(1)
    expect(await total({ all: true, platform: ['CIVILVIEW'] })).toBe(0)
  })

  it('makes an empty batch, which is done, where no site is left', async () => {
    expect(await submitBatch({ states: ['WY'], ...days })).toMatchObject({ total: 0, done: true, rowsCollected: 0 })
  })

  it("reads each site's suggested days where none are told", async () => {
    const [fresh, read] = [await insertScrapeUrl(test.db), await insertScrapeUrl(test.db)]
    const today = dayIn('America/New_York')
    await test.db
      .insertInto('scrapeDays')
      .values(
        [14, 13].map((back) => ({
          scrapeUrlId: read,
          date: addDays(today, -back),
          outcome: 'EMPTY' as const,
          proof: 'CALENDAR' as const,
          final: true,
          finishedAt: new Date(),
        })),
      )
      .execute()
    const jobs = await jobsOf((await submitBatch({ all: true })).id)
    const range = (id: string) =>
      jobs.filter((job) => job.scrapeUrlId === id).map((job) => [job.startDate, job.endDate])
    expect(range(fresh)).toEqual([[addDays(today, -14), addDays(today, 30)]])
    expect(range(read)).toEqual([[addDays(today, -12), addDays(today, 30)]])
  })

  it('tells everything that is wrong at once', async () => {
    expect(await issuePaths({ ...days })).toEqual([''])
    expect(await issuePaths({ all: false, ...days })).toEqual([''])
    const wrong = { states: ['FL', 'XX'], all: true, priority: 101, maxAttempts: 0, ...days, endDate: '2026-03-01' }
    expect(await issuePaths(wrong)).toEqual(['', 'states.1', 'priority', 'maxAttempts', 'endDate'])
    expect(await issuePaths({ states: ['\0', 'FL1'], idempotencyKey: '\0' })).toEqual([
      'states.0',
      'states.1',
      'idempotencyKey',
    ])
    expect(await issuePaths({ scrapeUrlIds: [], auctionType: [] })).toEqual(['scrapeUrlIds', 'auctionType'])
  })

  it('judges days that are half suggested once they are known', async () => {
    await insertScrapeUrl(test.db)
    expect(await issuePaths({ all: true, startDate: '2099-01-01' })).toEqual(['endDate'])
    expect(await test.db.selectFrom('jobs').select('id').execute()).toEqual([])
  })

  it('does not find a scrape URL that is not there, and makes nothing', async () => {
    const known = await insertScrapeUrl(test.db)
    for (const id of [randomUUID(), 'nonsense']) {
      expect(await commands.submitJobs({ scrapeUrlIds: [known, id], ...days }, null)).toMatchObject({
        kind: 'notFound',
        id,
      })
    }
    expect(await test.db.selectFrom('jobs').select('id').execute()).toEqual([])
  })

  it('refuses more sites and more days than a batch may have', async () => {
    await sql`
      insert into scrape_urls (county_fips, url, platform, site_key)
      select '12086', 'https://s' || n || '.test/', 'REALAUCTION', 's' || n || '.test' from generate_series(1, 5001) n`.execute(
      test.db,
    )
    expect(await issuePaths({ all: true, ...days })).toEqual(['all'])
    await sql`delete from scrape_urls where site_key = 's1.test'`.execute(test.db)
    expect(await issuePaths({ all: true, startDate: '2026-01-01', endDate: '2026-06-30' })).toEqual(['endDate'])
    expect(await submitBatch({ all: true, ...days })).toMatchObject({ total: 5000, pending: 5000 })
    expect(await entries()).toHaveLength(5000)
  })

  it('makes nothing when the queue refuses', async () => {
    await insertScrapeUrl(test.db)
    const refusing: Queue = { ...queue, enqueueMany: async () => await Promise.reject(new Error('full')) }
    const broken = createCommands({ db: test.db, queue: refusing, config: testConfig(), log: silent })
    await expect(broken.submitJobs({ all: true, ...days }, null)).rejects.toThrow('full')
    for (const table of ['jobs', 'jobBatches', 'scrapeDays'] as const) {
      expect(await test.db.selectFrom(table).select('id').execute()).toEqual([])
    }
  })

  describe('with a key', () => {
    it('answers the first batch to the same input, in whatever order, and KEY_REUSED to other input', async () => {
      const ids = [await insertScrapeUrl(test.db), await insertScrapeUrl(test.db)]
      const first = await submitBatch({ scrapeUrlIds: ids, ...days, idempotencyKey: 'k' })
      const again = await submitBatch({ idempotencyKey: 'k', ...days, scrapeUrlIds: ids.toReversed(), hold: null })
      expect(again.id).toBe(first.id)
      const other = await commands.submitJobs({ scrapeUrlIds: ids, ...days, idempotencyKey: 'k', priority: 1 }, null)
      expect(other).toMatchObject({ kind: 'conflict', reason: 'KEY_REUSED' })
      expect(await test.db.selectFrom('jobs').select('id').execute()).toHaveLength(2)
    })

    it('makes one batch of many submissions at once', async () => {
      await insertScrapeUrl(test.db)
      const input = { all: true, ...days, idempotencyKey: 'k' }
      const made = await Promise.all(Array.from({ length: 4 }, async () => await submitBatch(input)))
      expect(new Set(made.map((one) => one.id)).size).toBe(1)
    })

    it('is the key of its user alone, and may be used again after 7 days', async () => {
      await insertScrapeUrl(test.db)
      const user = await ok(createUser(test.db, { name: randomUUID(), role: 'OPERATOR' }))
      const input = { all: true, ...days, idempotencyKey: 'k' }
      const first = await submitBatch(input)
      expect((await submitBatch(input, user.id)).id).not.toBe(first.id)
      await sql`update job_batches set created_at = now() - interval '8 days' where id = ${first.id}`.execute(test.db)
      expect((await submitBatch(input)).id).not.toBe(first.id)
    })
  })
})

describe('processPendingJobs', () => {
  it('releases held jobs, oldest first, as a batch, and tells how many are left', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const held: JobRow[] = []
    for (let n = 0; n < 3; n++) held.push(await submitted(commands, { scrapeUrlId, hold: true }))
    await submitted(commands, { scrapeUrlId })
    const released = await ok(commands.processPendingJobs(2, null))
    expect(released.remaining).toBe(1)
    const jobs = await jobsOf(released.batchId)
    expect(jobs.map((job) => job.id).toSorted()).toEqual(
      held
        .slice(0, 2)
        .map((job) => job.id)
        .toSorted(),
    )
    for (const job of jobs) {
      expect(job).toMatchObject({ held: false, status: 'PENDING', sequence: 2, lastLine: 1 })
      expect(await linesOf(test.db, job.id)).toMatchObject([{ line: 1, level: 'INFO', message: 'released' }])
    }
    const queued = await entries()
    expect(queued).toHaveLength(3)
    expect(queued.map((entry) => entry.id)).toEqual(expect.arrayContaining(jobs.map((job) => job.queueId)))
    const rest = await ok(commands.processPendingJobs(null, null))
    expect(rest.remaining).toBe(0)
    expect((await jobsOf(rest.batchId)).map((job) => job.id)).toEqual([held[2]?.id])
  })

  it('answers an empty batch where nothing is held', async () => {
    const { batchId, remaining } = await ok(commands.processPendingJobs(undefined, null))
    expect(remaining).toBe(0)
    expect(await batch(batchId)).toMatchObject({ total: 0, done: true })
  })

  it('releases no job twice when two ask at once', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    for (let n = 0; n < 6; n++) await submitted(commands, { scrapeUrlId, hold: true })
    const both = await Promise.all([ok(commands.processPendingJobs(3, null)), ok(commands.processPendingJobs(3, null))])
    const jobs = (await Promise.all(both.map(async ({ batchId }) => await jobsOf(batchId)))).flat()
    expect(new Set(jobs.map((job) => job.id)).size).toBe(6)
    expect(await entries()).toHaveLength(6)
  })

  it.each([0, -1, 1001])('refuses a limit of %i', async (limit) => {
    expect(await commands.processPendingJobs(limit, null)).toMatchObject({
      kind: 'invalid',
      issues: [{ path: ['limit'], message: 'must be a whole number from 1 to 1000' }],
    })
  })
})

it('a batch counts its jobs by status, and is done when all are terminal', async () => {
  await insertScrapeUrl(test.db)
  await insertScrapeUrl(test.db)
  await insertScrapeUrl(test.db)
  const made = await submitBatch({ all: true, ...days })
  const [one, two, three] = (await jobsOf(made.id)) as [JobRow, JobRow, JobRow]
  await change(one, { status: 'RUNNING', rowsSuccess: 4 })
  await change(two, { status: 'COMPLETED', finishedAt: new Date(), rowsSuccess: 5 })
  expect(await batch(made.id)).toMatchObject({
    total: 3,
    pending: 1,
    running: 1,
    completed: 1,
    rowsCollected: 9,
    done: false,
  })
  await change(one, { status: 'FAILED', finishedAt: new Date() })
  await ok(commands.cancelJob(three.id))
  expect(await batch(made.id)).toMatchObject({ pending: 0, failed: 1, cancelled: 1, completed: 1, done: true })
})
