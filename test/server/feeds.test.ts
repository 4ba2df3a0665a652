import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { changeJob, lockJob } from '../../src/db/changeJob.ts'
import { CursorExpiredError } from '../../src/db/prospectChanges.ts'
import type { JobRow, ProspectRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { changed, record } from '../support/changes.ts'
import { insertProspects } from '../support/prospects.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

let api: TestApi
let site: ScrapeUrlRow
let job: JobRow
let prospect: ProspectRow

beforeAll(async () => {
  api = await startTestApi()
  site = await insertSite(api.db)
  job = await insertJob(api.db, site, { startDate: '2026-03-16' })
  ;[prospect] = (await insertProspects(api.db, [{}])) as [ProspectRow]
})
afterEach(async () => {
  await everybodyLeft()
})
afterAll(() => api.stop())

const everybodyLeft = async () => await until(() => expect(api.events.counts()).toEqual({ waiters: 0, topics: 0 }))

const idle = async (waiters = 1) => await until(() => expect(api.events.counts().waiters).toBe(waiters))

function iterate(query: string, variables: Record<string, unknown>, key?: string) {
  return api.client(key).iterate<Record<string, Record<string, unknown>>>({ query, variables })
}

async function save(city: string): Promise<void> {
  const fields = [changed('city', null, city), changed('auctionStatus', 'SCHEDULED', 'SOLD')]
  await record(api.db, prospect, [{ kind: 'UPDATED', fields }], { scrapeUrlId: site.id, jobId: job.id })
}

const jobUpdates = `subscription ($filter: JobFilter, $snapshot: Boolean) {
  jobUpdates(filter: $filter, snapshot: $snapshot) { kind jobId sequence status job { name } result { success } }
}`
const prospectChanges = `subscription ($filter: ProspectChangeFilter, $after: String) {
  prospectChanges(filter: $filter, after: $after) { cursor kind job { id } fields { field before after } }
}`

test('jobUpdates tells what matches now where it is asked to, then what changes, and never completes', async () => {
  const { key } = await api.keyOf('VIEWER')
  const filter = { ids: [idOf('ScrapingJob', job.id)] }
  const updates = iterate(jobUpdates, { filter, snapshot: true }, key)
  expect(await updates.next()).toMatchObject({
    value: { data: { jobUpdates: { kind: 'SNAPSHOT', jobId: filter.ids[0], sequence: 1, status: 'PENDING' } } },
  })
  const live = iterate(jobUpdates, { filter: { ...filter, status: ['COMPLETED'] } })
  const next = live.next()
  await idle(2)
  await api.db.transaction().execute(async (trx) => {
    const row = (await lockJob(trx, job.id)) as JobRow
    await changeJob(trx, row, { status: 'COMPLETED', finishedAt: new Date(), durationMs: 1 })
  })
  const completed = {
    kind: 'CHANGED',
    sequence: 2,
    status: 'COMPLETED',
    job: { name: job.name },
    result: { success: true },
  }
  expect(await updates.next()).toMatchObject({ value: { data: { jobUpdates: completed } } })
  expect(await next).toMatchObject({ value: { data: { jobUpdates: completed } } })
  await idle(2)
  await Promise.all([updates.return?.(), live.return?.()])
})

test('prospectChanges tells changes as they were stored, with the cursors that the list has', async () => {
  const changes = iterate(prospectChanges, { filter: { statusTo: ['SOLD'], places: [{ state: 'FL' }] } })
  const first = changes.next()
  await idle()
  await save('Jacksonville')
  await save('Baldwin')
  const told = [(await first).value, (await changes.next()).value].map((one) => one?.data?.['prospectChanges'])
  expect(told[0]).toMatchObject({
    kind: 'UPDATED',
    job: { id: idOf('ScrapingJob', job.id) },
    fields: [
      { field: 'city', before: null, after: 'Jacksonville' },
      { field: 'auctionStatus', before: 'SCHEDULED', after: 'SOLD' },
    ],
  })
  await changes.return?.()

  const listed = await api.ask(
    '{ prospectChanges(first: 1) { edges { cursor } pageInfo { endCursor hasNextPage } totalCount } }',
  )
  expect(listed.prospectChanges).toMatchObject({ edges: [{ cursor: told[0]?.['cursor'] }], totalCount: 2 })
  const resumed = iterate(prospectChanges, { after: listed.prospectChanges.pageInfo.endCursor })
  expect((await resumed.next()).value?.data?.['prospectChanges']).toEqual(told[1])
  await resumed.return?.()
})

test.each<[string, string, Record<string, unknown>, string]>([
  ['a cursor of no list', prospectChanges, { after: 'nonsense' }, 'after'],
  ['an empty list', prospectChanges, { filter: { kind: [] } }, 'filter.kind'],
  ['an id that is none', prospectChanges, { filter: { jobId: 'nonsense' } }, 'filter.jobId'],
  ['an empty list of jobs', jobUpdates, { filter: { status: [] } }, 'filter.status'],
  ['an id that is no job', jobUpdates, { filter: { ids: ['nonsense'] } }, 'filter.ids.0'],
])('%s is refused', async (_what, query, variables, path) => {
  const { value } = await iterate(query, variables).next()
  const extensions = value?.errors?.[0]?.extensions as { code: string; issues: { path: string[] }[] }
  expect(extensions.code).toBe('BAD_USER_INPUT')
  expect(extensions.issues[0]?.path.join('.')).toBe(path)
})

test('a cursor older than what is kept: CURSOR_EXPIRED, at once and in the middle of a stream', async () => {
  for (let n = 0; n < 5; n += 1) await save(`city ${n}`)
  const query = '{ prospectChanges(first: 1) { edges { cursor } } }'
  const cursor = (await api.ask(query)).prospectChanges.edges[0].cursor as string
  await api.db.deleteFrom('prospectChanges').where('position', '<=', 5).execute()
  const { value } = await iterate(prospectChanges, { after: cursor }).next()
  expect(value?.errors?.[0]?.extensions).toEqual({ code: 'CURSOR_EXPIRED' })
  const list = await api.post('query ($after: String) { prospectChanges(after: $after) { edges { cursor } } }', {
    after: cursor,
  })
  expect(list.errors?.[0]?.extensions.code).toBe('CURSOR_EXPIRED')

  const overtaken = vi.spyOn(api.events, 'watchProspects').mockImplementationOnce(async function* () {
    yield await Promise.reject<never>(new CursorExpiredError('gone'))
  })
  const broken = iterate(prospectChanges, {})
  await expect(broken.next()).rejects.toMatchObject([{ extensions: { code: 'CURSOR_EXPIRED' } }])
  overtaken.mockRestore()
})
