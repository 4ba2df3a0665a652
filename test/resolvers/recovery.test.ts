import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertJob, insertSite, openExecution } from '../support/rows.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api.stop())

const mutation = `mutation($olderThanSeconds: Int) { recoverStaleJobs(olderThanSeconds: $olderThanSeconds) {
  __typename ... on RecoverStaleJobsSuccess { jobs { id status attempt } }
  ... on InvalidInputError { issues { path message } } } }`

/** A job whose worker was last heard of so long ago. */
async function silentJob(seconds: number): Promise<string> {
  const job = await insertJob(api.db, await insertSite(api.db), { startDate: '2026-03-16' })
  const executionId = await openExecution(api.db, job.id)
  await api.db
    .updateTable('executions')
    .set({ heartbeatAt: sql<Date>`now() - make_interval(secs => ${seconds})` })
    .where('id', '=', executionId)
    .execute()
  return job.id
}

describe('recoverStaleJobs', () => {
  test('answers the jobs that run again; GAVEL_STALE_AFTER unless told', async () => {
    const job = await silentJob(30)
    const { recoverStaleJobs } = await api.ask(mutation)
    expect(recoverStaleJobs).toEqual({
      __typename: 'RecoverStaleJobsSuccess',
      jobs: [{ id: idOf('ScrapingJob', job), status: 'PENDING', attempt: 1 }],
    })
    await silentJob(30)
    const later = await api.ask(mutation, { olderThanSeconds: 60 })
    expect(later.recoverStaleJobs).toEqual({ __typename: 'RecoverStaleJobsSuccess', jobs: [] })
  })

  test('refuses less than GAVEL_STALE_AFTER', async () => {
    const { recoverStaleJobs } = await api.ask(mutation, { olderThanSeconds: 9 })
    expect(recoverStaleJobs).toEqual({
      __typename: 'InvalidInputError',
      issues: [{ path: ['olderThanSeconds'], message: 'must be at least GAVEL_STALE_AFTER, 10 seconds' }],
    })
  })

  test('takes ADMIN', async () => {
    const { key } = await api.keyOf('OPERATOR')
    const { errors } = await api.post(mutation, {}, key)
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN')
  })
})

test('workerPool tells why a node does not take all jobs', async () => {
  const values = [
    { name: 'a', fault: 'no worker can be started' },
    { name: 'b', fault: null },
  ]
  await api.db.insertInto('workerNodes').values(values).execute()
  const { workerPool } = await api.ask('{ workerPool { nodes { name fault } } }')
  expect(workerPool.nodes).toEqual(values)
})
