import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { openDates } from '../../src/db/jobs.ts'
import { settledDaysOfJobs } from '../../src/db/settledDays.ts'
import type { JobRow, ScheduleRow } from '../../src/db/tables.ts'
import type { CalendarDate } from '../../src/domain.ts'
import { endExecution, openExecution } from '../../src/engine/executions.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import type { Repeated } from '../../src/engine/repeat.ts'
import { retimeSchedules, type SaveScheduleInput, saveSchedule } from '../../src/engine/saveSchedule.ts'
import { startSchedules } from '../../src/engine/schedules.ts'
import { addDays, dayIn, daysBetween } from '../../src/engine/suggestedRange.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, insertScrapeUrl, jobOf, silent, testConfig } from '../support/engineFixtures.ts'
import { processes } from '../support/processes.ts'

const never = '0 0 29 2 *'
const until = { timeout: 15_000, interval: 20 }

let test: TestDatabase
let queue: Queue
let schedules: Repeated
const nodes = processes()

beforeAll(async () => {
  test = await createTestDatabase()
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
  schedules = startSchedules({ db: test.db, queue, config: testConfig(), log: silent })
})
afterEach(() => nodes.killAll())
afterAll(async () => {
  await schedules.stop()
  await queue.stop()
  await test.drop()
})

async function saved(input: SaveScheduleInput = {}): Promise<ScheduleRow> {
  const { id } = input
  const site = id ? {} : { scrapeUrlId: await insertScrapeUrl(test.db), cron: never }
  const outcome = await saveSchedule(test.db, { ...site, ...input }, null)
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
  return outcome.value
}

