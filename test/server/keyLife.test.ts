import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { readEvents } from '../support/serverSentEvents.ts'
import { until } from '../support/until.ts'

// Keys are looked at more often than a running server does.
vi.mock('../../src/server/limits.ts', async (original) => {
  const { limits } = await original<typeof import('../../src/server/limits.ts')>()
  return { limits: { ...limits, keyCheckMs: 100 } }
})

vi.mock('node:crypto', { spy: true })

let api: TestApi
let jobId: string
beforeAll(async () => {
  api = await startTestApi()
  const job = await insertJob(api.db, await insertSite(api.db), { startDate: '2026-03-16' })
  jobId = idOf('ScrapingJob', job.id)
})
afterAll(() => api.stop())

const query = 'subscription ($jobId: ID!) { jobStatus(jobId: $jobId) { kind } }'
const jobStatus = { jobStatus: { kind: 'SNAPSHOT' } }

/** What ends a key, each by what an ADMIN does but for the time, which goes by itself. */
const ends: [string, (given: { keyId: string; userId: string }) => Promise<unknown>][] = [
  ['is revoked', async ({ keyId }) => await act('revokeApiKey(id: $id)', idOf('ApiKey', keyId))],
  [
    'expires',
    async ({ keyId }) =>
      await api.db.updateTable('apiKeys').set({ expiresAt: new Date() }).where('id', '=', keyId).execute(),
  ],
  [
    'is of a user who is made inactive',
    async ({ userId }) => await act('updateUser(input: { id: $id, active: false })', idOf('User', userId)),
  ],
]
const act = async (mutation: string, id: string) =>
  await api.ask(`mutation ($id: ID!) { ${mutation} { __typename } }`, { id })

test('a key is stored as its SHA-256 and compared with that in constant time', async () => {
  const { key, keyId } = await api.keyOf('VIEWER')
  const { hash } = await api.db.selectFrom('apiKeys').select('hash').where('id', '=', keyId).executeTakeFirstOrThrow()
  expect(hash).toEqual(createHash('sha256').update(key).digest())
  vi.mocked(timingSafeEqual).mockClear()
  expect((await api.post('{ viewer { name } }', {}, key)).status).toBe(200)
  // With the admin's key first.
  expect(vi.mocked(timingSafeEqual).mock.calls.map(([one]) => (one as Buffer).byteLength)).toEqual([32, 32])
})

describe.each(ends)('a key that %s', (_what, end) => {
  let given: Awaited<ReturnType<TestApi['keyOf']>>
  beforeEach(async () => {
    given = await api.keyOf('OPERATOR')
  })

  test('is refused by the next request, and by the next socket', async () => {
    expect((await api.post('{ viewer { name } }', {}, given.key)).status).toBe(200)
    await end(given)
    expect((await api.post('{ viewer { name } }', {}, given.key)).status).toBe(401)
    const { closed } = await acknowledged(given.key)
    expect(await closed).toBe(4403)
  })

  test('loses its open sockets with 4403, idle or watching', async () => {
    const idle = await acknowledged(given.key)
    const watching = await acknowledged(given.key)
    watching.socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query, variables: { jobId } } }))
    await until(() => expect(watching.messages).toHaveLength(2))
    await end(given)
    expect(await Promise.all([idle.closed, watching.closed])).toEqual([4403, 4403])
    await until(() => expect(api.events.counts()).toEqual({ waiters: 0, topics: 0 }))
  })

  test('loses its streams of events', async () => {
    const events = readEvents(`${api.url}/graphql`, given.key, { query, variables: { jobId } })
    expect((await events.next()).value).toEqual(jobStatus)
    const [told] = await Promise.allSettled([events.next(), end(given)])
    expect(told).toMatchObject({ status: 'rejected', reason: { message: 'terminated' } })
    await until(() => expect(api.events.counts()).toEqual({ waiters: 0, topics: 0 }))
  })
})

/** A socket that has sent its key. */
async function acknowledged(key: string): Promise<{ socket: WebSocket; messages: string[]; closed: Promise<number> }> {
  const socket = await api.socket()
  const messages: string[] = []
  socket.on('message', (data: Buffer) => messages.push(data.toString()))
  const closed = once(socket, 'close').then(([code]) => code as number)
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }))
  await Promise.race([closed, until(() => expect(messages).toHaveLength(1))])
  return { socket, messages, closed }
}
