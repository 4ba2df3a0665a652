import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { adminKey, startTestApi } from '../support/api.ts'

const api = await startTestApi()
afterAll(() => api.stop())

const upgrade = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n${more}\r\n`

async function open(text: string): Promise<Socket> {
  const { hostname, port } = new URL(api.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {
    // The reset is our own.
  })
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

test.each([
  ['another path', upgrade('/x')],
  ['a foreign origin', upgrade('/graphql', 'origin: https://evil.example\r\n')],
])('a refused upgrade (%s) that is reset by its client ends nothing else', async (_why, text) => {
  for (let i = 0; i < 20; i += 1) {
    const socket = await open(text)
    socket.resetAndDestroy()
  }
  expect((await fetch(`${api.url}/health/live`)).status).toBe(200)
})

test('a refused upgrade is closed by the server, also where the client would leave it open', async () => {
  const socket = await open(upgrade('/x'))
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  expect(chunk.toString()).toContain('404 Not Found')
  await once(socket, 'close')
})

test('a server that stops lets the answer of a mutation under way finish', async () => {
  const other = await startTestApi()
  const done = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const holding = other.db.transaction().execute(async (trx) => {
    await trx.insertInto('users').values({ name: 'Ada', role: 'VIEWER' }).execute()
    held.resolve()
    await done.promise
  })
  await held.promise
  const answering = fetch(`${other.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey}` },
    body: JSON.stringify({
      query: 'mutation { createUser(input: { name: "ada", role: VIEWER }) { ... on ConflictError { reason } } }',
    }),
  })
  // It waits for the name that the transaction holds.
  await expect
    .poll(async () => {
      const { rows } = await sql<{ n: number }>`
        select count(*) as n from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(other.db)
      return rows[0]?.n
    })
    .toBe(1)
  const stopping = other.stop()
  done.resolve()
  await holding
  const response = await answering
  expect(await response.json()).toEqual({ data: { createUser: { reason: 'ALREADY_EXISTS' } } })
  await stopping
})
