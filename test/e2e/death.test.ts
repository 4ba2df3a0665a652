import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { day, sale, today } from '../support/sampleDays.ts'

// Whole processes start and stop here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

/** Per test a site of its own: days of a county that no other test has stored. */
const days = [sale(-3, 12), sale(-2, 23, 'TD'), sale(-1, 14)]
const total = 49
const range = { startDate: day(-3), endDate: day(-1) }
const counties = ['Duval', 'Alachua', 'Lee']

let sites: SampleSite[]
let gavel: Gavel
let node: GavelNode

beforeAll(async () => {
  sites = await Promise.all(counties.map(() => startSampleSite({ days, today })))
  gavel = await openGavel(sites)
  node = await gavel.serve()
})

afterEach(() => {
  for (const site of sites) site.faults.clear()
})

afterAll(async () => {
  await gavel.close()
  await Promise.all(sites.map((site) => site.close()))
})

test('a job whose worker is killed in the middle of a day is run again and stores nothing twice', async () => {
  const { jobId, pid, letGo } = await startedJob(0)
  process.kill(pid, 'SIGKILL')
  letGo()
  const job = await node.untilEnded(jobId)

  expect(job).toMatchObject({ status: 'COMPLETED', attempt: 2, result: { success: true, rowsCollected: total } })
  expect(job.progress).toMatchObject({ rowsProcessed: total, rowsSuccess: total, rowsFailed: 0, datesDone: 3 })
  // The day that was saved before is not read again.
  expect(job.days.map(({ outcome, attempt, created }) => ({ outcome, attempt, created }))).toEqual([
    { outcome: 'COMPLETE', attempt: 1, created: 12 },
    { outcome: 'COMPLETE', attempt: 2, created: 23 },
    { outcome: 'COMPLETE', attempt: 2, created: 14 },
  ])
  expect(await storedOf(jobId)).toEqual({ prospects: total, listings: total, changes: total, lines: 'each once' })

  const [second, first] = job.executions.nodes
  expect(job.executions.nodes).toHaveLength(2)
  expect(second).toMatchObject({ attempt: 2, status: 'COMPLETED', errorMessage: null, stats: { ok: true } })
  expect(second?.workerPid).not.toBe(pid)
  expect(first).toMatchObject({ attempt: 1, status: 'FAILED', workerPid: pid, stats: { ok: false } })
  expect(first?.errorMessage).toBeTruthy()
  expect(first?.durationMs).toBeGreaterThan(0)
  expect(Date.parse(first?.finishedAt ?? '')).toBeGreaterThan(Date.parse(first?.startedAt ?? ''))
  expect(job.errors.nodes).toEqual([expect.objectContaining({ code: 'WORKER_LOST', category: 'SYSTEM' })])
})

test('a running job that is cancelled loses its worker and the day in hand, and keeps what was saved', async () => {
  const { jobId, pid } = await startedJob(1)
  const { cancelJob } = await node.ask(
    'mutation ($id: ID!) { cancelJob(id: $id) { __typename ... on CancelJobSuccess { job { id } } ... on Error { message } } }',
    { id: jobId },
  )
  expect(cancelJob).toEqual({ __typename: 'CancelJobSuccess', job: { id: jobId } })
  const job = await node.untilEnded(jobId, 10_000)
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 })

  expect(job).toMatchObject({ status: 'CANCELLED', result: { success: false } })
  expect(job.executions.nodes).toEqual([
    expect.objectContaining({ status: 'CANCELLED', finishedAt: expect.any(String), durationMs: expect.any(Number) }),
  ])
  expect(job.executions.nodes[0]?.stats).toMatchObject({ ok: false })
  expect(job.days.map(({ outcome }) => outcome)).toEqual(['COMPLETE', 'PENDING', 'PENDING'])
  expect(await storedOf(jobId)).toEqual({ prospects: 12, listings: 12, changes: 12, lines: 'each once' })
})

test('after a death and a cancel the node runs the next job, and a cancelled one can be run again', async () => {
  const { jobId, letGo } = await startedJob(2)
  await node.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: jobId })
  await node.untilEnded(jobId, 10_000)
  letGo()
  const { runJob } = await node.ask('mutation ($id: ID!) { runJob(id: $id) { __typename } }', { id: jobId })
  expect(runJob).toEqual({ __typename: 'RunJobSuccess' })
  const job = await node.untilEnded(jobId)
  expect(job).toMatchObject({ status: 'COMPLETED', progress: { rowsSuccess: total } })
  expect(await storedOf(jobId)).toEqual({ prospects: total, listings: total, changes: total, lines: 'each once' })
})

/** A job that is certainly in the middle of its second day, and the process that runs it. */
async function startedJob(which: number): Promise<{ jobId: string; pid: number; letGo: () => void }> {
  const site = sites[which] as SampleSite
  const letGo = site.faults.add({ kind: 'stall', when: { request: 'LOAD', date: day(-2), area: 'C', page: 2 } })
  const scrapeUrlId = await node.saveSite(site, { county: { state: 'FL', name: counties[which] ?? '' } })
  const jobId = await node.submit({ scrapeUrlId, ...range })
  await vi.waitFor(() => expect(site.faults.held).toBe(1), { timeout: 50_000 })
  // The node tells of its workers with its heartbeat.
  const pid = await vi.waitFor(async () => {
    const { workerPool } = await node.ask('{ workerPool { nodes { workers { pid state job { id } } } } }')
    const busy = { pid: expect.any(Number), state: 'BUSY', job: { id: jobId } }
    expect(workerPool.nodes).toEqual([{ workers: [busy] }])
    return workerPool.nodes[0].workers[0].pid as number
  }, 20_000)
  return { jobId, pid, letGo }
}

/** What the database holds of a job's site. */
async function storedOf(globalId: string): Promise<Record<string, unknown>> {
  const jobId = Buffer.from(globalId, 'base64url').toString().split(':')[1] ?? ''
  const listings = await gavel.db
    .selectFrom('listings')
    .innerJoin('jobs', 'jobs.scrapeUrlId', 'listings.scrapeUrlId')
    .where('jobs.id', '=', jobId)
    .select(['listings.sourceKey', 'listings.prospectId'])
    .execute()
  const prospects = new Set(listings.map(({ prospectId }) => prospectId))
  const changes = await gavel.db
    .selectFrom('prospectChanges')
    .where('prospectId', 'in', [...prospects])
    .select('kind')
    .execute()
  const lines = await gavel.db
    .selectFrom('jobLogLines')
    .where('jobId', '=', jobId)
    .orderBy('line')
    .select('line')
    .execute()
  expect(new Set(listings.map(({ sourceKey }) => sourceKey)).size).toBe(listings.length)
  return {
    prospects: prospects.size,
    listings: listings.length,
    changes: changes.filter(({ kind }) => kind === 'CREATED').length,
    lines: lines.every(({ line }, i) => line === i + 1) ? 'each once' : lines,
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
