import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { appendLines, changeJob, lockJob } from '../../src/db/changeJob.ts'
import type { JobRow, LogLineRow } from '../../src/db/tables.ts'
import { limits } from '../../src/server/limits.ts'
import { adminKey, idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

// Limits of one's own for each test: those of a running server are read as each socket is opened.
vi.mock('../../src/server/limits.ts', async (original) => {
  const { limits: real } = await original<typeof import('../../src/server/limits.ts')>()
  return { limits: { ...real } }
})
type Limits = typeof limits
const own = limits as { -readonly [K in keyof Limits]: Limits[K] extends number ? number : Limits[K] }
const unhurried = { ...limits }

const manyLines = 20_000
/** What a message can hold at most: 500 lines of about 1.5 KB. */
const messageBytes = 1_000_000

let api: TestApi
let job: JobRow
const sent = vi.spyOn(WebSocket.prototype, 'send')
const clients = new Set<WebSocket>()

beforeAll(async () => {
  api = await startTestApi()
})
beforeEach(async () => {
  sent.mockClear()
  const site = await insertSite(api.db)
  job = await insertJob(api.db, { id: site.id, countyFips: site.countyFips }, { startDate: '2026-03-16' })
})
afterEach(async () => {
  Object.assign(own, unhurried)
  for (const socket of clients) socket.terminate()
  clients.clear()
  await everybodyLeft()
})
afterAll(() => api.stop())

const everybodyLeft = async () => await until(() => expect(api.events.counts()).toEqual({ waiters: 0, topics: 0 }))

const jobLog = `subscription ($id: ID!, $after: Int) {
  jobLog(jobId: $id, afterLine: $after) { lastLine lines { line message } }
}`

/** Adds lines to the job's log, 500 a transaction. */
async function log(lines: number): Promise<void> {
  for (let written = 0; written < lines; written += 500) {
    await api.db.transaction().execute(async (trx) => {
      const row = (await lockJob(trx, job.id)) as JobRow
      const message = 'A line of some length. '.repeat(64)
      await appendLines(
        trx,
        row,
        Array.from({ length: 500 }, () => ({ level: 'INFO' as const, message })),
        null,
      )
    })
  }
}

async function finish(): Promise<void> {
  await api.db.transaction().execute(async (trx) => {
    const row = (await lockJob(trx, job.id)) as JobRow
    await changeJob(trx, row, { status: 'COMPLETED', finishedAt: new Date() })
  })
}

/** A bare client that watches the job's log; `lines` are the numbers it was told. */
async function follow(after: number, options: WebSocket.ClientOptions = {}) {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', options)
  clients.add(socket)
  const lines: number[] = []
  let completed = false
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as {
      type: string
      payload?: { data: { jobLog: { lines: LogLineRow[] } } }
    }
    if (message.type === 'next') lines.push(...(message.payload?.data.jobLog.lines ?? []).map((one) => one.line))
    if (message.type === 'complete') completed = true
  })
  const closed = once(socket, 'close').then(([code]) => code as number)
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${adminKey}` } }))
  const variables = { id: idOf('ScrapingJob', job.id), after }
  await once(socket, 'message')
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: jobLog, variables } }))
  return { socket, lines, closed, completed: () => completed }
}

/** The ends of the sockets that the server sends on: all but those of the clients here. */
const serverEnds = (): WebSocket[] => [...new Set(sent.mock.contexts as WebSocket[])].filter((one) => !clients.has(one))

/** What waits in this process for clients that do not read. */
const buffered = (): number => Math.max(...serverEnds().map((one) => one.bufferedAmount))

describe('a client that stalls', () => {
  test('is killed and resumes gets every log line once', async () => {
    await log(manyLines / 2)
    const first = await follow(0)
    await until(() => expect(first.lines.length).toBeGreaterThan(0))
    first.socket.pause()
    await until(() => expect(buffered()).toBeGreaterThan(0))
    await log(manyLines / 2)
    first.socket.resume()
    const seen = first.lines.length
    await until(() => expect(first.lines.length).toBeGreaterThan(seen))
    first.socket.terminate()
    await first.closed

    const second = await follow(first.lines.at(-1) as number)
    await finish()
    await until(() => expect(second.completed()).toBe(true))
    expect([...first.lines, ...second.lines]).toEqual(Array.from({ length: manyLines }, (_, i) => i + 1))
    second.socket.terminate()
  })

  test('for ever costs no memory: what waits for it does not grow over 20,000 lines, and others are served', async () => {
    const stalled = await follow(0)
    await until(() => expect(api.events.counts().waiters).toBe(1))
    stalled.socket.pause()
    const other = await follow(0)
    const most: number[] = []
    for (let round = 0; round < 4; round += 1) {
      await log(manyLines / 4)
      await until(() => expect(other.lines).toHaveLength((round + 1) * (manyLines / 4)))
      most.push(buffered())
    }
    expect(most.at(-1)).toBeGreaterThan(0)
    expect(Math.max(...most)).toBeLessThan(messageBytes)
    await finish()
    await until(() => expect(other.completed()).toBe(true))
    stalled.socket.terminate()
    other.socket.terminate()
  })

  test('and does not drain is dropped with 1013, and resumes where it was', async () => {
    own.drainMs = 1_000
    await log(manyLines)
    const slow = await follow(0)
    await until(() => expect(slow.lines.length).toBeGreaterThan(0))
    slow.socket.pause()
    await until(() => expect(serverEnds()[0]?.readyState).toBe(WebSocket.CLOSING))
    slow.socket.resume()
    expect(await slow.closed).toBe(1013)
    await until(() => expect(api.events.counts().waiters).toBe(0))
    own.drainMs = unhurried.drainMs
    const again = await follow(slow.lines.at(-1) as number)
    await finish()
    await until(() => expect(again.completed()).toBe(true))
    expect([...slow.lines, ...again.lines]).toEqual(Array.from({ length: manyLines }, (_, i) => i + 1))
    again.socket.terminate()
  })

  test('and does not even take the close is cut, and forgotten', async () => {
    Object.assign(own, { drainMs: 500, closeMs: 500 })
    await log(manyLines)
    const stalled = await follow(0)
    await until(() => expect(stalled.lines.length).toBeGreaterThan(0))
    stalled.socket.pause()
    await until(() => expect(serverEnds()[0]?.readyState).toBe(WebSocket.CLOSED))
    await everybodyLeft()
    stalled.socket.terminate()
  })

  test('over server-sent events costs no memory either, and is cut', async () => {
    own.drainMs = 1_000
    await log(manyLines)
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      // A client that takes anything is answered with such a stream too.
      headers: { 'content-type': 'application/json', accept: '*/*', authorization: `Bearer ${adminKey}` },
      body: JSON.stringify({ query: jobLog, variables: { id: idOf('ScrapingJob', job.id), after: 0 } }),
    })
    const reader = response.body?.getReader()
    await reader?.read()
    await until(() => expect(api.events.counts().topics).toBe(0))
    const cut = async () => {
      while (!(await reader?.read())?.done) continue
    }
    await expect(cut()).rejects.toThrow('terminated')
  })
})

test('a half-open socket, which answers no ping, is cut', async () => {
  own.pingMs = 300
  const silent = await follow(0, { autoPong: false })
  await until(() => expect(api.events.counts().waiters).toBe(1))
  expect(await silent.closed).toBe(1006)
  await everybodyLeft()
})

test('a client that answers pings stays', async () => {
  own.pingMs = 100
  const alive = await follow(0)
  let pings = 0
  alive.socket.on('ping', () => {
    pings += 1
  })
  await until(() => expect(pings).toBeGreaterThan(4))
  expect(alive.socket.readyState).toBe(WebSocket.OPEN)
  alive.socket.terminate()
})
