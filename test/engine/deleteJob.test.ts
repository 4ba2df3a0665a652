import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { lockJob } from '../../src/db/changeJob.ts'
import type { Tx } from '../../src/db/database.ts'
import type { JobRow } from '../../src/db/tables.ts'
import { deleteJob } from '../../src/engine/deleteJob.ts'
import { createEvents, type JobUpdate } from '../../src/engine/events.ts'
import { sampleRow } from '../db/prospects/sample.ts'
import { date, findChanges, findProspect, newCase, visit } from '../db/prospects/visit.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { jobOf, silent } from '../support/engineFixtures.ts'
import { insertProspects } from '../support/prospects.ts'
import { closeExecution, insertJob } from '../support/rows.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const remove = async (id: string) => await deleteJob({ db: database.db, log: silent }, id, null)

/** A job that has saved one prospect and rejected one row, and has ended. */
async function endedJob() {
  const { db } = database
  const { site, job, executionId, read } = await visit(db)
  const raw = { fields: [{ label: 'Opening Bid:', value: 'ten' }], status: null, area: 'W' as const }
  const rejected = { sourceKey: '2', auctionId: '2', field: 'openingBid', message: 'not an amount', raw }
  await read([sampleRow('1', { caseNumber: newCase() })], {
    rejected: [rejected],
    lines: () => [{ level: 'INFO', message: 'saved' }],
  })
  await closeExecution(db, executionId)
  await end(job)
  return { site, job, executionId, prospect: await findProspect(db, site, '1') }
}

async function end(job: JobRow): Promise<void> {
  const set = { status: 'COMPLETED', finishedAt: new Date() } as const
  await database.db.updateTable('jobs').set(set).where('id', '=', job.id).execute()
}

test('a deleted job leaves its prospects, their changes and the reports of the days it read', async () => {
  const { db } = database
  const { site, job, executionId, prospect } = await endedJob()
  const { id: batchId } = await db.insertInto('jobBatches').defaultValues().returning('id').executeTakeFirstOrThrow()
  await db.insertInto('jobBatchMembers').values({ batchId, jobId: job.id }).execute()
  const error = await db.selectFrom('jobErrors').select('id').where('jobId', '=', job.id).executeTakeFirstOrThrow()
  await db.updateTable('jobs').set({ endedByErrorId: error.id }).where('id', '=', job.id).execute()
  const clone = await insertJob(db, site, { startDate: date })
  await db.updateTable('jobs').set({ clonedFromId: job.id }).where('id', '=', clone.id).execute()

  expect(await remove(job.id)).toEqual({ kind: 'ok', value: { deletedId: job.id } })

  const rows = await sql<{ of: string; rows: number }>`
    select 'jobs' as of, count(*) as rows from jobs where id = ${job.id}
    union all select 'executions', count(*) from executions where job_id = ${job.id} or id = ${executionId}
    union all select 'errors', count(*) from job_errors where job_id = ${job.id}
    union all select 'lines', count(*) from job_log_lines where job_id = ${job.id}
    union all select 'events', count(*) from job_events where job_id = ${job.id}
    union all select 'links', count(*) from job_prospects where job_id = ${job.id}
    union all select 'members', count(*) from job_batch_members where job_id = ${job.id}`.execute(db)
  expect(rows.rows.filter((row) => row.rows !== 0)).toEqual([])
  expect(await findProspect(db, site, '1')).toEqual({ ...prospect, lastJobId: null })
  expect(await findChanges(db, prospect.id)).toMatchObject([{ kind: 'CREATED', jobId: null }])
  const days = await db.selectFrom('scrapeDays').selectAll().where('scrapeUrlId', '=', site.id).execute()
  expect(days.filter((day) => day.jobId !== clone.id)).toMatchObject([
    { date, outcome: 'COMPLETE', saved: 1, rejected: 1, jobId: null, executionId: null },
  ])
  expect(await jobOf(db, clone.id)).toMatchObject({ clonedFromId: null })
})

