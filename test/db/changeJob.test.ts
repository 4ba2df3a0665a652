import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, expect, test, vi } from 'vitest'
import { appendLines, changeJob, FencedError, jobChannel, lockExecution, lockJob } from '../../src/db/changeJob.ts'
import type { Tx } from '../../src/db/database.ts'
import { insertJob } from '../../src/db/jobs.ts'
import type { JobRow } from '../../src/db/tables.ts'
import { createTestDatabase } from '../support/database.ts'

const database = await createTestDatabase()
const { db } = database
afterAll(() => database.drop())

const site = await db
  .insertInto('scrapeUrls')
  .values({
    countyFips: '12086',
    url: 'https://miamidade.example/index.cfm',
    platform: 'REALAUCTION',
    siteKey: 'miamidade.example',
  })
  .returning('id')
  .executeTakeFirstOrThrow()

/** A job as submitting makes it: sequence 1, with the event of that. */
async function makeJob(): Promise<JobRow> {
  return db.transaction().execute(async (trx) => {
    const range = { startDate: '2026-03-16', endDate: '2026-03-20' }
    const job = { name: 'FL Miami-Dade', countyFips: '12086', scrapeUrlId: site.id, ...range, timeoutSeconds: 1800 }
    return await insertJob(trx, job, ['2026-03-16', '2026-03-17', '2026-03-18', '2026-03-19', '2026-03-20'])
  })
}

async function openExecution(jobId: string): Promise<string> {
  const { id } = await db
    .insertInto('executions')
    .values({ jobId, attempt: 1, workerNode: 'node-1' })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

async function inLock<T>(jobId: string, work: (trx: Tx, job: JobRow) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (trx) => {
    const job = await lockJob(trx, jobId)
    if (job === null) throw new Error(`no job ${jobId}`)
    return work(trx, job)
  })
}

const linesOf = async (jobId: string) =>
  db.selectFrom('jobLogLines').selectAll().where('jobId', '=', jobId).orderBy('line').execute()
const eventsOf = async (jobId: string) =>
  db.selectFrom('jobEvents').selectAll().where('jobId', '=', jobId).orderBy('sequence').execute()

test('concurrent changes of one job raise its sequence without a gap, and its log lines too', async () => {
  const { id } = await makeJob()
  const seen = await Promise.all(
    Array.from({ length: 20 }, async (_, n) =>
      inLock(id, async (trx, job) => {
        const lines = Array.from({ length: n % 3 }, (__, line) => ({ level: 'INFO' as const, message: `${n}.${line}` }))
        const changed = await changeJob(trx, job, { rowsProcessed: n }, { lines })
        expect(changed.sequence).toBe(job.sequence + 1)
        expect(changed.lastLine).toBe(job.lastLine + lines.length)
        return changed.sequence
      }),
    ),
  )
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 2))
  const lines = await linesOf(id)
  expect(lines.map((line) => line.line)).toEqual(lines.map((_, n) => n + 1))
  expect(lines).toHaveLength(19)
})

test('a change that is rolled back leaves no sequence, line or event behind', async () => {
  const { id } = await makeJob()
  const undone = inLock(id, async (trx, job) => {
    await changeJob(trx, job, { status: 'RUNNING' }, { lines: [{ level: 'INFO', message: 'never' }] })
    throw new Error('undo')
  })
  await expect(undone).rejects.toThrow('undo')
  const changed = await inLock(id, (trx, job) => changeJob(trx, job, { rowsProcessed: 1 }))
  expect(changed).toMatchObject({ sequence: 2, lastLine: 0, status: 'PENDING' })
  expect(await linesOf(id)).toEqual([])
  expect(await eventsOf(id)).toHaveLength(1)
})

test('a change of status is stored as an event at its sequence, any other change is not', async () => {
  const { id } = await makeJob()
  await inLock(id, (trx, job) => changeJob(trx, job, { status: 'RUNNING', attempt: 1 }))
  await inLock(id, (trx, job) => changeJob(trx, job, { rowsProcessed: 7, datesDone: 1 }))
  await inLock(id, (trx, job) =>
    changeJob(trx, job, { status: 'FAILED', finishedAt: new Date() }, { errorMessage: 'the site is offline' }),
  )
  expect(await eventsOf(id)).toMatchObject([
    { sequence: 1, status: 'PENDING', attempt: 0, errorMessage: null },
    { sequence: 2, status: 'RUNNING', attempt: 1, errorMessage: null },
    { sequence: 4, status: 'FAILED', rowsProcessed: 7, datesDone: 1, errorMessage: 'the site is offline' },
  ])
})

