import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { JobRow, ProspectRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertListing, insertProspects } from '../support/prospects.ts'
import { insertJob, insertSite, openExecution } from '../support/rows.ts'

let api: TestApi
let site: ScrapeUrlRow
let jobs: JobRow[]
let prospects: ProspectRow[]

beforeAll(async () => {
  api = await startTestApi()
  const { db } = api
  site = await insertSite(db)
  jobs = []
  for (let i = 0; i < 8; i++) {
    const job = await insertJob(db, site, { startDate: '2026-03-16', endDate: '2026-03-17' })
    const executionId = await openExecution(db, job.id)
    const error = { jobId: job.id, executionId, message: 'slow', retryable: true } as const
    const [last] = await db
      .insertInto('jobErrors')
      .values([
        { ...error, category: 'NETWORK', code: 'TIMEOUT', traceback: 'at line 1', occurredAt: new Date(2026, 2, 2) },
        { ...error, category: 'PARSING', code: 'DAY_INCOMPLETE', occurredAt: new Date(2026, 2, 1) },
      ])
      .returning('id')
      .execute()
    await db
      .updateTable('jobs')
      .set({ endedByErrorId: last?.id ?? null, createdAt: new Date(Date.UTC(2026, 2, 1, i)), name: `job ${i}` })
      .where('id', '=', job.id)
      .execute()
    await db
      .insertInto('jobLogLines')
      .values([1, 2, 3].map((line) => ({ jobId: job.id, executionId, line, level: 'INFO' as const, message: 'x' })))
      .execute()
    jobs.push(job)
  }
  const [job] = jobs
  prospects = await insertProspects(
    db,
    ['2026-03-16', '2026-03-16', '2026-03-20', null].map((auctionDate, i) => ({
      auctionDate,
      caseKey: i < 3 ? 'CASE1' : null,
      caseNumber: i < 3 ? 'CASE-1' : null,
      openingBid: '1234.50',
      lastJobId: job?.id ?? null,
    })),
  )
  for (const prospect of prospects) {
    await insertListing(db, prospect.id, site)
    await db
      .insertInto('jobProspects')
      .values({ jobId: job?.id ?? '', prospectId: prospect.id })
      .execute()
  }
  await db
    .insertInto('prospectChanges')
    .values(
      [1, 2].map((position) => ({
        position,
        prospectId: prospects[0]?.id ?? '',
        countyFips: '12031',
        scrapeUrlId: site.id,
        jobId: job?.id ?? null,
        kind: position === 1 ? ('CREATED' as const) : ('UPDATED' as const),
        auctionType: 'FORECLOSURE' as const,
        fields: JSON.stringify([{ field: 'openingBid', before: null, after: '1234.50' }]),
      })),
    )
    .execute()
})
afterAll(() => api.stop())

const count = async (query: string, variables: Record<string, unknown>): Promise<number> => {
  const statements = vi.spyOn(pg.Client.prototype, 'query')
  await api.ask(query, variables)
  const texts = statements.mock.calls.map(([first]) =>
    typeof first === 'string' ? first : (first as { text: string }).text,
  )
  statements.mockRestore()
  // What runs besides: the queue's own upkeep.
  return texts.filter((text) => !text.includes('pgboss')).length
}

describe('a page costs the same number of statements, however many rows it has', () => {
  test('jobs, with everything about them', async () => {
    const query = `query($first: Int) { jobs(first: $first) { totalCount nodes {
      id name county { name state { name } } scrapeUrl { url timezone suggestedDateRange { startDate } county { name } }
      createdBy { name } endedBy { code } canRetry retryBlockedReason progress { percent } result { success }
      days { outcome errors { code } } lastError { code } errorSummary { category count }
      executions(first: 2) { totalCount nodes { attempt lines { message } } }
      errors(first: 2) { nodes { code execution { attempt } } }
      prospects(first: 3) { totalCount nodes { lot } }
    } } }`
    expect(await count(query, { first: 8 })).toBe(await count(query, { first: 2 }))
  })

  test('prospects, with everything about them', async () => {
    const query = `query($first: Int) { prospects(first: $first) { totalCount nodes {
      id county { name state { name } } job { name scrapeUrl { url } } listings { scrapeUrl { url } }
      sameCase { auctionDate } siblings { lot } changes(first: 5) { totalCount nodes { kind job { name } } }
    } } }`
    // Both reach the rows without a date, which are a second part of the order and one statement more.
    expect(await count(query, { first: 4 })).toBe(await count(query, { first: 3 }))
  })

  test('what is not selected is not counted', async () => {
    const query = (fields: string) => `{ jobs { ${fields} nodes { id } } }`
    expect(await count(query('totalCount'), {})).toBe((await count(query(''), {})) + 1)
  })
})

