import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { type BrokenLine, openLine } from '../support/brokenLine.ts'
import { adminKey, type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { apollo, graphqlWs, type Library, urql } from '../support/libraries.ts'
import { day, sale, today } from '../support/sampleDays.ts'
import { until } from '../support/until.ts'

// Whole processes start and stop here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 120_000 })

const submit = /* GraphQL */ `
  mutation Submit($input: SubmitJobInput!) {
    submitJob(input: $input) {
      __typename
      ... on SubmitJobSuccess { job { id } }
      ... on Error { message }
    }
  }
`
const watchStatus = /* GraphQL */ `
  subscription Status($jobId: ID!, $afterSequence: Int) {
    jobStatus(jobId: $jobId, afterSequence: $afterSequence) { sequence status progress { rowsSuccess } }
  }
`
const watchLog = /* GraphQL */ `
  subscription Log($jobId: ID!, $afterLine: Int) {
    jobLog(jobId: $jobId, afterLine: $afterLine) { lastLine lines { line message } }
  }
`
const attemptOf = 'query ($id: ID!) { job(id: $id) { attempt } }'

const perDay = 12
const range = { startDate: day(-3), endDate: day(-1) }

let site: SampleSite
let gavel: Gavel
let node: GavelNode
let line: BrokenLine
let scrapeUrlId: string

beforeAll(async () => {
  site = await startSampleSite({ days: [sale(-3, perDay), sale(-2, perDay), sale(-1, perDay)], today })
  gavel = await openGavel([site])
  node = await gavel.serve()
  line = await openLine(node.url)
  scrapeUrlId = await node.saveSite(site)
})

afterAll(async () => {
  await line.close()
  await gavel.close()
  await site.close()
})

describe.each([
  ['graphql-ws', graphqlWs],
  ['Apollo Client', apollo],
  ['urql', urql],
])('with %s', (_name, open) => {
  test('a user submits a job, watches it, loses the connection, and resumes without a gap', async () => {
    const library = open({ http: `${node.url}/graphql`, ws: `ws://${line.host}/graphql`, key: adminKey })
    const letGo = site.faults.add({ kind: 'stall', when: { request: 'LOAD', date: day(-2) } })
    const { submitJob } = await library.mutate(submit, { input: { scrapeUrlId, ...range, maxAttempts: 10 } })
    expect(submitJob).toMatchObject({ __typename: 'SubmitJobSuccess', job: { id: expect.any(String) } })
    const jobId: string = submitJob.job.id
    const status = follow(library, watchStatus, { jobId, afterSequence: null }, ({ jobStatus }, variables) => {
      variables['afterSequence'] = jobStatus.sequence
      return [jobStatus]
    })
    const log = follow(library, watchLog, { jobId, afterLine: 0 }, ({ jobLog }, variables) => {
      variables['afterLine'] = jobLog.lastLine
      return jobLog.lines
    })
    await until(() => expect(log.told.some(({ message }) => message.startsWith('saved'))).toBe(true))
    await until(() => expect(status.told.at(-1)?.status).toBe('RUNNING'))

    // While nobody hears it the attempt fails, waits, and a later one completes the job.
    line.cut()
    const heard = status.told.length
    const sick = site.faults.add({ kind: 'status500', when: { request: 'LOAD', date: day(-2) } })
    letGo()
    await vi.waitFor(async () => expect((await node.ask(attemptOf, { id: jobId })).job.attempt).toBeGreaterThan(1), {
      timeout: 40_000,
    })
    sick()
    const ended = await node.untilEnded(jobId)
    expect(status.told.length).toBe(heard)
    line.mend()

    await Promise.all([status.complete, log.complete])
    const missed = status.told.slice(heard).map((update) => update.status)
    expect(missed.join(' ')).toMatch(/^(PENDING RUNNING )+COMPLETED$/)
    const sequences = status.told.map(({ sequence }) => sequence)
    expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b))
    expect(status.told.at(-1)?.progress.rowsSuccess).toBe(3 * perDay)
    expect(ended.progress.rowsSuccess).toBe(3 * perDay)
    expect(log.told.map((told) => told.line)).toEqual(log.told.map((_, i) => i + 1))
    expect(log.told.at(-1)?.message).toBe(await lastMessage(jobId))
    await library.close()
  })
})

// oxlint-disable-next-line typescript/no-explicit-any -- what is told is what its query says
type Told = any

/**
 * Subscribes, and again with the same variables each time the connection is lost; `take` writes into them where to
 * resume. `complete` settles with the end of the stream.
 */
function follow(
  library: Library,
  query: string,
  variables: Record<string, unknown>,
  take: (data: Told, variables: Record<string, unknown>) => Told[],
): { told: Told[]; complete: Promise<void> } {
  const told: Told[] = []
  const { promise: complete, resolve } = Promise.withResolvers<void>()
  const subscribe = () =>
    library.subscribe(query, variables, {
      next: (data) => told.push(...take(data, variables)),
      error: () => void line.whole().then(subscribe),
      complete: resolve,
    })
  subscribe()
  return { told, complete }
}

async function lastMessage(jobId: string): Promise<string> {
  const query = 'query ($id: ID!) { job(id: $id) { executions(first: 1) { nodes { lines(first: 200) { message } } } } }'
  const { job } = await node.ask(query, { id: jobId })
  return job.executions.nodes[0].lines.at(-1).message
}
