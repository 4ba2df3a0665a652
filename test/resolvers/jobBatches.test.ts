import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertSite } from '../support/rows.ts'
import { readEvents } from '../support/serverSentEvents.ts'

let api: TestApi
let scrapeUrlIds: string[]
beforeAll(async () => {
  api = await startTestApi()
})
beforeEach(async () => {
  await sql`truncate scrape_urls, job_batches cascade`.execute(api.db)
  const sites = [await insertSite(api.db), await insertSite(api.db)]
  scrapeUrlIds = sites.map((site) => idOf('CountyScrapeUrl', site.id))
})
afterAll(() => api.stop())

const nobody = '00000000-0000-4000-8000-000000000000'
const days = { startDate: '2026-03-16', endDate: '2026-03-17' }
const figures = 'total pending running completed failed cancelled rowsCollected done'
const refusals = `__typename ... on InvalidInputError { issues { path message } } ... on NotFoundError { id }
  ... on ConflictError { reason inTheWay: job { id } } ... on Error { message }`

/** What a mutation answers. */
async function run(mutation: string, type: string, argument: string, value: unknown, success: string) {
  const name = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Success`
  const known = type.replace('!', '') === 'Int' || mutation === 'retryFailedJobs' || mutation === 'cancelJobs'
  const unknown = known
    ? '__typename ... on InvalidInputError { issues { path message } } ... on Error { message }'
    : refusals
  const fewer =
    mutation === 'deleteJob' ? refusals.replace('... on InvalidInputError { issues { path message } }', '') : unknown
  const answer = await api.ask(
    `mutation($value: ${type}) { ${mutation}(${argument}: $value) { ${fewer} ... on ${name} { ${success} } } }`,
    { value },
  )
  return answer[mutation]
}

const submitMany = async (input: Record<string, unknown>) =>
  await run('submitJobs', 'SubmitJobsInput!', 'input', { ...days, ...input }, `batch { id ${figures} }`)
const cancelMany = async (filter: Record<string, unknown>) =>
  await run('cancelJobs', 'JobFilter!', 'filter', filter, 'jobs { id status } skipped')
const onJob = async (mutation: 'updateJob' | 'cloneJob', input: Record<string, unknown>) =>
  await run(
    mutation,
    `${mutation === 'updateJob' ? 'UpdateJob' : 'CloneJob'}Input!`,
    'input',
    input,
    'job { id name priority held clonedFrom { id } }',
  )

const batchQuery = `query($id: ID!) { batch(id: $id) { id createdAt createdBy { name } ${figures}
  jobs { totalCount nodes { id batches { id } } } } }`

describe('a batch', () => {
  test('is submitted, read by its id, and filters jobs', async () => {
    const { batch } = await submitMany({ scrapeUrlIds })
    const counts = {
      total: 2,
      pending: 2,
      running: 0,
      completed: 0,
      failed: 0,
      cancelled: 0,
      rowsCollected: 0,
      done: false,
    }
    expect(batch).toEqual({ id: expect.any(String), ...counts })
    const read = (await api.ask(batchQuery, { id: batch.id })).batch
    expect(read).toMatchObject({ ...counts, createdBy: { name: 'admin' }, createdAt: expect.any(String) })
    expect(read.jobs.totalCount).toBe(2)
    expect(read.jobs.nodes[0].batches).toEqual([{ id: batch.id }])
    const byFilter = 'query($id: ID!) { jobs(filter: { batchId: $id }) { nodes { id } } node(id: $id) { id } }'
    await submitMany({ scrapeUrlIds })
    const filtered = await api.ask(byFilter, { id: batch.id })
    expect(filtered.jobs.nodes.map((job: { id: string }) => job.id)).toEqual(
      read.jobs.nodes.map((job: { id: string }) => job.id),
    )
    expect(filtered.node).toEqual({ id: batch.id })
  })

  test('that is not there is null', async () => {
    for (const id of ['nonsense', idOf('JobBatch', nobody), scrapeUrlIds[0] ?? '']) {
      expect(await api.ask(batchQuery, { id })).toEqual({ batch: null })
    }
    const answer = await api.post('{ jobs(filter: { batchId: "x" }) { nodes { id } } }')
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path: ['filter', 'batchId'] }],
    })
  })

  test('of held jobs is released as another one; a job names its batches newest first', async () => {
    const { batch } = await submitMany({ scrapeUrlIds, hold: true })
    const process = async (limit: number | null) =>
      await run(
        'processPendingJobs',
        'Int',
        'limit',
        limit,
        'remaining batch { id total jobs { nodes { held batches { id } } } }',
      )
    const first = await process(1)
    expect(first).toMatchObject({ remaining: 1, batch: { total: 1 } })
    expect(first.batch.jobs.nodes).toEqual([{ held: false, batches: [{ id: first.batch.id }, { id: batch.id }] }])
    expect(await process(null)).toMatchObject({ remaining: 0, batch: { total: 1 } })
    expect(await process(0)).toMatchObject({ __typename: 'InvalidInputError', issues: [{ path: ['limit'] }] })
  })

  test('of unknown sites, of no selection and of a used key is refused', async () => {
    for (const id of ['nonsense', idOf('CountyScrapeUrl', nobody)]) {
      expect(await submitMany({ scrapeUrlIds: [...scrapeUrlIds, id] })).toMatchObject({
        __typename: 'NotFoundError',
        id,
      })
    }
    expect(await submitMany({ states: ['ZZ'], priority: 101 })).toMatchObject({
      issues: [{ path: ['states', '0'] }, { path: ['priority'] }],
    })
    expect(await submitMany({})).toMatchObject({ issues: [{ path: [] }] })
    const first = await submitMany({ all: true, idempotencyKey: 'k' })
    expect((await submitMany({ all: true, idempotencyKey: 'k' })).batch.id).toBe(first.batch.id)
    expect(await submitMany({ states: ['FL'], idempotencyKey: 'k' })).toMatchObject({
      reason: 'KEY_REUSED',
      inTheWay: null,
    })
  })

  test('many batches are read at once, each with its own counts', async () => {
    for (let n = 0; n < 3; n++) await submitMany({ scrapeUrlIds })
    const { rows } = await sql<{ id: string }>`select id from job_batches`.execute(api.db)
    const ids = rows.map((row) => idOf('JobBatch', row.id))
    const { nodes } = await api.ask(`query($ids: [ID!]!) { nodes(ids: $ids) { ... on JobBatch { id ${figures} } } }`, {
      ids,
    })
    expect(nodes.map((one: { id: string; total: number }) => [one.id, one.total])).toEqual(ids.map((id) => [id, 2]))
  })
})

describe('batchStatus', () => {
  const query = `subscription($id: ID!) { batchStatus(batchId: $id) { id ${figures} } }`

  test('over WebSocket: the batch as it stands, then its changes, complete when it is done', async () => {
    const { batch } = await submitMany({ scrapeUrlIds })
    const states = api.client().iterate({ query, variables: { id: batch.id } })
    expect((await states.next()).value).toMatchObject({ data: { batchStatus: batch } })
    await cancelMany({ batchId: batch.id })
    const told = []
    for await (const state of states) told.push(state.data?.['batchStatus'])
    expect(told.at(-1)).toEqual({ ...batch, pending: 0, cancelled: 2, done: true })
  })

  test('over server-sent events it is the same', async () => {
    const { batch } = await submitMany({ scrapeUrlIds })
    const { key } = await api.keyOf('VIEWER')
    const told = []
    for await (const { batchStatus } of readEvents(`${api.url}/graphql`, key, { query, variables: { id: batch.id } })) {
      if (told.length === 0) await cancelMany({ batchId: batch.id })
      told.push(batchStatus)
    }
    expect(told[0]).toEqual(batch)
    expect(told.at(-1)).toMatchObject({ cancelled: 2, done: true })
  })

  test('of a batch that is not there: NOT_FOUND', async () => {
    for (const id of ['nonsense', idOf('JobBatch', nobody)]) {
      const { value } = await api.client().iterate({ query, variables: { id } }).next()
      expect(value.errors[0].extensions).toEqual({ code: 'NOT_FOUND' })
    }
  })
})

describe('jobs', () => {
  test('are changed, cloned, cancelled and deleted', async () => {
    const { batch } = await submitMany({ scrapeUrlIds: scrapeUrlIds.slice(0, 1) })
    const [{ id }] = (await api.ask(batchQuery, { id: batch.id })).batch.jobs.nodes
    expect(await onJob('updateJob', { id, name: 'Mine', priority: 5, hold: true })).toMatchObject({
      job: { id, name: 'Mine', priority: 5, held: true, clonedFrom: null },
    })
    expect(await onJob('cloneJob', { id })).toMatchObject({
      job: { name: 'Mine', priority: 5, held: false, clonedFrom: { id } },
    })
    const remove = async (job: string) => await run('deleteJob', 'ID!', 'id', job, 'deletedId')
    expect(await remove(id)).toMatchObject({ reason: 'JOB_RUNNING', inTheWay: { id } })
    expect(await cancelMany({ ids: [id] })).toMatchObject({ jobs: [{ id, status: 'CANCELLED' }], skipped: 0 })
    expect(await cancelMany({ ids: [id] })).toMatchObject({ jobs: [], skipped: 1 })
    expect(await onJob('updateJob', { id, priority: 1 })).toMatchObject({ reason: 'JOB_FINISHED', inTheWay: { id } })
    expect(await run('retryFailedJobs', 'JobFilter', 'filter', null, 'jobs { id } skipped')).toMatchObject({
      jobs: [],
      skipped: 0,
    })
    expect(await remove(id)).toMatchObject({ deletedId: id })
    expect(await remove(id)).toMatchObject({ __typename: 'NotFoundError', id })
    expect((await api.ask(batchQuery, { id: batch.id })).batch).toMatchObject({ total: 0, done: true })
    expect(await api.ask('query($id: ID!) { job(id: $id) { id } }', { id })).toEqual({ job: null })
  })

  test('an empty filter, and one that makes no sense, is an issue of cancelJobs', async () => {
    await submitMany({ scrapeUrlIds })
    for (const filter of [{}, { held: null }, { dates: {} }]) {
      expect(await cancelMany(filter)).toMatchObject({
        __typename: 'InvalidInputError',
        issues: [{ path: ['filter'] }],
      })
    }
    expect(await cancelMany({ status: [] })).toMatchObject({ issues: [{ path: ['filter', 'status'] }] })
    expect(await cancelMany({ batchId: 'nonsense' })).toMatchObject({ issues: [{ path: ['filter', 'batchId'] }] })
    expect((await api.ask('{ jobs(filter: { status: [PENDING] }) { totalCount } }')).jobs.totalCount).toBe(2)
  })

  test('what is not there is not found, by the id that was given', async () => {
    for (const id of ['nonsense', idOf('ScrapingJob', nobody)]) {
      expect(await onJob('updateJob', { id })).toMatchObject({ __typename: 'NotFoundError', id })
      expect(await onJob('cloneJob', { id })).toMatchObject({ __typename: 'NotFoundError', id })
    }
  })
})

test('each command takes its role', async () => {
  const id = idOf('ScrapingJob', nobody)
  const commands: Record<string, string> = {
    submitJobs: 'input: { all: true }',
    processPendingJobs: 'limit: 0',
    updateJob: `input: { id: "${id}" }`,
    cloneJob: `input: { id: "${id}" }`,
    cancelJobs: 'filter: {}',
    retryFailedJobs: 'limit: 0',
    deleteJob: `id: "${id}"`,
  }
  const [viewer, operator] = [await api.keyOf('VIEWER'), await api.keyOf('OPERATOR')]
  const codeFor = async (name: string, key: string) =>
    (await api.post(`mutation { ${name}(${commands[name]}) { __typename } }`, {}, key)).errors?.[0]?.extensions.code
  for (const name of Object.keys(commands)) {
    expect([name, await codeFor(name, viewer.key)]).toEqual([name, 'FORBIDDEN'])
    expect([name, await codeFor(name, operator.key)]).toEqual([name, name === 'deleteJob' ? 'FORBIDDEN' : undefined])
  }
})
