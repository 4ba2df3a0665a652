import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Gavel, openGavel } from '../support/gavel.ts'
import { startOwnPostgres } from '../support/ownPostgres.ts'
import { insertJob, insertSite, openExecution } from '../support/rows.ts'

let gavel: Gavel
beforeAll(async () => {
  gavel = await openGavel([])
})
afterAll(async () => await gavel.close())

it('gavel recover lets the jobs of lost workers run again, those that have been silent for long enough', async () => {
  const job = await insertJob(gavel.db, await insertSite(gavel.db), { startDate: '2026-03-16' })
  const executionId = await openExecution(gavel.db, job.id)
  await gavel.db
    .updateTable('executions')
    .set({ heartbeatAt: sql<Date>`now() - interval '90 seconds'` })
    .where('id', '=', executionId)
    .execute()

  const tooSoon = await gavel.run(['recover', '--older-than', '5s'])
  expect(tooSoon).toMatchObject({ code: 1, stdout: '' })
  expect(tooSoon.stderr).toContain('gavel: --older-than must be at least GAVEL_STALE_AFTER, 10 seconds')
  expect(await gavel.run(['recover', '--older-than', '2m'])).toMatchObject({ code: 0, stdout: 'no worker is gone\n' })
  expect(await gavel.run(['recover', '--older-than', 'soon'])).toMatchObject({ code: 2 })

  expect(await gavel.run(['recover'])).toMatchObject({
    code: 0,
    stdout: `${job.id}  PENDING  ${job.name}\nrecovered: 1\n`,
  })
  const execution = await gavel.db.selectFrom('executions').selectAll().executeTakeFirstOrThrow()
  expect(execution).toMatchObject({ status: 'FAILED', stats: { ok: false, code: 'WORKER_LOST' } })
}, 60_000)

it('a node that may open more connections than there are does not start, and names GAVEL_WORKERS', async () => {
  const server = await startOwnPostgres()
  try {
    const refused = await gavel.run(['worker', '--workers', '30'], { DATABASE_URL: server.url })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /^gavel: GAVEL_WORKERS 30 takes up to 160 connections, and Postgres has \d+ left \(max_connections 100, .*\): set it to 1\d or less, .*$/m,
    )
  } finally {
    await server.remove()
  }
}, 60_000)
