import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { limits } from '../../src/server/limits.ts'
import type { Rate } from '../../src/server/rate.ts'
import { adminKey, idOf, startTestApi, type TestApi } from '../support/api.ts'
import { acknowledged, initMessage, listen, subscribeMessage } from '../support/bareSocket.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

type Limits = { -readonly [K in keyof typeof limits]: (typeof limits)[K] extends number ? number : Rate }
const real = structuredClone<Limits>(limits)

/** The server looks at its limits whenever it judges: they are changed where it has them. */
function set(own: Partial<Limits>): void {
  for (const [name, value] of Object.entries(own)) {
    if (typeof value === 'number') Object.assign(limits, { [name]: value })
    else Object.assign(limits[name as 'operationsPerKey'], value)
  }
}

/** So many, and then none within a test. */
const only = (burst: number) => ({ perSecond: 0.001, burst })

let api: TestApi
let jobId: string
const sent = vi.spyOn(WebSocket.prototype, 'send')
const open: (() => void)[] = []
beforeAll(async () => {
  api = await startTestApi()
  const { id, countyFips } = await insertSite(api.db)
  jobId = idOf('ScrapingJob', (await insertJob(api.db, { id, countyFips }, { startDate: '2026-03-16' })).id)
})
afterEach(async () => {
  set(real)
  for (const close of open.splice(0)) close()
  sent.mockClear()
  await welcomeAgain()
})
afterAll(() => api.stop())

/** This address has its burst again. */
const welcomeAgain = async () => await until(async () => expect((await fetch(`${api.url}/nothing`)).status).toBe(404))

const query = '{ viewer { name } }'
const watch = 'subscription ($id: ID!) { jobStatus(jobId: $id) { sequence } }'

const post = async (key: string | null, accept = 'application/json', operation: object = { query }) =>
  await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...(key ? { authorization: `Bearer ${key}` } : {}) },
    body: JSON.stringify(operation),
  })
const extensions = { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) }

/** A stream of events that has begun, until the test is over or it is left. */
async function stream(key: string): Promise<() => void> {
  const response = await post(key, 'text/event-stream', { query: watch, variables: { id: jobId } })
  expect(response.status).toBe(200)
  const reader = response.body?.getReader()
  await reader?.read()
  const leave = () => void reader?.cancel()
  open.push(leave)
  return leave
}

async function socket(key: string) {
  const bare = await acknowledged(api, key)
  open.push(() => bare.socket.terminate())
  return bare
}

/** The answer to an upgrade that is refused. */
async function refusedUpgrade(): Promise<IncomingMessage> {
  const refused = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage]
  return response
}

async function expectRateLimited(response: Response, status: number): Promise<void> {
  expect(response.status).toBe(status)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await response.json()).toEqual({ errors: [{ message: expect.any(String), extensions }] })
}

describe('operations of one key beyond its rate', () => {
  test('are refused over HTTP with 429 and when to come back; those of others are not', async () => {
    const [{ key }, other] = [await api.keyOf('VIEWER'), await api.keyOf('VIEWER')]
    set({ operationsPerKey: only(2) })
    for (const accept of ['application/json', 'text/event-stream']) expect((await post(key, accept)).status).toBe(200)
    for (const accept of ['application/json', 'text/event-stream'])
      await expectRateLimited(await post(key, accept), 429)
    expect((await post(other.key)).status).toBe(200)
    expect((await post(adminKey)).status).toBe(200)
  })

  test('are refused on a socket one by one, whatever the key did elsewhere; what runs goes on', async () => {
    const { key } = await api.keyOf('VIEWER')
    set({ operationsPerKey: only(3) })
    const { send, messages, socket: its } = await socket(key)
    send(subscribeMessage('runs', watch, { id: jobId }))
    await until(() => expect(messages.at(-1)).toMatchObject({ type: 'next', id: 'runs' }))
    await post(key)
    for (const id of ['a', 'b', 'c']) send(subscribeMessage(id, query))
    await until(() => expect(messages.filter(({ type }) => type === 'error')).toHaveLength(2))
    expect(messages.filter(({ type }) => type === 'next').map(({ id }) => id)).toEqual(['runs', 'a'])
    expect(messages.find(({ id }) => id === 'b')).toMatchObject({ payload: [{ extensions }] })
    expect(its.readyState).toBe(WebSocket.OPEN)
  })
})

