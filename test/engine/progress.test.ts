import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProgress } from '../../src/engine/progress.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { insertJob, insertSite, openExecution } from '../support/rows.ts'
import { until } from '../support/until.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

test('progress is told at most four times a second, the newest included', async () => {
  const { db } = database
  const job = await insertJob(db, await insertSite(db), { startDate: '2026-03-16', endDate: '2026-03-17' })
  const progress = createProgress(db, await openExecution(db, job.id), (fault) => expect(fault).toBeUndefined())
  const now = async () => await db.selectFrom('jobs').selectAll().where('id', '=', job.id).executeTakeFirstOrThrow()
  const began = Date.now()
  // Told without a pause until a third telling has been written.
  await until(async () => {
    progress.tell({ currentDate: '2026-03-16' })
    expect((await now()).sequence).toBeGreaterThan(job.sequence + 2)
  })
  progress.tell({ currentDate: '2026-03-17' })
  await progress.flush()
  const { sequence, currentDate } = await now()
  expect(currentDate).toBe('2026-03-17')
  // The flush is one of its own.
  expect(sequence - job.sequence - 1).toBeLessThanOrEqual((Date.now() - began) / 250)
})
