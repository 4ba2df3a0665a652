import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { day, sale, today } from '../support/sampleDays.ts'
import { until } from '../support/until.ts'

const days = [sale(-2, 12), sale(-1, 14)]
const total = 26

interface Change {
  cursor: string
  kind: string
  prospect: { id: string }
}

let site: SampleSite
let gavel: Gavel
/** Serves, and runs no jobs. */
let desk: GavelNode
/** Serves and runs jobs. */
let mill: GavelNode

beforeAll(async () => {
  site = await startSampleSite({ days, today })
  gavel = await openGavel([site])
  desk = await gavel.serve({ GAVEL_WORKERS: '0' })
  mill = await gavel.serve()
})

afterAll(async () => {
  await gavel.close()
  await site.close()
})

test('what one node does is told to the subscribers of every other: jobs and changes of prospects', async () => {
  const scrapeUrlId = await desk.saveSite(site)
  const held = await mill.submit({ scrapeUrlId, startDate: day(-2), endDate: day(-1), hold: true })
  const jobs =
    'subscription ($filter: JobFilter) { jobUpdates(filter: $filter, snapshot: true) { kind jobId status sequence } }'
  const changes = 'subscription ($after: String) { prospectChanges(after: $after) { cursor kind prospect { id } } }'
  const updates: { kind: string; jobId: string; status: string; sequence: number }[] = []
  const seen: Change[][] = [[], []]
  const watching = [
    (async () => {
      for await (const { jobUpdates } of desk.watch(jobs, { filter: { scrapeUrlIds: [scrapeUrlId] } })) {
        updates.push(jobUpdates)
        if (jobUpdates.status === 'COMPLETED') return
      }
    })(),
    ...[desk, mill].map(async (node, i) => {
      for await (const { prospectChanges } of node.watch(changes, { after: null })) {
        seen[i]?.push(prospectChanges)
        if (seen[i]?.length === total) return
      }
    }),
  ]
  await until(() => expect(updates).toMatchObject([{ kind: 'SNAPSHOT', jobId: held, status: 'PENDING' }]))
  await desk.ask('mutation ($id: ID!) { runJob(id: $id) { __typename } }', { id: held })
  await Promise.all(watching)

  expect(updates.map(({ status }) => status).filter((status, i, all) => status !== all[i - 1])).toEqual([
    'PENDING',
    'RUNNING',
    'COMPLETED',
  ])
  expect(new Set(seen[0]?.map(({ prospect }) => prospect.id)).size).toBe(total)
  expect(seen[1]).toEqual(seen[0])

  const listed = await mill.ask(
    'query { prospectChanges(first: 200) { edges { cursor node { cursor kind prospect { id } } } } }',
  )
  expect(listed.prospectChanges.edges).toEqual(seen[0]?.map((node) => ({ cursor: node.cursor, node })))
  // From the middle, on the other node.
  const rest: Change[] = []
  for await (const { prospectChanges } of mill.watch(changes, { after: seen[0]?.[9]?.cursor })) {
    if (rest.push(prospectChanges) === total - 10) break
  }
  expect(rest).toEqual(seen[0]?.slice(10))
})
