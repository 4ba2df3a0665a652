import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { changeJob, lockJob } from '../../src/db/changeJob.ts'
import type { JobRow, ProspectRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import { adminKey, idOf, startTestApi, type TestApi } from '../support/api.ts'
import { changed, record } from '../support/changes.ts'
import { insertProspects } from '../support/prospects.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

// What docs/subscriptions.md promises and no other test is about.

let api: TestApi
let site: ScrapeUrlRow
beforeAll(async () => {
  api = await startTestApi()
  site = await insertSite(api.db)
})
afterEach(async () => await asleep(0))
afterAll(() => api.stop())

const asleep = async (readers: number) => await until(() => expect(api.events.counts().waiters).toBe(readers))
const newJob = async () => await insertJob(api.db, site, { startDate: '2026-03-16' })

// oxlint-disable-next-line typescript/no-explicit-any -- what is told is what its query says
const watch = (query: string, variables: Record<string, unknown>) => api.client().iterate<any>({ query, variables })

async function change(job: JobRow, values: Parameters<typeof changeJob>[2]): Promise<void> {
  await api.db.transaction().execute(async (trx) => {
    await changeJob(trx, (await lockJob(trx, job.id)) as JobRow, values)
  })
}

test('a stream of events without a valid key is answered with 401', async () => {
  for (const headers of [{}, { authorization: 'Bearer gavel_unknown' }]) {
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { jobUpdates { sequence } }' }),
    })
    expect(response.status).toBe(401)
  }
})

test('a job that waits for its retry is PENDING with nextAttemptAt, and the stream goes on', async () => {
  const job = await newJob()
  const updates = watch('subscription ($id: ID!) { jobStatus(jobId: $id) { status nextAttemptAt } }', {
    id: idOf('ScrapingJob', job.id),
  })
  await updates.next()
  await change(job, { status: 'RUNNING' })
  await updates.next()
  const nextAttemptAt = new Date('2026-03-16T10:00:00.000Z')
  await change(job, { status: 'PENDING', nextAttemptAt })
  expect((await updates.next()).value?.data.jobStatus).toEqual({
    status: 'PENDING',
    nextAttemptAt: nextAttemptAt.toISOString(),
  })
  await change(job, { status: 'RUNNING', nextAttemptAt: null })
  expect((await updates.next()).value?.data.jobStatus).toEqual({ status: 'RUNNING', nextAttemptAt: null })
  await updates.return?.()
})

describe('jobUpdates', () => {
  const query = `subscription ($filter: JobFilter) { jobUpdates(filter: $filter) { kind jobId status job { id } } }`

  test('tells a deleted job once, without the job', async () => {
    const job = await newJob()
    await change(job, { status: 'CANCELLED', finishedAt: new Date() })
    const id = idOf('ScrapingJob', job.id)
    const updates = watch(query, { filter: { ids: [id] } })
    const next = updates.next()
    await asleep(1)
    await api.ask('mutation ($id: ID!) { deleteJob(id: $id) { ... on DeleteJobSuccess { deletedId } } }', { id })
    expect((await next).value?.data.jobUpdates).toEqual({ kind: 'DELETED', jobId: id, status: 'CANCELLED', job: null })
    await updates.return?.()
  })

  test('counts the errors and batches of a job as they are when a change is told', async () => {
    const job = await newJob()
    const batch = await api.db.insertInto('jobBatches').defaultValues().returning('id').executeTakeFirstOrThrow()
    const readers = [{ errorCode: ['TIMEOUT'] }, { batchId: idOf('JobBatch', batch.id) }].map((filter) =>
      watch(query, { filter }),
    )
    const told = readers.map(async (reader) => (await reader.next()).value?.data.jobUpdates)
    const all = watch(query, { filter: { ids: [idOf('ScrapingJob', job.id)] } })
    const renamed = all.next()
    await asleep(3)
    // It matches neither filter yet.
    await change(job, { name: 'first' })
    expect((await renamed).value?.data.jobUpdates).toMatchObject({ status: 'PENDING' })
    const error = { jobId: job.id, category: 'NETWORK', code: 'TIMEOUT', message: 'slow', retryable: true } as const
    await api.db.insertInto('jobErrors').values(error).execute()
    await api.db.insertInto('jobBatchMembers').values({ batchId: batch.id, jobId: job.id }).execute()
    await change(job, { status: 'RUNNING' })
    for (const update of await Promise.all(told)) expect(update).toMatchObject({ kind: 'CHANGED', status: 'RUNNING' })
    for (const reader of [...readers, all]) await reader.return?.()
  })
})

test('prospectChanges tells the prospect as it now is, no job once that is deleted, and goes on without end', async () => {
  const job = await newJob()
  const [prospect] = (await insertProspects(api.db, [{ city: 'Jacksonville' }])) as [ProspectRow]
  const save = async (city: string, jobId: string) => {
    const fields = [changed('city', null, city)]
    await record(api.db, prospect, [{ kind: 'UPDATED', fields }], { scrapeUrlId: site.id, jobId })
  }
  await save('Atlantic Beach', job.id)
  const { prospectChanges } = await api.ask('{ prospectChanges(first: 1) { edges { cursor } } }')
  await save('Baldwin', job.id)
  await change(job, { status: 'COMPLETED', finishedAt: new Date() })
  await api.ask('mutation ($id: ID!) { deleteJob(id: $id) { __typename } }', { id: idOf('ScrapingJob', job.id) })
  const query = `subscription ($after: String) {
    prospectChanges(after: $after) { fields { after } prospect { city } job { id } }
  }`
  const changes = watch(query, { after: prospectChanges.edges[0].cursor })
  expect((await changes.next()).value?.data.prospectChanges).toEqual({
    fields: [{ after: 'Baldwin' }],
    prospect: { city: 'Jacksonville' },
    job: null,
  })
  const next = changes.next()
  await asleep(1)
  await save('Neptune Beach', (await newJob()).id)
  expect((await next).value?.data.prospectChanges).toMatchObject({ fields: [{ after: 'Neptune Beach' }] })
  await changes.return?.()
})

test('a node that shuts down closes its sockets with 1001', async () => {
  const other = await startTestApi()
  const socket = new WebSocket(`${other.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  const closed = once(socket, 'close').then(([code]) => code as number)
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${adminKey}` } }))
  await once(socket, 'message')
  await other.stop()
  expect(await closed).toBe(1001)
})