async function scheduleOf(id: string): Promise<ScheduleRow> {
  return await test.db.selectFrom('schedules').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

async function jobsOf(scheduleId: string): Promise<JobRow[]> {
  return await test.db
    .selectFrom('jobs')
    .selectAll()
    .where('scheduleId', '=', scheduleId)
    .orderBy('createdAt')
    .orderBy('id')
    .execute()
}

/** Makes a schedule due, since so long, and waits until it has been dealt with. */
async function due(id: string, since = '1 second'): Promise<ScheduleRow> {
  await sql`update schedules set next_run_at = now() - ${since}::interval where id = ${id}`.execute(test.db)
  schedules.wake()
  await vi.waitFor(async () => expect((await scheduleOf(id)).nextRunAt?.getTime()).toBeGreaterThan(Date.now()), until)
  return await scheduleOf(id)
}

/** Runs a job to its end without a worker. */
async function end(job: JobRow): Promise<void> {
  const deps = { db: test.db, queue, retryDelaysSeconds: [1] }
  const delivery = { queueId: job.queueId ?? '', jobId: job.id, sameAttempt: false }
  const run = await openExecution(deps, delivery, { executionId: crypto.randomUUID(), node: 'node-1', pid: 1 })
  await endExecution(deps, run?.execution.id ?? '', { kind: 'completed', stages: [] })
}

async function markFinal(scrapeUrlId: string, dates: readonly CalendarDate[]): Promise<void> {
  const report = { outcome: 'EMPTY', proof: 'CALENDAR', final: true, finishedAt: new Date() } as const
  await test.db
    .insertInto('scrapeDays')
    .values(dates.map((date) => ({ scrapeUrlId, date, ...report })))
    .execute()
}

describe('a schedule that is due', () => {
  it('makes a queued job over the window around the site’s today', async () => {
    const schedule = await saved({ priority: 7, lookbackDays: 3, lookaheadDays: 5 })
    const fired = await due(schedule.id)
    expect(fired).toMatchObject({ skippedRuns: 0, lastRunAt: expect.any(Date) })
    const today = dayIn('America/New_York')
    const [job, ...more] = await jobsOf(schedule.id)
    expect(more).toEqual([])
    expect(job).toMatchObject({
      status: 'PENDING',
      priority: 7,
      startDate: addDays(today, -3),
      endDate: addDays(today, 5),
      datesTotal: 9,
      name: `FL Miami-Dade ${addDays(today, -3)}..${addDays(today, 5)}`,
      createdBy: null,
    })
    const { rows } = await sql`select 1 from pgboss.job where id = ${job?.queueId} and state = 'created'`.execute(
      test.db,
    )
    expect(rows).toHaveLength(1)
  })

  it('fires once after a downtime, however many runs were missed', async () => {
    const schedule = await saved({ cron: '* * * * *' })
    const fired = await due(schedule.id, '3 days')
    expect(await jobsOf(schedule.id)).toHaveLength(1)
    expect(fired.skippedRuns).toBe(0)
    expect(fired.nextRunAt?.getTime()).toBeLessThanOrEqual(Date.now() + 60_000)
    expect(fired.nextRunAt?.getSeconds()).toBe(0)
  })

  it('skips its run, and counts it, until its last job is terminal', async () => {
    const schedule = await saved()
    await due(schedule.id)
    const [first] = await jobsOf(schedule.id)
    const skipped = await due(schedule.id)
    expect(skipped.skippedRuns).toBe(1)
    expect((await due(schedule.id)).skippedRuns).toBe(2)
    expect(await jobsOf(schedule.id)).toHaveLength(1)

    if (first) await end(first)
    const fired = await due(schedule.id)
    expect(fired.skippedRuns).toBe(2)
    expect(await jobsOf(schedule.id)).toHaveLength(2)
    expect(fired.lastRunAt?.getTime()).toBeGreaterThan(skipped.lastRunAt?.getTime() ?? Infinity)
  })

  it('skips its run while its site is not active', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db, { active: false })
    const schedule = await saved({ scrapeUrlId })
    expect((await due(schedule.id)).skippedRuns).toBe(1)
    expect(await jobsOf(schedule.id)).toEqual([])
  })

  it('leaves out the days that are final, and shows them with the reports that settled them', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const schedule = await saved({ scrapeUrlId })
    const today = dayIn('America/New_York')
    const back = (days: number) => addDays(today, -days)
    await markFinal(scrapeUrlId, [back(14), back(13), back(11), back(2)])
    await due(schedule.id)
    const [job] = await jobsOf(schedule.id)
    if (!job) throw new Error('no job')
    const days = daysBetween(back(12), addDays(today, 30))
    expect(job).toMatchObject({ startDate: back(12), endDate: addDays(today, 30), datesTotal: days.length - 2 })
    const open = days.filter((day) => day !== back(11) && day !== back(2))
    expect(await openDates(test.db, job.id)).toEqual(open)
    const settled = await settledDaysOfJobs(test.db, [job.id])
    expect(settled.map((day) => [day.date, day.outcome, day.leftOutBy])).toEqual([
      [back(11), 'EMPTY', job.id],
      [back(2), 'EMPTY', job.id],
    ])

    await end(job)
    expect(await commandsOn(test.db, queue).runJob(job.id)).toMatchObject({ kind: 'ok', value: { datesDone: 0 } })
    expect(await openDates(test.db, job.id)).toEqual(open)
  })

  it('does not keep the others when it cannot be fired', async () => {
    const broken = await saved()
    const whole = await saved()
    await sql`update schedules set cron = 'nonsense', next_run_at = now() - interval '1 day' where id = ${broken.id}`.execute(
      test.db,
    )
    await due(whole.id)
    expect(await jobsOf(whole.id)).toHaveLength(1)
    expect(await jobsOf(broken.id)).toEqual([])
    await test.db.deleteFrom('schedules').where('id', '=', broken.id).execute()
  })

  it('makes no job when the queue does not take it, and is due again', async () => {
    const schedule = await saved()
    const refusing: Queue = { ...queue, enqueue: async () => await Promise.reject(new Error('full')) }
    const errors: string[] = []
    const log = { ...silent, error: (_: unknown, message: string) => errors.push(message) } as unknown as typeof silent
    await schedules.stop()
    const other = startSchedules({ db: test.db, queue: refusing, config: testConfig(), log })
    await sql`update schedules set next_run_at = now() where id = ${schedule.id}`.execute(test.db)
    other.wake()
    await vi.waitFor(() => expect(errors).toContain('a schedule could not be fired'), until)
    await other.stop()
    expect(await jobsOf(schedule.id)).toEqual([])
    expect((await scheduleOf(schedule.id)).nextRunAt?.getTime()).toBeLessThanOrEqual(Date.now())
    schedules = startSchedules({ db: test.db, queue, config: testConfig(), log: silent })
    await vi.waitFor(async () => expect(await jobsOf(schedule.id)).toHaveLength(1), until)
  })
})

it('over three node processes each run happens once', async () => {
  const made = await Promise.all(Array.from({ length: 12 }, () => saved()))
  const ids = made.map((one) => one.id)
  // Due while all of them are looking.
  await sql`update schedules set next_run_at = now() + interval '4 seconds' where id = any(${ids}::uuid[])`.execute(
    test.db,
  )
  await Promise.all([1, 2, 3].map(() => nodes.start('backgroundNode.ts', { DATABASE_URL: test.url })))
  await vi.waitFor(async () => {
    const all = await test.db.selectFrom('schedules').selectAll().where('id', 'in', ids).execute()
    expect(all.filter((one) => one.lastRunAt === null)).toEqual([])
  }, until)
  for (const id of ids) {
    expect(await jobsOf(id)).toHaveLength(1)
    expect(await scheduleOf(id)).toMatchObject({ skippedRuns: 0 })
  }
}, 60_000)