test('jobs come newest first, and by what is asked', async () => {
  const names = async (args: string) =>
    ((await api.ask(`{ jobs(${args}) { nodes { name } } }`)).jobs.nodes as { name: string }[]).map((job) => job.name)
  expect(await names('first: 2')).toEqual(['job 7', 'job 6'])
  expect(await names('last: 2')).toEqual(['job 1', 'job 0'])
  expect(await names('first: 1, orderBy: { field: CREATED_AT, direction: ASC }')).toEqual(['job 0'])
  expect(await names('filter: { search: "JOB 3" }')).toEqual(['job 3'])
  expect(await names('filter: { search: "%" }')).toEqual([])
  expect(
    await names('filter: { errorCode: ["TIMEOUT"], dates: { from: "2026-03-17", to: "2026-03-30" } }'),
  ).toHaveLength(8)
  expect(await names('filter: { dates: { to: "2026-03-15" } }')).toEqual([])
  expect(
    await names('filter: { places: [{ county: { state: "fl", name: "DUVAL" } }], platform: [REALAUCTION] }'),
  ).toHaveLength(8)
  expect(await names('filter: { places: [{ state: "TX" }] }')).toEqual([])
  expect(await names('filter: { status: [RUNNING], held: false }, first: 200')).toHaveLength(8)
  for (const field of ['UPDATED_AT', 'STARTED_AT', 'PRIORITY']) {
    expect(await names(`orderBy: { field: ${field}, direction: DESC }`)).toHaveLength(8)
  }
})

test('a job has its days, errors, executions with their lines, and prospects', async () => {
  const { job } = await api.ask(
    `query($id: ID!) { job(id: $id) {
      startDate status isRunning attempt days { date outcome job { name } } lastError { code job { name } }
      errorSummary { category count lastAt } canRetry retryBlockedReason
      executions { nodes { attempt status stats lines(afterLine: 1, first: 1) { line message } } }
      errors(filter: { category: [PARSING] }) { totalCount nodes { code traceback } }
      prospects(filter: { auctionDate: { undated: false } }) { nodes { auctionDate } }
    } }`,
    { id: idOf('ScrapingJob', jobs[0]?.id ?? '') },
  )
  expect(job).toEqual({
    startDate: '2026-03-16',
    status: 'RUNNING',
    isRunning: true,
    attempt: 1,
    days: ['2026-03-16', '2026-03-17'].map((date) => ({ date, outcome: 'PENDING', job: { name: 'job 0' } })),
    lastError: { code: 'TIMEOUT', job: { name: 'job 0' } },
    errorSummary: ['NETWORK', 'PARSING'].map((category) => ({ category, count: 1, lastAt: expect.any(String) })),
    canRetry: false,
    retryBlockedReason: expect.stringContaining('running'),
    executions: {
      nodes: [{ attempt: 1, status: 'RUNNING', stats: {}, lines: [{ line: 2, message: 'x' }] }],
    },
    errors: { totalCount: 1, nodes: [{ code: 'DAY_INCOMPLETE', traceback: null }] },
    prospects: { nodes: ['2026-03-16', '2026-03-16', '2026-03-20'].map((auctionDate) => ({ auctionDate })) },
  })
})

