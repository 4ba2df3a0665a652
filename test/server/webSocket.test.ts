import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { changeJob, lockJob } from '../../src/db/changeJob.ts'
import type { JobRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import { adminKey, idOf, startTestApi, type TestApi } from '../support/api.ts'
import { acknowledged, listen } from '../support/bareSocket.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

let api: TestApi
let site: ScrapeUrlRow
beforeAll(async () => {
  api = await startTestApi()
  site = await insertSite(api.db)
})
afterAll(() => api.stop())

const jobStatus = 'subscription($id: ID!) { jobStatus(jobId: $id) { kind sequence status job { sequence name } } }'

async function newJob(): Promise<JobRow> {
  const [county, { id }] = [site.countyFips, site]
  return await insertJob(api.db, { id, countyFips: county }, { startDate: '2026-03-16' })
}

async function change(id: string, values: Parameters<typeof changeJob>[2]): Promise<void> {
  await api.db.transaction().execute(async (trx) => {
    const job = await lockJob(trx, id)
    if (job) await changeJob(trx, job, values, { lines: [{ level: 'INFO', message: `now ${values.name ?? 'other'}` }] })
  })
}

describe('the socket', () => {
  test.each([
    ['no key', {}],
    ['an unknown key', { authorization: 'Bearer gavel_nobody' }],
    ['a key without Bearer', { authorization: adminKey }],
    ['a key that is no text', { authorization: 1 }],
  ])('%s: closed with 4403', async (_what, payload) => {
    const { send, closed } = listen(await api.socket())
    send({ type: 'connection_init', payload })
    expect((await closed).code).toBe(4403)
  })

  test('a document that is refused closes nothing', async () => {
    const { send, messages } = await acknowledged(api)
    const documents: [string, string][] = [
      ['parse', '{'],
      ['tokens', `{ viewer { ${'name '.repeat(1_000)} } }`],
      ['validate', '{ nothing }'],
      ['depth', `{ job(id: "x") { ${'clonedFrom { '.repeat(12)} id ${'} '.repeat(12)} } }`],
      ['fine', '{ viewer { name } }'],
    ]
    for (const [id, query] of documents) send({ type: 'subscribe', id, payload: { query } })
    await vi.waitFor(() => expect(messages.find((one) => one.type === 'complete')).toMatchObject({ id: 'fine' }))
    for (const id of ['parse', 'tokens', 'validate', 'depth']) {
      expect(messages.find((one) => one.id === id)).toMatchObject({
        type: 'error',
        payload: [{ message: expect.any(String), extensions: { code: 'BAD_USER_INPUT' } }],
      })
    }
  })

  test('what costs too much is refused as over HTTP, subscriptions too', async () => {
    const { send, messages } = await acknowledged(api)
    const costly = 'prospects(first: 200) { nodes { changes(first: 200) { nodes { id } } } }'
    const subscription = `subscription { jobStatus(jobId: "x") { job { ${costly} } } }`
    for (const query of [`{ ${costly} }`, subscription]) {
      send({ type: 'subscribe', id: query, payload: { query } })
      await vi.waitFor(() =>
        expect(messages.find((one) => one.id === query)).toMatchObject({
          payload: { errors: [{ extensions: { code: 'COST_LIMIT' } }] },
        }),
      )
    }
  })

  test('the 51st operation at once is refused, the others go on', async () => {
    const job = await newJob()
    const { send, messages } = await acknowledged(api)
    const payload = { query: jobStatus, variables: { id: idOf('ScrapingJob', job.id) } }
    for (let i = 1; i <= 51; i++) send({ type: 'subscribe', id: String(i), payload })
    await until(() => expect(messages.filter((one) => one.type === 'next')).toHaveLength(50))
    expect(messages.filter((one) => one.type === 'error')).toEqual([
      expect.objectContaining({
        id: '51',
        payload: [expect.objectContaining({ extensions: { code: 'RATE_LIMITED' } })],
      }),
    ])
  })

  test('a revoked key closes its sockets with 4403, and nobody elses', async () => {
    const { key, keyId } = await api.keyOf('VIEWER')
    const its = await acknowledged(api, key)
    const other = await acknowledged(api)
    await api.ask('mutation($id: ID!) { revokeApiKey(id: $id) { __typename } }', { id: idOf('ApiKey', keyId) })
    expect((await its.closed).code).toBe(4403)
    expect(other.socket.readyState).toBe(WebSocket.OPEN)
  })
})

test('a user who gets another role has to sign in anew', async () => {
  const { key, userId } = await api.keyOf('ADMIN')
  const its = await acknowledged(api, key)
  const input = { id: idOf('User', userId), role: 'VIEWER' }
  await api.ask('mutation($input: UpdateUserInput!) { updateUser(input: $input) { __typename } }', { input })
  expect((await its.closed).code).toBe(4403)
})

describe('jobStatus', () => {
  test('tells the job as it stands at once, then every change of status, and completes when it is terminal', async () => {
    const job = await newJob()
    const updates = api.client().iterate({ query: jobStatus, variables: { id: idOf('ScrapingJob', job.id) } })
    expect(await updates.next()).toMatchObject({
      value: { data: { jobStatus: { kind: 'SNAPSHOT', sequence: 1, status: 'PENDING' } } },
    })
    await change(job.id, { status: 'RUNNING', name: 'renamed' })
    // The job of an update is as it stands now, not as the subscription saw it first.
    expect(await updates.next()).toMatchObject({
      value: { data: { jobStatus: { sequence: 2, status: 'RUNNING', job: { sequence: 2, name: 'renamed' } } } },
    })
    await change(job.id, { status: 'COMPLETED', finishedAt: new Date(), durationMs: 61_000, rowsSuccess: 4 })
    expect(await updates.next()).toMatchObject({ value: { data: { jobStatus: { status: 'COMPLETED' } } } })
    expect(await updates.next()).toMatchObject({ done: true })
  })

  test('the last update holds the result', async () => {
    const job = await newJob()
    await change(job.id, { status: 'COMPLETED', finishedAt: new Date(), durationMs: 3_661_000, rowsSuccess: 4 })
    const query = `subscription($id: ID!) { jobStatus(jobId: $id) {
      jobId isRunning progress { rowsSuccess datesTotal percent etaSeconds }
      result { success rowsCollected duration days { outcome count } } } }`
    const [update] = await collect(query, { id: idOf('ScrapingJob', job.id) })
    expect(update?.data?.['jobStatus']).toEqual({
      jobId: idOf('ScrapingJob', job.id),
      isRunning: false,
      progress: { rowsSuccess: 4, datesTotal: 1, percent: 0, etaSeconds: null },
      result: { success: true, rowsCollected: 4, duration: '01:01:01', days: [{ outcome: 'PENDING', count: 1 }] },
    })
  })

  test('a job that is not there: NOT_FOUND', async () => {
    for (const id of ['nonsense', idOf('ScrapingJob', '00000000-0000-4000-8000-000000000000')]) {
      const [answer] = await collect(jobStatus, { id })
      expect(answer?.errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND' })
    }
  })

  test('over server-sent events it is the same, and a client that leaves is forgotten', async () => {
    const job = await newJob()
    const leave = new AbortController()
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${adminKey}`,
      },
      body: JSON.stringify({ query: jobStatus, variables: { id: idOf('ScrapingJob', job.id) } }),
      signal: leave.signal,
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('SNAPSHOT')) text += (await reader?.read())?.value ?? ''
    await change(job.id, { status: 'RUNNING' })
    while (!text.includes('RUNNING')) text += (await reader?.read())?.value ?? ''
    const { waiters } = api.events.counts()
    leave.abort()
    await vi.waitFor(() => expect(api.events.counts().waiters).toBe(waiters - 1))
  })

  test('a client that leaves is forgotten at once', async () => {
    const job = await newJob()
    const updates = api.client().iterate({ query: jobStatus, variables: { id: idOf('ScrapingJob', job.id) } })
    await updates.next()
    const before = api.events.counts()
    await updates.return?.()
    await vi.waitFor(() => expect(api.events.counts().waiters).toBe(before.waiters - 1))
  })
})

test('jobLog tells every line after the given one, then goes on live, and completes with the job', async () => {
  const job = await newJob()
  await change(job.id, { status: 'RUNNING', name: 'one' })
  await change(job.id, { name: 'two' })
  const query = `subscription($id: ID!, $after: Int) { jobLog(jobId: $id, afterLine: $after) {
    lastLine lines { line level message data } } }`
  const batches = api.client().iterate({ query, variables: { id: idOf('ScrapingJob', job.id), after: 1 } })
  expect(await batches.next()).toMatchObject({
    value: { data: { jobLog: { lastLine: 2, lines: [{ line: 2, level: 'INFO', message: 'now two', data: null }] } } },
  })
  await change(job.id, { status: 'CANCELLED', finishedAt: new Date(), name: 'three' })
  expect(await batches.next()).toMatchObject({
    value: { data: { jobLog: { lastLine: 3, lines: [{ message: 'now three' }] } } },
  })
  expect(await batches.next()).toMatchObject({ done: true })
  const [refused] = await collect(query, { id: idOf('ScrapingJob', job.id), after: -1 })
  expect(refused?.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' })
})

async function collect(query: string, variables: Record<string, unknown>) {
  const answers = []
  for await (const answer of api.client().iterate({ query, variables })) answers.push(answer)
  return answers
}
