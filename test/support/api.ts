import { once } from 'node:events'
import { type Client, createClient } from 'graphql-ws'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { readConfig } from '../../src/config.ts'
import type { Role } from '../../src/domain.ts'
import { createCommands } from '../../src/engine/commands.ts'
import { createEvents, type Events } from '../../src/engine/events.ts'
import { createApiKey, createUser } from '../../src/engine/people.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { createLogger, type Logger } from '../../src/log.ts'
import { startServer } from '../../src/server/server.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

export const adminKey = 'an-admin-key-for-tests'

// oxlint-disable-next-line typescript/no-explicit-any -- what an answer holds is what its test says
type Data = any

export interface Answer {
  status: number
  data: Data
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> & { code: string } }[]
}

export interface TestApi extends TestDatabase {
  url: string
  events: Events
  queue: Queue
  /** Posts an operation, as the admin unless told; `key` null sends none. */
  post(query: string, variables?: Record<string, unknown>, key?: string | null): Promise<Answer>
  /** The data of an operation that must succeed. */
  ask(query: string, variables?: Record<string, unknown>, key?: string): Promise<Data>
  /** A fresh user's key. */
  keyOf(role: Role): Promise<{ key: string; keyId: string; userId: string }>
  /** A client over WebSocket. */
  client(key?: string | null): Client
  /** A bare socket, open, with the subprotocol. */
  socket(headers?: Record<string, string>): Promise<WebSocket>
  stop(): Promise<void>
}

/**
 * The API on a database of its own, served on a free port: real sockets, no workers. `env` is for settings beyond
 * those that every test has; `statementMs` is what a statement of the API may take.
 */
export async function startTestApi({
  log = createLogger('silent', 'test'),
  env = {},
  ...pool
}: {
  log?: Logger
  env?: Record<string, string>
  statementMs?: number
} = {}): Promise<TestApi> {
  const database = await createTestDatabase(pool)
  const { db } = database
  const common = { PORT: '0', GAVEL_ADMIN_KEY: adminKey, GAVEL_ALLOW_PRIVATE_HOSTS: '127.0.0.1:8099' }
  const config = readConfig({ ...common, ...env })
  const queue = await openQueue({ db, databaseUrl: database.url, staleAfterSeconds: 10, worker: false, log })
  const events = await createEvents({ databaseUrl: database.url, db, log })
  const commands = createCommands({ db, queue, config, log })
  const server = await startServer({ config, db, commands, events, log })
  const clients: Client[] = []
  const sockets: WebSocket[] = []
  const socketUrl = `${server.url.replace('http', 'ws')}/graphql`
  let users = 0

  async function post(query: string, variables: Record<string, unknown> = {}, key: string | null = adminKey) {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ query, variables }),
    })
    return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
  }

  return {
    ...database,
    url: server.url,
    events,
    queue,
    post,
    async ask(query, variables, key = adminKey) {
      const answer = await post(query, variables, key)
      expect(answer.errors).toBeUndefined()
      return answer.data
    },
    async keyOf(role) {
      users += 1
      const user = await createUser(db, { name: `${role} ${users}`, role })
      if (user.kind !== 'ok') throw new Error(user.kind)
      const made = await createApiKey(db, { userId: user.value.id, name: 'test' })
      if (made.kind !== 'ok') throw new Error(made.kind)
      return { key: made.value.secret, keyId: made.value.key.id, userId: user.value.id }
    },
    client(key = adminKey) {
      const client = createClient({
        url: socketUrl,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: key === null ? {} : { authorization: `Bearer ${key}` },
      })
      clients.push(client)
      return client
    },
    async socket(headers = {}) {
      const socket = new WebSocket(socketUrl, 'graphql-transport-ws', { headers })
      sockets.push(socket)
      await once(socket, 'open')
      return socket
    },
    async stop() {
      for (const client of clients) await client.dispose()
      for (const socket of sockets) socket.terminate()
      await server.close()
      await events.stop()
      await queue.stop()
      await database.drop()
    },
  }
}

/** A global id. */
export const idOf = (type: string, key: string | number): string => Buffer.from(`${type}:${key}`).toString('base64url')