test('a prospect has its listings, changes, lots and other dates', async () => {
  const [first, second, third] = prospects
  const { prospect } = await api.ask(
    `query($id: ID!) { prospect(id: $id) {
      county { name } openingBid listed rawData listings { url scrapeUrl { url } } job { name }
      siblings { id } sameCase { id } changes { nodes { kind cursor fields { field before after } } }
    } }`,
    { id: idOf('Prospect', first?.id ?? '') },
  )
  expect(prospect).toMatchObject({
    county: { name: 'Duval' },
    openingBid: '1234.50',
    listed: true,
    rawData: { fields: [{ label: 'Case #:', value: '1' }] },
    listings: [{ scrapeUrl: { url: site.url } }],
    job: { name: 'job 0' },
    siblings: [{ id: idOf('Prospect', second?.id ?? '') }],
    sameCase: [{ id: idOf('Prospect', third?.id ?? '') }],
    changes: { nodes: [{ kind: 'UPDATED' }, { kind: 'CREATED', fields: [{ field: 'openingBid', after: '1234.50' }] }] },
  })
})

test('prospects are filtered by place, site, job, date, state, type, and whether they are listed', async () => {
  const total = async (filter: string, variables: Record<string, unknown> = {}) =>
    (
      await api.ask(
        `query($id: ID, $ids: [ID!]) { a: viewer { id } prospects(filter: { ${filter} }) { totalCount }
      b: jobs(first: 0, filter: { ids: $ids, createdBy: $id }) { totalCount } }`,
        variables,
      )
    ).prospects.totalCount
  expect(await total('')).toBe(4)
  expect(await total('places: [{ state: "FL" }]')).toBe(4)
  expect(await total('places: [{ state: "GA" }, { county: { state: "FL", name: "duval" } }]')).toBe(4)
  expect(await total(`places: [{ countyId: "${idOf('County', '12031')}" }]`)).toBe(4)
  expect(await total('places: [{ county: { state: "FL", name: "Nowhere" } }]')).toBe(0)
  expect(await total(`scrapeUrlIds: ["${idOf('CountyScrapeUrl', site.id)}"]`)).toBe(4)
  expect(await total(`jobId: "${idOf('ScrapingJob', jobs[0]?.id ?? '')}"`)).toBe(4)
  expect(await total(`jobId: "${idOf('ScrapingJob', jobs[1]?.id ?? '')}"`)).toBe(0)
  expect(await total('auctionDate: { from: "2026-03-16", to: "2026-03-16" }')).toBe(2)
  expect(await total('auctionDate: { undated: true }')).toBe(1)
  expect(await total('auctionStatus: [SCHEDULED, SOLD], auctionType: [FORECLOSURE]')).toBe(4)
  expect(await total('auctionStatus: [SOLD]')).toBe(0)
  expect(await total('listed: false')).toBe(0)
})

test('places: states, counties with their sites, and a county by its names', async () => {
  const data = await api.ask(`{
    states { code counties { name } }
    county(state: "fl", name: "duval") { id fips timezone state { code } scrapeUrls { url } jobs(first: 1) { totalCount nodes { name } }
      prospects(first: 1) { totalCount } }
    none: county(state: "FL", name: "Nowhere") { id }
    counties(withScrapeUrl: true) { totalCount nodes { name } }
    found: counties(state: "FL", search: "dad", first: 1) { nodes { name } pageInfo { hasNextPage } }
  }`)
  expect(data.states).toHaveLength(51)
  expect(data.states.find((state: { code: string }) => state.code === 'FL').counties).toHaveLength(67)
  expect(data.county).toMatchObject({
    id: idOf('County', '12031'),
    fips: '12031',
    timezone: 'America/New_York',
    state: { code: 'FL' },
    scrapeUrls: [{ url: site.url }],
    jobs: { totalCount: 8, nodes: [{ name: 'job 7' }] },
    prospects: { totalCount: 4 },
  })
  expect(data.none).toBeNull()
  expect(data.counties).toEqual({ totalCount: 1, nodes: [{ name: 'Duval' }] })
  expect(data.found).toEqual({ nodes: [{ name: 'Miami-Dade' }], pageInfo: { hasNextPage: false } })
})