describe('saveSchedule', () => {
  it('makes an active one with the defaults, which runs next in the site’s zone', async () => {
    const schedule = await saved({ cron: ' 0 6 * * * ' })
    expect(schedule).toMatchObject({
      cron: '0 6 * * *',
      timezone: null,
      lookbackDays: 14,
      lookaheadDays: 30,
      priority: 0,
      active: true,
      skippedRuns: 0,
      lastRunAt: null,
    })
    const local = schedule.nextRunAt?.toLocaleTimeString('en-GB', { timeZone: 'America/New_York' })
    expect(local).toBe('06:00:00')
  })

  it('counts the next run anew only where it is about the time', async () => {
    const { id } = await saved({ cron: '0 6 * * *' })
    await sql`update schedules set next_run_at = now() + interval '9 days' where id = ${id}`.execute(test.db)
    const before = await scheduleOf(id)
    expect((await saved({ id, priority: 3 })).nextRunAt).toEqual(before.nextRunAt)
    expect((await saved({ id, active: false })).nextRunAt).toBeNull()
    const again = await saved({ id, active: true })
    expect(again.nextRunAt?.getTime()).toBeLessThan(before.nextRunAt?.getTime() ?? 0)
    const moved = await saved({ id, timezone: 'Asia/Tokyo' })
    expect(moved.nextRunAt?.toISOString()).toContain('T21:00:00')
    expect((await saved({ id, timezone: null })).nextRunAt).toEqual(again.nextRunAt)
  })

  it('keeps what is left out, and null brings back what a new one has', async () => {
    const { id } = await saved({ lookbackDays: 2, lookaheadDays: 3, priority: 9, timezone: 'UTC' })
    expect(await saved({ id, cron: '5 5 * * *' })).toMatchObject({ lookbackDays: 2, lookaheadDays: 3, priority: 9 })
    const cleared = await saved({ id, lookbackDays: null, lookaheadDays: null, priority: null, timezone: null })
    expect(cleared).toMatchObject({
      lookbackDays: 14,
      lookaheadDays: 30,
      priority: 0,
      timezone: null,
      cron: '5 5 * * *',
    })
  })

  it('tells everything that is wrong at once', async () => {
    const paths = async (input: SaveScheduleInput) => {
      const outcome = await saveSchedule(test.db, input, null)
      return outcome.kind === 'invalid' ? outcome.issues.map((issue) => issue.path.join('.')) : outcome.kind
    }
    const scrapeUrlId = await insertScrapeUrl(test.db)
    expect(await paths({})).toEqual(['scrapeUrlId', 'cron'])
    expect(
      await paths({
        scrapeUrlId,
        cron: 'daily',
        timezone: 'Mars/Olympus',
        lookbackDays: -1,
        lookaheadDays: 366,
        priority: 101,
      }),
    ).toEqual(['cron', 'timezone', 'lookbackDays', 'lookaheadDays', 'priority'])
    expect(await paths({ scrapeUrlId, cron: never, lookbackDays: 200, lookaheadDays: 166 })).toEqual(['lookaheadDays'])
    expect(await paths({ scrapeUrlId, cron: never, lookbackDays: 200, lookaheadDays: 165 })).toBe('ok')
    expect(await paths({ scrapeUrlId: crypto.randomUUID(), cron: never })).toBe('notFound')
    expect(await paths({ id: crypto.randomUUID(), cron: never })).toBe('notFound')
    const { id } = await saved()
    expect(await paths({ id, cron: null, scrapeUrlId: null })).toEqual(['scrapeUrlId', 'cron'])
  })

  it('follows its site to another zone, unless it has one of its own', async () => {
    const scrapeUrlId = await insertScrapeUrl(test.db)
    const following = await saved({ scrapeUrlId, cron: '0 6 * * *' })
    const own = await saved({ scrapeUrlId, cron: '0 6 * * *', timezone: 'UTC' })
    await test.db.updateTable('scrapeUrls').set({ timezone: 'Asia/Tokyo' }).where('id', '=', scrapeUrlId).execute()
    await retimeSchedules(test.db, scrapeUrlId)
    expect((await scheduleOf(following.id)).nextRunAt?.toISOString()).toContain('T21:00:00')
    expect((await scheduleOf(own.id)).nextRunAt).toEqual(own.nextRunAt)
  })
})

it('a schedule that is deleted leaves its jobs', async () => {
  const schedule = await saved()
  await due(schedule.id)
  const [job] = await jobsOf(schedule.id)
  await test.db.deleteFrom('schedules').where('id', '=', schedule.id).execute()
  expect(await jobOf(test.db, job?.id ?? '')).toMatchObject({ scheduleId: null, status: 'PENDING' })
})
