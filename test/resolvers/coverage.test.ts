import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ScrapeUrlRow } from '../../src/db/tables.ts'
import type { DayOutcome } from '../../src/domain.ts'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertListing, insertProspects } from '../support/prospects.ts'
import { insertJob, insertSite } from '../support/rows.ts'

const bexar = { fips: '48029', stateCode: 'TX', name: 'Bexar', timezone: 'America/Chicago' }
const hour = 3_600_000

let api: TestApi
let site: ScrapeUrlRow
let second: ScrapeUrlRow
let texan: ScrapeUrlRow

beforeAll(async () => {
  api = await startTestApi()
  site = await insertSite(api.db)
  second = await insertSite(api.db)
  texan = await insertSite(api.db, { county: bexar })
  const inactive = await insertSite(api.db)
  await api.db.updateTable('scrapeUrls').set({ active: false }).where('id', '=', inactive.id).execute()
})
afterAll(() => api.stop())

/** Stores a read of a day, `hoursAgo` ago. */
async function insertRead(
  at: ScrapeUrlRow,
  date: string,
  outcome: DayOutcome,
  hoursAgo: number,
  final = false,
): Promise<string> {
  const { id } = await api.db
    .insertInto('scrapeDays')
    .values({
      scrapeUrlId: at.id,
      date,
      outcome,
      proof: outcome === 'COMPLETE' || outcome === 'EMPTY' ? 'COUNT' : null,
      final,
      finishedAt: new Date(Date.now() - hoursAgo * hour),
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return idOf('ScrapeDay', id)
}

interface Row {
  date: string
  scrapeUrl: { id: string }
  latest: { id: string; outcome: string } | null
  lastComplete: { id: string } | null
  prospects: number
  stale: boolean
}

const fields = 'date scrapeUrl { id } latest { id outcome } lastComplete { id } prospects stale'

async function coverage(args: string): Promise<Row[]> {
  return (await api.ask(`{ coverage(${args}) { nodes { ${fields} } } }`)).coverage.nodes as Row[]
}

/** The one day at the first site. */
async function dayOf(date: string): Promise<Row> {
  const [row] = await coverage(
    `from: "${date}", to: "${date}", filter: { scrapeUrlIds: ["${idOf('CountyScrapeUrl', site.id)}"] }`,
  )
  if (!row) throw new Error(`nothing for ${date}`)
  return row
}

describe('one day at one site', () => {
  test('that was never read has no report, and is stale', async () => {
    expect(await dayOf('2026-01-01')).toMatchObject({ latest: null, lastComplete: null, prospects: 0, stale: true })
  })

  test('a report that is PENDING does not count', async () => {
    await insertJob(api.db, site, { startDate: '2026-01-02' })
    expect(await dayOf('2026-01-02')).toMatchObject({ latest: null, lastComplete: null, stale: true })
  })

  test('has its newest read, and the newest that was complete', async () => {
    const complete = await insertRead(site, '2026-01-03', 'COMPLETE', 30)
    const failed = await insertRead(site, '2026-01-03', 'FAILED', 2)
    expect(await dayOf('2026-01-03')).toMatchObject({
      latest: { id: failed, outcome: 'FAILED' },
      lastComplete: { id: complete },
      stale: true,
    })
  })

  test('is fresh for 24 h after a complete read, whatever failed since', async () => {
    await insertRead(site, '2026-01-04', 'EMPTY', 23)
    await insertRead(site, '2026-01-04', 'BLOCKED', 1)
    expect(await dayOf('2026-01-04')).toMatchObject({ latest: { outcome: 'BLOCKED' }, stale: false })
    await insertRead(site, '2026-01-05', 'NOT_PUBLISHED', 1)
    expect(await dayOf('2026-01-05')).toMatchObject({ lastComplete: null, stale: true })
  })

  test('that is final is never stale', async () => {
    await insertRead(site, '2026-01-06', 'COMPLETE', 1_000, true)
    expect((await dayOf('2026-01-06')).stale).toBe(false)
  })

  test('GONE never replaces an older COMPLETE, but everything else', async () => {
    const complete = await insertRead(site, '2026-01-07', 'COMPLETE', 50)
    await insertRead(site, '2026-01-07', 'GONE', 1)
    expect(await dayOf('2026-01-07')).toMatchObject({ latest: { id: complete }, lastComplete: { id: complete } })
    await insertRead(site, '2026-01-08', 'INCOMPLETE', 50)
    const gone = await insertRead(site, '2026-01-08', 'GONE', 1)
    expect(await dayOf('2026-01-08')).toMatchObject({ latest: { id: gone }, lastComplete: null })
    const newer = await insertRead(site, '2026-01-08', 'COMPLETE', 0)
    expect(await dayOf('2026-01-08')).toMatchObject({ latest: { id: newer } })
  })

  test('has the prospects of that date that were seen at that site', async () => {
    const date = { auctionDate: '2026-01-09' }
    const [here, both, elsewhere, , other] = await insertProspects(api.db, [
      date,
      date,
      date,
      date,
      { auctionDate: '2026-01-10' },
    ])
    for (const one of [here, both, other]) await insertListing(api.db, one?.id ?? '', site)
    for (const one of [both, elsewhere]) await insertListing(api.db, one?.id ?? '', second)
    await insertListing(api.db, both?.id ?? '', site)
    const closed = await insertListing(api.db, elsewhere?.id ?? '', site)
    await api.db.updateTable('listings').set({ closedAt: new Date() }).where('id', '=', closed.id).execute()
    expect((await dayOf('2026-01-09')).prospects).toBe(2)
    expect((await dayOf('2026-01-10')).prospects).toBe(1)
  })
})

test('there is one for every date and active scrape URL, by date, county and age', async () => {
  const rows = await coverage('from: "2026-02-27", to: "2026-03-01"')
  const sites = [site, second, texan].map((one) => idOf('CountyScrapeUrl', one.id))
  expect(rows.map((row) => [row.date, row.scrapeUrl.id])).toEqual(
    ['2026-02-27', '2026-02-28', '2026-03-01'].flatMap((date) => sites.map((id) => [date, id])),
  )
})

test('its pages are those of the whole list', async () => {
  const query = `query($first: Int, $after: String) { coverage(from: "2026-02-01", to: "2026-02-10", first: $first,
    after: $after) { totalCount edges { cursor node { date scrapeUrl { id } } } pageInfo { hasNextPage endCursor } } }`
  const whole = (await api.ask(query, { first: 200 })).coverage
  expect(whole).toMatchObject({ totalCount: 30, pageInfo: { hasNextPage: false } })
  const walked: unknown[] = []
  let after: string | null = null
  for (let page = 0; page < 10; page++) {
    const read: typeof whole = (await api.ask(query, { first: 7, after })).coverage
    walked.push(...read.edges)
    if (!read.pageInfo.hasNextPage) break
    after = read.pageInfo.endCursor
  }
  expect(walked).toEqual(whole.edges)
})

test('it is filtered by place, site, outcome and whether it is stale', async () => {
  const range = 'from: "2026-01-01", to: "2026-01-08"'
  const dates = async (filter: string) =>
    (await coverage(`${range}, filter: { scrapeUrlIds: ["${idOf('CountyScrapeUrl', site.id)}"], ${filter} }`)).map(
      (row) => row.date.slice(-2),
    )
  expect(await dates('outcome: [FAILED, BLOCKED]')).toEqual(['03', '04'])
  expect(await dates('outcome: [PENDING]')).toEqual(['01', '02'])
  expect(await dates('outcome: [COMPLETE]')).toEqual(['06', '07', '08'])
  expect(await dates('outcome: [GONE]')).toEqual([])
  expect(await dates('stale: false')).toEqual(['04', '06', '08'])
  expect(await dates('stale: true')).toEqual(['01', '02', '03', '05', '07'])
  expect(await dates('places: [{ state: "TX" }]')).toEqual([])
  expect(await coverage(`${range}, filter: { places: [{ county: { state: "tx", name: "bexar" } }] }`)).toHaveLength(8)
})

test('a county has its own, and many counties cost no more statements than one', async () => {
  const query = `query($state: String) { counties(withScrapeUrl: true, state: $state) { nodes { name
    coverage(from: "2026-01-01", to: "2026-01-08") { ${fields} scrapeUrl { url } latest { errors { code } } } } } }`
  const count = async (variables: object) => {
    const statements = vi.spyOn(pg.Client.prototype, 'query')
    const { counties } = await api.ask(query, { ...variables })
    const texts = statements.mock.calls.map(([first]) =>
      typeof first === 'string' ? first : (first as { text: string }).text,
    )
    statements.mockRestore()
    return { counties: counties.nodes, statements: texts.filter((text) => !text.includes('pgboss')).length }
  }
  const both = await count({})
  expect(both.counties.map((county: { coverage: Row[] }) => county.coverage.length)).toEqual([16, 8])
  expect(both.counties[0].coverage[4]).toMatchObject({ date: '2026-01-03', latest: { outcome: 'FAILED' } })
  expect(both.statements).toBe((await count({ state: 'FL' })).statements)
})

test.each([
  ['from: "2026-01-02", to: "2026-01-01"', ['from']],
  ['from: "2026-01-01", to: "2027-01-02"', ['to']],
  ['from: "2026-01-01", to: "2026-01-02", filter: { outcome: [] }', ['filter', 'outcome']],
  ['from: "2026-01-01", to: "2026-01-02", filter: { scrapeUrlIds: ["x"] }', ['filter', 'scrapeUrlIds', '0']],
  ['from: "2026-01-01", to: "2026-01-02", first: 201', ['first']],
])('refused: %s', async (args, path) => {
  const refused = await api.post(`{ coverage(${args}) { nodes { date } } }`)
  expect(refused.errors?.map((error) => error.extensions)).toEqual([
    { code: 'BAD_USER_INPUT', issues: [{ path, message: expect.any(String) }] },
  ])
})

test('366 days are not too many, up to the last there is', async () => {
  expect(await coverage('from: "2028-01-01", to: "2028-12-31", first: 1')).toHaveLength(1)
  expect(await coverage('from: "9999-12-31", to: "9999-12-31", first: 1')).toHaveLength(1)
})