test('time never goes back as the sequence grows, also when the later change began first', async () => {
  const { id } = await makeJob()
  await db.transaction().execute(async (early) => {
    await vi.waitFor(async () => {
      const { rows } = await sql<{ later: boolean }>`
        select clock_timestamp() > now() + interval '5 ms' as later`.execute(early)
      expect(rows).toEqual([{ later: true }])
    })
    await inLock(id, (trx, job) =>
      changeJob(trx, job, { status: 'RUNNING' }, { lines: [{ level: 'INFO', message: 'first' }] }),
    )
    const job = await lockJob(early, id)
    if (job === null) throw new Error('the job is gone')
    await changeJob(early, job, { status: 'PENDING' }, { lines: [{ level: 'INFO', message: 'second' }] })
  })
  for (const rows of [await eventsOf(id), await linesOf(id)]) {
    const times = rows.map((row) => row.at.getTime())
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  }
})

test('lines may be added and the job changed in one transaction with the row that was locked first', async () => {
  const { id } = await makeJob()
  await inLock(id, async (trx, job) => {
    await appendLines(trx, job, [{ level: 'WARN', message: 'one', data: { someKey: 1 } }], null)
    await changeJob(trx, job, { rowsProcessed: 1 }, { lines: [{ level: 'INFO', message: 'two' }] })
    await appendLines(trx, job, [], null)
    await appendLines(trx, job, [{ level: 'ERROR', message: 'three' }], null)
  })
  expect(await linesOf(id)).toMatchObject([
    { line: 1, level: 'WARN', message: 'one', data: { someKey: 1 } },
    { line: 2, level: 'INFO', message: 'two', data: null },
    { line: 3, level: 'ERROR', message: 'three', data: null },
  ])
})

test('every committed change is told to listeners with the sequence and the last line, a rolled back one is not', async () => {
  const { id } = await makeJob()
  const listener = new pg.Client(database.url)
  await listener.connect()
  try {
    const heard: string[] = []
    listener.on('notification', ({ channel, payload }) => heard.push(`${channel} ${payload}`))
    await listener.query(`listen ${jobChannel}`)
    await inLock(id, (trx, job) => changeJob(trx, job, { rowsProcessed: 1 }))
    const undone = inLock(id, async (trx, job) => {
      await changeJob(trx, job, { rowsProcessed: 99 })
      throw new Error('undo')
    })
    await expect(undone).rejects.toThrow('undo')
    await inLock(id, (trx, job) => appendLines(trx, job, [{ level: 'INFO', message: 'a' }], null))
    await inLock(id, (trx, job) =>
      changeJob(trx, job, { status: 'RUNNING' }, { lines: [{ level: 'INFO', message: 'b' }] }),
    )
    const expected = [`${id}:2:0`, `${id}:2:1`, `${id}:3:2`].map((payload) => `gavel_job ${payload}`)
    await vi.waitFor(() => expect(heard).toEqual(expected))
  } finally {
    await listener.end()
  }
})

test('the fence lets the open execution through, with its job locked', async () => {
  const { id } = await makeJob()
  const executionId = await openExecution(id)
  await db.transaction().execute(async (trx) => {
    const locked = await lockExecution(trx, executionId)
    expect(locked.job.id).toBe(id)
    expect(locked.execution).toMatchObject({ id: executionId, status: 'RUNNING' })
    const other = db.selectFrom('jobs').select('id').where('id', '=', id).forUpdate().noWait().executeTakeFirst()
    await expect(other).rejects.toMatchObject({ code: '55P03' })
  })
})

test('the fence refuses an execution that was closed, and one that never was', async () => {
  const { id } = await makeJob()
  const executionId = await openExecution(id)
  await close(executionId)
  const write = async (execution: string) => db.transaction().execute(async (trx) => lockExecution(trx, execution))
  await expect(write(executionId)).rejects.toThrow(FencedError)
  await expect(write(crypto.randomUUID())).rejects.toThrow(FencedError)
})

test('a worker that waits for the lock while its execution is closed is refused', async () => {
  const { id } = await makeJob()
  const executionId = await openExecution(id)
  const late = await db.transaction().execute(async (trx) => {
    await lockJob(trx, id)
    const write = db.transaction().execute(async (own) => lockExecution(own, executionId))
    // looked at when the lock is free again
    const settled = write.then(
      () => 'written',
      (error: unknown) => error,
    )
    await vi.waitFor(async () => {
      const waiting = await sql<{ count: number }>`
        select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
        db,
      )
      expect(waiting.rows[0]?.count).toBe(1)
    })
    await close(executionId, trx)
    return { settled }
  })
  expect(await late.settled).toBeInstanceOf(FencedError)
})

async function close(executionId: string, trx: typeof db | Tx = db): Promise<void> {
  await trx
    .updateTable('executions')
    .set({ status: 'FAILED', finishedAt: new Date(), durationMs: 1, stats: JSON.stringify({ ok: false }) })
    .where('id', '=', executionId)
    .execute()
}
