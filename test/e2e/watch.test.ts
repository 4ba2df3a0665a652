import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { adminKey, type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { day, sale, today } from '../support/sampleDays.ts'
import { readEvents } from '../support/serverSentEvents.ts'

// Whole processes start and stop here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const days = [sale(-3, 23), sale(-2, 12, 'TD'), sale(-1, 14)]
const total = 49
const range = { startDate: day(-3), endDate: day(-1) }

const statusQuery = /* GraphQL */ `
  subscription Status($jobId: ID!, $afterSequence: Int) {
    jobStatus(jobId: $jobId, afterSequence: $afterSequence) {
      kind jobId sequence status isRunning attempt
      progress { rowsProcessed rowsSuccess datesDone datesTotal percent }
      result { success rowsCollected }
    }
  }
`
const logQuery = /* GraphQL */ `
  subscription Log($jobId: ID!, $afterLine: Int) {
    jobLog(jobId: $jobId, afterLine: $afterLine) { lastLine lines { line message } }
  }
`

interface Update {
  kind: string
  jobId: string
  sequence: number
  status: string
  isRunning: boolean
  progress: { rowsProcessed: number; datesDone: number; datesTotal: number; percent: number }
  result: { success: boolean; rowsCollected: number } | null
}
interface Batch {
  lastLine: number
  lines: { line: number; message: string }[]
}

let site: SampleSite
let gavel: Gavel
let node: GavelNode
let scrapeUrlId: string

beforeAll(async () => {
  site = await startSampleSite({ days, today })
  gavel = await openGavel([site])
  node = await gavel.serve()
  scrapeUrlId = await node.saveSite(site)
})

afterAll(async () => {
  await gavel.close()
  await site.close()
})

describe('a job that is watched from before its start', () => {
  let jobId: string
  let updates: { overWebSocket: Update[]; overEvents: Update[] }
  let logs: { overWebSocket: Batch[]; overEvents: Batch[] }

  beforeAll(async () => {
    jobId = await node.submit({ scrapeUrlId, ...range, hold: true })
    const overWebSocket = collect<Update>(node.watch(statusQuery, { jobId }), 'jobStatus')
    const overEvents = collect<Update>(events(statusQuery, { jobId }), 'jobStatus')
    const linesOverWebSocket = collect<Batch>(node.watch(logQuery, { jobId }), 'jobLog')
    const linesOverEvents = collect<Batch>(events(logQuery, { jobId }), 'jobLog')
    await Promise.all([overWebSocket.first, overEvents.first])
    await node.ask('mutation ($id: ID!) { runJob(id: $id) { ... on RunJobSuccess { job { id } } } }', { id: jobId })
    updates = { overWebSocket: await overWebSocket.all, overEvents: await overEvents.all }
    logs = { overWebSocket: await linesOverWebSocket.all, overEvents: await linesOverEvents.all }
  })

  test.each(['overWebSocket', 'overEvents'] as const)('is seen from PENDING to COMPLETED %s', (way) => {
    const seen = updates[way]
    expect(seen.map(({ status }) => status).filter((status, i, all) => status !== all[i - 1])).toEqual([
      'PENDING',
      'RUNNING',
      'COMPLETED',
    ])
    expect(seen[0]).toMatchObject({ kind: 'SNAPSHOT', jobId, isRunning: false, progress: { rowsProcessed: 0 } })
    expect(seen.slice(1).every(({ kind }) => kind === 'CHANGED')).toBe(true)
    expect(growing(seen.map(({ sequence }) => sequence))).toBe(true)
    const rows = seen.map(({ progress }) => progress.rowsProcessed)
    expect(rows).toEqual(rows.toSorted((a, b) => a - b))
  })

  test.each(['overWebSocket', 'overEvents'] as const)('ends with its result, and the stream completes %s', (way) => {
    expect(updates[way].at(-1)).toMatchObject({
      status: 'COMPLETED',
      isRunning: false,
      progress: { rowsProcessed: total, rowsSuccess: total, datesDone: 3, datesTotal: 3, percent: 100 },
      result: { success: true, rowsCollected: total },
    })
  })

  test.each(['overWebSocket', 'overEvents'] as const)('has a log that is told whole, each line once %s', (way) => {
    const lines = logs[way].flatMap((batch) => batch.lines)
    expect(lines.map(({ line }) => line)).toEqual(lines.map((_, i) => i + 1))
    for (const batch of logs[way]) expect(batch.lastLine).toBe(batch.lines.at(-1)?.line)
    for (const { date, items } of days) {
      const saved = lines.filter(
        ({ message }) => /^saved \d+ auctions of \S+ in \d+ ms$/.test(message) && message.includes(date),
      )
      expect(saved).toEqual([
        { line: expect.any(Number), message: expect.stringContaining(`saved ${items.length} auctions`) },
      ])
    }
  })

  test('tells who resumes the changes of status that were missed, then how it stands', async () => {
    const [first] = updates.overWebSocket
    const resumed = await collect<Update>(
      node.watch(statusQuery, { jobId, afterSequence: first?.sequence }),
      'jobStatus',
    ).all
    expect(growing([first?.sequence ?? 0, ...resumed.map(({ sequence }) => sequence)])).toBe(true)
    // The release from hold is a change that leaves the job PENDING.
    expect(resumed.map(({ status }) => status).filter((status) => status !== 'PENDING')).toEqual([
      'RUNNING',
      'COMPLETED',
    ])
    const ended = resumed.findIndex(({ status }) => status === 'COMPLETED')
    expect(ended).toBe(resumed.length - 1)
  })

  test('tells who has seen its end that end alone, and completes', async () => {
    const last = updates.overWebSocket.at(-1)
    for (const afterSequence of [null, last?.sequence]) {
      const again = await collect<Update>(node.watch(statusQuery, { jobId, afterSequence }), 'jobStatus').all
      expect(again).toEqual([expect.objectContaining({ status: 'COMPLETED', sequence: last?.sequence })])
    }
  })

  test('tells who resumes its log the lines after the one they name', async () => {
    const lines = logs.overWebSocket.flatMap((batch) => batch.lines)
    const rest = await collect<Batch>(node.watch(logQuery, { jobId, afterLine: 3 }), 'jobLog').all
    expect(rest.flatMap((batch) => batch.lines)).toEqual(lines.slice(3))
    const nothing = await collect<Batch>(node.watch(logQuery, { jobId, afterLine: lines.length }), 'jobLog').all
    expect(nothing.flatMap((batch) => batch.lines)).toEqual([])
  })
})

test('a client that loses its connection in the middle of a job and resumes has every line once', async () => {
  const letGo = site.faults.add({ kind: 'stall', when: { request: 'LOAD', date: day(-2) } })
  const jobId = await node.submit({ scrapeUrlId, ...range })
  const lost = node.as(adminKey)
  const before: Batch[] = []
  for await (const { jobLog } of lost.watch(logQuery, { jobId })) {
    before.push(jobLog)
    if (before.some(({ lines }) => lines.some(({ message }) => message.startsWith('saved')))) break
  }
  await lost.close()
  letGo()
  const afterLine = before.at(-1)?.lastLine
  const after = await collect<Batch>(node.watch(logQuery, { jobId, afterLine }), 'jobLog').all
  const whole = await collect<Batch>(node.watch(logQuery, { jobId }), 'jobLog').all
  expect([...before, ...after].flatMap(({ lines }) => lines)).toEqual(whole.flatMap(({ lines }) => lines))
  expect(after.flatMap(({ lines }) => lines).length).toBeGreaterThan(0)
})

/** All messages once the stream is complete; `first` when there is one. */
function collect<Message>(stream: AsyncIterable<Record<string, Message>>, field: string) {
  const first = Promise.withResolvers<void>()
  const read = async (): Promise<Message[]> => {
    const got: Message[] = []
    for await (const data of stream) {
      got.push(data[field] as Message)
      first.resolve()
    }
    return got
  }
  return { first: first.promise, all: read() }
}

const events = (query: string, variables: Record<string, unknown>) =>
  readEvents(`${node.url}/graphql`, adminKey, { query, variables })

const growing = (numbers: readonly number[]): boolean => numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? n))
