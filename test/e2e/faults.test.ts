import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Fault } from '../../src/demo/site/faults.ts'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { browserPatienceMs, testBrowser } from '../support/browser.ts'
import { type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { day, sale, today } from '../support/sampleDays.ts'

// Whole processes start and stop here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

/** Each case meets a day of its own: 14 listings, closed, on two pages. */
const perDay = 14
const days = Array.from({ length: 40 }, (_, i) => sale(-i - 1, perDay))

interface Case {
  /** Without `date`: the case's own day is put in. */
  faults: Fault[]
  code: string
  category?: string
  /** What the day ends in; anything but these two where it is not told. */
  outcome?: string
  retryable?: boolean
  timeoutSeconds?: number
}

const network: [string, Case][] = [
  ['403', { faults: [{ kind: 'status403', when: { request: 'LOAD' } }], code: 'BLOCKED', outcome: 'BLOCKED' }],
  ['a captcha', { faults: [{ kind: 'captcha', when: { request: 'PREVIEW' } }], code: 'BLOCKED', outcome: 'BLOCKED' }],
  [
    '429 without end',
    {
      faults: [{ kind: 'status429', retryAfterSeconds: null, when: { request: 'LOAD' } }],
      code: 'BLOCKED',
      outcome: 'BLOCKED',
      timeoutSeconds: 20,
    },
  ],
  [
    '500 without end',
    { faults: [{ kind: 'status500', when: { request: 'LOAD' } }], code: 'HTTP_ERROR', outcome: 'FAILED' },
  ],
  ['500 for the calendar', { faults: [{ kind: 'status500', when: { request: 'CALENDAR' } }], code: 'HTTP_ERROR' }],
  [
    'a body cut short',
    { faults: [{ kind: 'cutBody', when: { request: 'LOAD' } }], code: 'CONNECTION', outcome: 'FAILED' },
  ],
  [
    'a body without end',
    { faults: [{ kind: 'oversizedBody', when: { request: 'PREVIEW' } }], code: 'BODY_TOO_LARGE', outcome: 'FAILED' },
  ],
  ['a cold session', { faults: [{ kind: 'coldSession' }], code: 'COLD_SESSION', outcome: 'INCOMPLETE' }],
  ['the items of another day', { faults: [{ kind: 'wrongDate' }], code: 'COLD_SESSION', outcome: 'INCOMPLETE' }],
  ['a maintenance page', { faults: [{ kind: 'maintenance', when: { request: 'PREVIEW' } }], code: 'SITE_OFFLINE' }],
  [
    'a maintenance page for the calendar',
    { faults: [{ kind: 'maintenance', when: { request: 'CALENDAR' } }], code: 'SITE_OFFLINE' },
  ],
  [
    'a redirect elsewhere',
    { faults: [{ kind: 'foreignRedirect', when: { request: 'PREVIEW' } }], code: 'FOREIGN_REDIRECT' },
  ],
  [
    'a redirect inwards',
    { faults: [{ kind: 'privateRedirect', when: { request: 'PREVIEW' } }], code: 'FOREIGN_REDIRECT' },
  ],
]

const parsing: [string, Case][] = [
  [
    'a page that lacks an item',
    { faults: [{ kind: 'shortPage', when: { area: 'C', page: 1 } }], code: 'DAY_INCOMPLETE', outcome: 'INCOMPLETE' },
  ],
  ['page 1 in place of each', { faults: [{ kind: 'repeatPage' }], code: 'DAY_INCOMPLETE', outcome: 'INCOMPLETE' }],
  [
    'no figure at all',
    { faults: [{ kind: 'noIdList' }, { kind: 'noCounts' }], code: 'DAY_INCOMPLETE', outcome: 'INCOMPLETE' },
  ],
  ['an unknown token', { faults: [{ kind: 'templateChanged', how: 'token' }], code: 'TEMPLATE_CHANGED' }],
  ['values without labels', { faults: [{ kind: 'templateChanged', how: 'labels' }], code: 'TEMPLATE_CHANGED' }],
  ['half an answer as if it were whole', { faults: [{ kind: 'truncatedJson' }], code: 'TEMPLATE_CHANGED' }],
]

const overBrowser: [string, Case][] = network.filter(([name]) =>
  ['403', 'a body cut short', 'a cold session', 'a redirect inwards'].includes(name),
)

let site: SampleSite
let gavel: Gavel
let node: GavelNode
let scrapeUrlId: string
let next = 0

beforeAll(async () => {
  await testBrowser()
  site = await startSampleSite({ days, today })
  gavel = await openGavel([site], { GAVEL_RETRY_DELAYS: '0,0,0' })
  node = await gavel.serve()
  scrapeUrlId = await node.saveSite(site, { transport: 'HTTP' })
}, browserPatienceMs)

afterEach(() => {
  site.faults.clear()
})

afterAll(async () => {
  await gavel.close()
  await site.close()
})

describe.each([
  ['HTTP', 'NETWORK', network],
  ['HTTP', 'PARSING', parsing],
  ['BROWSER', 'NETWORK', overBrowser],
] as const)('over %s an error of %s is told as what it is, and mended by a retry:', (transport, category, cases) => {
  beforeAll(() => useTransport(transport))
  afterAll(() => useTransport('HTTP'))

  test.each(cases)('%s', async (_, { faults, code, outcome, timeoutSeconds }) => {
    const date = day(-1 - next++)
    for (const fault of faults) site.faults.add({ ...fault, when: { date, ...fault.when } })
    const jobId = await node.submit({
      scrapeUrlId: scrapeUrlId,
      startDate: date,
      endDate: date,
      maxAttempts: 1,
      timeoutSeconds,
    })
    const failed = await node.untilEnded(jobId)

    expect(failed).toMatchObject({ status: 'FAILED', attempt: 1, endedBy: { code, category, retryable: true } })
    expect(failed.days[0]?.outcome).toMatch(outcome ?? /^(BLOCKED|FAILED|INCOMPLETE|PENDING)$/)
    expect(failed.executions.nodes).toEqual([
      expect.objectContaining({
        status: 'FAILED',
        finishedAt: expect.any(String),
        errorMessage: expect.stringMatching(/./),
      }),
    ])

    site.faults.clear()
    const { retryJob } = await node.ask('mutation ($id: ID!) { retryJob(id: $id) { __typename } }', { id: jobId })
    expect(retryJob).toEqual({ __typename: 'RetryJobSuccess' })
    const mended = await node.untilEnded(jobId)
    expect(mended).toMatchObject({ status: 'COMPLETED', result: { rowsCollected: perDay } })
    expect(mended.days).toEqual([
      expect.objectContaining({
        date,
        outcome: 'COMPLETE',
        proof: 'ID_LIST',
        expected: perDay,
        received: perDay,
        saved: perDay,
      }),
    ])
    expect(await datesOf(jobId)).toEqual(Array(perDay).fill(date))
  })
})

test('a host that is no tenant is not asked again', async () => {
  const date = day(-1 - next++)
  site.faults.add({ kind: 'notATenant' })
  const job = await node.untilEnded(await node.submit({ scrapeUrlId: scrapeUrlId, startDate: date, endDate: date }))
  expect(job).toMatchObject({
    status: 'FAILED',
    attempt: 1,
    endedBy: { code: 'NOT_A_TENANT', category: 'DATA_VALIDATION', retryable: false },
  })
  const { job: ended } = await node.ask('query ($id: ID!) { job(id: $id) { canRetry retryBlockedReason } }', {
    id: job.id,
  })
  expect(ended).toEqual({ canRetry: false, retryBlockedReason: expect.stringMatching(/./) })
})

test.each(['status429', 'status503'] as const)(
  '%s is waited for as long as the site asks, in the same attempt',
  async (kind) => {
    const date = day(-1 - next++)
    site.faults.add({ kind, retryAfterSeconds: 2, times: 1, when: { request: 'LOAD', date } })
    const job = await node.untilEnded(await node.submit({ scrapeUrlId: scrapeUrlId, startDate: date, endDate: date }))
    expect(job).toMatchObject({ status: 'COMPLETED', attempt: 1, days: [{ outcome: 'COMPLETE' }] })
    const asked = site.requests.filter((request) => request.date === date)
    const refused = asked.findIndex(({ status }) => status === Number(kind.slice(-3)))
    expect(asked[refused + 1]?.at).toBeGreaterThanOrEqual((asked[refused]?.at ?? Number.NaN) + 2000)
  },
)

test('a site that is well again after some attempts has its job completed without anybody asking', async () => {
  const date = day(-1 - next++)
  const sick = site.faults.add({ kind: 'status500', when: { request: 'PREVIEW', date } })
  const jobId = await node.submit({ scrapeUrlId: scrapeUrlId, startDate: date, endDate: date, maxAttempts: 10 })
  await expect
    .poll(async () => (await node.ask('query ($id: ID!) { job(id: $id) { attempt } }', { id: jobId })).job.attempt, {
      timeout: 40_000,
    })
    .toBeGreaterThan(1)
  sick()
  const job = await node.untilEnded(jobId)
  expect(job.status).toBe('COMPLETED')
  expect(job.attempt).toBeGreaterThan(1)
  expect(job.executions.nodes).toHaveLength(job.attempt)
  expect(job.progress).toMatchObject({ rowsSuccess: perDay, rowsProcessed: perDay })
})

test('a site that gives no answer has the attempt ended as TIMEOUT, and the next one completes the job', async () => {
  const date = day(-1 - next++)
  const awake = site.faults.add({ kind: 'stall', when: { request: 'LOAD', date } })
  const limits = { timeoutSeconds: 4, maxAttempts: 10 }
  const jobId = await node.submit({ scrapeUrlId, startDate: date, endDate: date, ...limits })
  const errors = async () =>
    (
      await node.ask('query ($id: ID!) { job(id: $id) { errors { nodes { code category retryable } } } }', {
        id: jobId,
      })
    ).job.errors.nodes
  await expect
    .poll(errors, { timeout: 40_000 })
    .toContainEqual({ code: 'TIMEOUT', category: 'NETWORK', retryable: true })
  awake()
  const job = await node.untilEnded(jobId)
  expect(job).toMatchObject({ status: 'COMPLETED', days: [{ outcome: 'COMPLETE', saved: perDay }] })
  expect(job.executions.nodes.at(-1)).toMatchObject({ status: 'FAILED', finishedAt: expect.any(String) })
})

test('one bad day does not cost its neighbours: the attempt reads every other day, a retry that one alone', async () => {
  const [newest, bad, oldest] = [day(-1 - next++), day(-1 - next++), day(-1 - next++)]
  site.faults.add({ kind: 'shortPage', when: { date: bad, area: 'C', page: 1 } })
  const failed = await node.untilEnded(
    await node.submit({ scrapeUrlId: scrapeUrlId, startDate: oldest, endDate: newest, maxAttempts: 1 }),
  )
  expect(failed.days.map(({ outcome }) => outcome)).toEqual(['COMPLETE', 'INCOMPLETE', 'COMPLETE'])
  site.faults.clear()
  const asked = site.requests.length
  await node.ask('mutation ($id: ID!) { retryJob(id: $id) { __typename } }', { id: failed.id })
  const mended = await node.untilEnded(failed.id)
  expect(mended).toMatchObject({ status: 'COMPLETED', result: { rowsCollected: 3 * perDay } })
  const again = site.requests.slice(asked).filter(({ kind }) => kind === 'PREVIEW')
  expect(new Set(again.map(({ date }) => date))).toEqual(new Set([bad]))
})

test('a day without its list of ids is proved by the count of the calendar', async () => {
  const date = day(-1 - next++)
  site.faults.add({ kind: 'noIdList', when: { date } })
  const job = await node.untilEnded(await node.submit({ scrapeUrlId: scrapeUrlId, startDate: date, endDate: date }))
  expect(job.days).toEqual([
    expect.objectContaining({ outcome: 'COMPLETE', proof: 'COUNT', expected: perDay, saved: perDay }),
  ])
})

test('a past day whose listings are gone is GONE, and never takes the place of a complete one', async () => {
  const date = day(-1 - next++)
  site.faults.add({ kind: 'goneDay', when: { date } })
  const job = await node.untilEnded(await node.submit({ scrapeUrlId: scrapeUrlId, startDate: date, endDate: date }))
  expect(job).toMatchObject({ status: 'COMPLETED', attempt: 1, days: [{ outcome: 'GONE', saved: 0 }] })
  const before = day(-1)
  site.faults.clear()
  site.faults.add({ kind: 'goneDay', when: { date: before } })
  await node.untilEnded(await node.submit({ scrapeUrlId: scrapeUrlId, startDate: before, endDate: before }))
  const { prospects } = await node.ask(
    'query ($from: Date!) { prospects(filter: { auctionDate: { from: $from, to: $from }, listed: true }) { totalCount } }',
    { from: before },
  )
  expect(prospects.totalCount).toBe(perDay)
})

async function useTransport(transport: 'HTTP' | 'BROWSER'): Promise<void> {
  await node.ask(
    'mutation ($id: ID!, $transport: Transport!) { saveScrapeUrl(input: { id: $id, transport: $transport }) { __typename } }',
    { id: scrapeUrlId, transport },
  )
}

async function datesOf(jobId: string): Promise<string[]> {
  const { prospects } = await node.ask(
    'query ($jobId: ID!) { prospects(filter: { jobId: $jobId }, first: 200) { nodes { auctionDate } } }',
    { jobId },
  )
  return prospects.nodes.map(({ auctionDate }: { auctionDate: string }) => auctionDate)
}