test.each(['PENDING', 'RUNNING'] as const)('a job that is %s is not deleted', async (status) => {
  const { job } = await visit(database.db)
  await database.db.updateTable('jobs').set({ status }).where('id', '=', job.id).execute()
  expect(await remove(job.id)).toMatchObject({ kind: 'conflict', reason: 'JOB_RUNNING', jobId: job.id })
  expect(await jobOf(database.db, job.id)).toMatchObject({ status })
})

test('a job that is not there is not found', async () => {
  for (const id of [randomUUID(), 'nonsense']) expect(await remove(id)).toMatchObject({ kind: 'notFound', id })
})

test('who watches the job is told that it is DELETED', async () => {
  const { site } = await visit(database.db)
  const job = await insertJob(database.db, site, { startDate: date })
  const events = await createEvents({ databaseUrl: database.url, db: database.db, log: silent })
  try {
    const updates = events.watchJob(job.id, { signal: new AbortController().signal })
    expect((await updates.next()).value).toMatchObject({ kind: 'SNAPSHOT' })
    await end(job)
    await remove(job.id)
    const deleted = (await updates.next()).value as JobUpdate
    expect(deleted).toMatchObject({ kind: 'DELETED', jobId: job.id })
    expect(deleted.sequence).toBeGreaterThan(job.sequence)
    expect(await updates.next()).toEqual({ done: true, value: undefined })
  } finally {
    await events.stop()
  }
})

/** Resolves once somebody waits for a row that a transaction has locked. */
async function untilSomebodyWaits(): Promise<void> {
  await vi.waitFor(async () => {
    const waiting = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(database.db)
    expect(waiting.rows).toHaveLength(1)
  })
}

test.each(['the first of its prospects', 'a clone of it'])(
  'it waits for a day in the saving that holds %s, which does not wait for it',
  async (held) => {
    const { db } = database
    const { site, job } = await visit(db)
    await end(job)
    await db
      .updateTable('executions')
      .set({ status: 'COMPLETED', finishedAt: new Date(), durationMs: 1, stats: '{"ok":true}' })
      .where('jobId', '=', job.id)
      .execute()
    const clone = await insertJob(db, site, { startDate: date })
    await db.updateTable('jobs').set({ clonedFromId: job.id }).where('id', '=', clone.id).execute()
    const [low, high] = [randomUUID(), randomUUID()].toSorted() as [string, string]
    // Stored against the order of their ids: the order in which the database would come to them by itself.
    for (const id of [high, low]) await insertProspects(db, [{ id, lastJobId: job.id, caseKey: id, caseNumber: id }])
    const lock = async (trx: Tx, id: string) =>
      await trx.selectFrom('prospects').select('id').where('id', '=', id).forUpdate().execute()

    let deleted: ReturnType<typeof remove> | undefined
    await db.transaction().execute(async (trx) => {
      if (held === 'a clone of it') await lockJob(trx, clone.id)
      else await lock(trx, low)
      deleted = remove(job.id)
      await untilSomebodyWaits()
      await lock(trx, low)
      await lock(trx, high)
    })
    expect(await deleted).toMatchObject({ kind: 'ok' })
  },
)

test('every foreign key that the deletion of a job follows has an index', async () => {
  const { rows } = await sql<{ key: string }>`
    select format('%s.%s', con.conrelid::regclass, att.attname) as key
    from pg_constraint con
      join pg_attribute att on att.attrelid = con.conrelid and att.attnum = con.conkey[1]
    where con.contype = 'f' and con.confrelid in ('jobs'::regclass, 'executions'::regclass, 'job_errors'::regclass)
      and not exists (
        select from pg_index i
        where i.indrelid = con.conrelid and i.indkey[0] = con.conkey[1]
          and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', att.attname)))
    order by 1`.execute(database.db)
  expect(rows.map((row) => row.key)).toEqual([])
})