describe('requests from one address beyond its rate', () => {
  test('are refused with 429, whoever asks and for what; how the node is, is always told', async () => {
    const headers = { authorization: `Bearer ${adminKey}` }
    set({ requestsPerAddress: only(3) })
    expect([(await post(null)).status, (await post('gavel_guessed')).status, (await post(adminKey)).status]).toEqual([
      401, 401, 200,
    ])
    await expectRateLimited(await post(adminKey), 429)
    await expectRateLimited(await post('gavel_guessed'), 429)
    for (const path of ['/graphiql', '/exports/x', '/nothing']) {
      await expectRateLimited(await fetch(`${api.url}${path}`, { headers }), 429)
    }
    const { statusCode, headers: told } = await refusedUpgrade()
    expect([statusCode, Number(told['retry-after']) > 0]).toEqual([429, true])
    expect((await fetch(`${api.url}/health/live`)).status).toBe(200)
  })

  test('count upgrades', async () => {
    set({ requestsPerAddress: only(2) })
    for (let i = 0; i < 2; i++) {
      const its = await api.socket()
      open.push(() => its.terminate())
      expect(its.readyState).toBe(WebSocket.OPEN)
    }
    await expectRateLimited(await post(adminKey), 429)
  })
})

describe('what is open at once', () => {
  test('of one key, sockets and streams together: one more is refused until one has left', async () => {
    const [{ key }, other] = [await api.keyOf('VIEWER'), await api.keyOf('VIEWER')]
    set({ openPerKey: 2 })
    const first = await socket(key)
    const leave = await stream(key)
    await expectRateLimited(await post(key), 429)
    const third = listen(await api.socket())
    third.send(initMessage(key))
    expect(await third.closed).toEqual({ code: 1013, reason: 'Too much open at once' })
    expect((await post(other.key)).status).toBe(200)
    leave()
    await until(async () => expect((await post(key)).status).toBe(200))
    await stream(key)
    first.socket.close()
    await until(async () => expect((await post(key)).status).toBe(200))
  })

  test('of all, sockets that nobody signed in on too: one more is refused with 503', async () => {
    set({ openAtOnce: 2 })
    const silent = await api.socket()
    await stream(adminKey)
    await expectRateLimited(await post(adminKey), 503)
    const { statusCode, headers } = await refusedUpgrade()
    expect([statusCode, headers['retry-after']]).toEqual([503, '1'])
    expect((await fetch(`${api.url}/health/ready`)).status).toBe(200)
    silent.terminate()
    await until(async () => expect((await post(adminKey)).status).toBe(200))
  })

  test('an answer that is through no longer counts', async () => {
    set({ openPerKey: 1, openAtOnce: 1 })
    for (let i = 0; i < 5; i++) {
      await until(async () => {
        const response = await post(adminKey)
        await response.text()
        expect(response.status).toBe(200)
      })
    }
  })
})

describe('messages of one socket', () => {
  test('beyond their rate close it with 1008, before anybody signed in too', async () => {
    set({ messagesPerSocket: only(5) })
    const { send, messages, closed } = listen(await api.socket())
    for (let i = 0; i < 5; i++) send({ type: 'ping' })
    await until(() => expect(messages).toEqual(Array.from({ length: 5 }, () => ({ type: 'pong' }))))
    send({ type: 'ping' })
    expect(await closed).toEqual({ code: 1008, reason: 'Too many messages' })
  })

  test('are not read while as many answers wait for a client that takes none: memory has an end, and none is lost', async () => {
    const many = 500
    set({ messagesPerSocket: only(many + 10), messagesAtOnce: 10 })
    const { send, messages, socket: its } = await socket(adminKey)
    its.pause()
    for (let i = 0; i < many; i++) send({ type: 'ping', payload: { i, text: 'x'.repeat(60_000) } })
    const serverEnd = await until(() => {
      const end = (sent.mock.contexts as WebSocket[]).find((one) => one !== its && one.isPaused)
      expect(end).toBeDefined()
      return end as WebSocket
    })
    expect(serverEnd.bufferedAmount).toBeLessThan(12 * limits.frameBytes)
    its.resume()
    await until(() => expect(messages).toHaveLength(many + 1))
    expect(messages.slice(1).map(({ payload }) => payload.i)).toEqual(Array.from({ length: many }, (_, i) => i))
    expect(serverEnd.isPaused).toBe(false)
  })
})