test.each([
  ['county(state: "FL", name: "a\\u0000") { id }', ['name']],
  ['counties(search: "\\u0000") { totalCount }', ['search']],
  ['jobs(filter: { search: "\\u0000" }) { totalCount }', ['filter', 'search']],
  [
    'jobs(filter: { places: [{ county: { state: "FL", name: "\\u0000" } }] }) { totalCount }',
    ['filter', 'places', '0', 'county', 'name'],
  ],
])('text that Postgres cannot hold is refused by its path: %s', async (field, path) => {
  const { errors } = await api.post(`{ ${field} }`)
  expect(errors?.map((error) => error.extensions)).toEqual([
    { code: 'BAD_USER_INPUT', issues: [{ path, message: 'must not hold a NUL' }] },
  ])
})

test('all counties can be walked by state and name', async () => {
  const names: string[] = []
  let after: string | null = null
  for (let i = 0; i < 20; i++) {
    const {
      counties,
    }: { counties: { nodes: { fips: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } =
      await api.ask(
        'query($after: String) { counties(first: 200, after: $after) { nodes { fips } pageInfo { hasNextPage endCursor } } }',
        { after },
      )
    names.push(...counties.nodes.map((county) => county.fips))
    if (!counties.pageInfo.hasNextPage) break
    after = counties.pageInfo.endCursor
  }
  const all = await api.db.selectFrom('counties').select('fips').execute()
  expect(names.toSorted()).toEqual(all.map((county) => county.fips).toSorted())
})

test('everything that has an id is read again by it; what is none, or is not there, is null', async () => {
  const ids = [
    idOf('State', 'FL'),
    idOf('County', '12031'),
    idOf('CountyScrapeUrl', site.id),
    idOf('ScrapingJob', jobs[0]?.id ?? ''),
    idOf('Prospect', prospects[0]?.id ?? ''),
    idOf('ProspectChange', 1),
  ]
  const none = [
    'nonsense',
    '',
    idOf('State', 'XX'),
    idOf('State', 'fl'),
    idOf('Query', '1'),
    idOf('__proto__', 'x'),
    idOf('ScrapingJob', 'x'),
    idOf('ScrapingJob', '00000000-0000-4000-8000-000000000000'),
    idOf('ProspectChange', 9),
  ]
  const query = 'query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }'
  expect((await api.ask(query, { ids })).nodes.map((node: { id: string } | null) => node?.id)).toEqual(ids)
  expect((await api.ask(query, { ids: none })).nodes).toEqual(none.map(() => null))
  for (const id of none)
    expect(await api.ask('query($id: ID!) { node(id: $id) { id } job(id: $id) { id } }', { id })).toEqual({
      node: null,
      job: null,
    })
})

test('the traceback of an error takes ADMIN, the rest of it does not', async () => {
  const query = '{ jobErrors(first: 1, filter: { category: [NETWORK] }) { nodes { code traceback } } }'
  expect((await api.ask(query)).jobErrors.nodes).toEqual([{ code: 'TIMEOUT', traceback: 'at line 1' }])
  const answer = await api.post(query, {}, (await api.keyOf('OPERATOR')).key)
  expect(answer.data.jobErrors.nodes).toEqual([{ code: 'TIMEOUT', traceback: null }])
  expect(answer.errors?.map((error) => [error.extensions.code, error.path?.at(-1)])).toEqual([
    ['FORBIDDEN', 'traceback'],
  ])
})

test('the worker pool: the nodes that live, what they run, and what waits', async () => {
  const workers = [{ pid: 7, state: 'BUSY', jobId: jobs[0]?.id, jobsDone: 3, rssBytes: 5e9 }]
  await api.db
    .insertInto('workerNodes')
    .values([
      { name: 'living', workers: JSON.stringify(workers) },
      { name: 'gone', heartbeatAt: new Date(0) },
    ])
    .execute()
  await insertJob(api.db, site, { startDate: '2026-03-16' })
  expect(
    (
      await api.ask(`{ workerPool { pending running oldestPendingSeconds
    nodes { name workers { pid state jobsDone rssBytes job { name } } } } }`)
    ).workerPool,
  ).toEqual({
    pending: 1,
    running: 8,
    oldestPendingSeconds: expect.any(Number),
    nodes: [
      { name: 'living', workers: [{ pid: 7, state: 'BUSY', jobsDone: 3, rssBytes: 5e9, job: { name: 'job 0' } }] },
    ],
  })
})
