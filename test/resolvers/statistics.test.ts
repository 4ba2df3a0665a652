import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import type { JobStatus } from '../../src/domain.ts'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertProspects } from '../support/prospects.ts'
import { insertJob, insertSite } from '../support/rows.ts'

let api: TestApi
let site: ScrapeUrlRow
beforeAll(async () => {
  api = await startTestApi()
  site = await insertSite(api.db)
})
afterAll(() => api.stop())

async function refusalOf(query: string) {
  const answer = await api.post(query)
  return answer.errors?.map((error) => error.extensions)
}

const issue = (...path: string[]) => [{ code: 'BAD_USER_INPUT', issues: [{ path, message: expect.any(String) }] }]

describe('statistics of jobs', () => {
  let other: ScrapeUrlRow

  async function endJob(
    at: ScrapeUrlRow,
    status: JobStatus,
    finishedAt: string,
    rows = 0,
    durationMs: number | null = null,
  ): Promise<JobRow> {
    const job = await insertJob(api.db, at, { startDate: '2026-03-16', endDate: '2026-03-17' })
    await api.db
      .updateTable('jobs')
      .set({ status, finishedAt: new Date(finishedAt), rowsSuccess: rows, durationMs })
      .where('id', '=', job.id)
      .execute()
    return job
  }

  beforeAll(async () => {
    other = await insertSite(api.db)
    await endJob(site, 'COMPLETED', '2026-03-01T04:59:59.999Z', 10, 1_000)
    const job = await endJob(site, 'COMPLETED', '2026-03-01T05:00:00.000Z', 20, 2_000)
    await endJob(site, 'FAILED', '2026-03-02T12:00:00.000Z', 5, 3_000)
    await endJob(other, 'CANCELLED', '2026-03-03T00:00:00.000Z')
    await insertJob(api.db, site, { startDate: '2026-03-16' })
    await api.db
      .insertInto('jobErrors')
      .values([
        { jobId: job.id, category: 'NETWORK', code: 'TIMEOUT', message: '', retryable: true, occurredAt: new Date(1) },
        { jobId: job.id, category: 'NETWORK', code: 'TIMEOUT', message: '', retryable: true, occurredAt: new Date(2) },
      ])
      .execute()
    await api.db
      .updateTable('scrapeDays')
      .set({ outcome: 'COMPLETE', proof: 'COUNT', finishedAt: new Date() })
      .where('jobId', '=', job.id)
      .where('date', '=', '2026-03-16')
      .execute()
  })

  const statistics = async (args: string) =>
    (
      await api.ask(`{ statistics(${args}) { jobsByStatus { status count } errorsByCategory { category count lastAt }
      successRate averageDurationMs rowsCollected daysByOutcome { outcome count }
      perDay { date completed failed cancelled rowsCollected } } }`)
    ).statistics

  test('are of the jobs that ended in the range, by day', async () => {
    const day = (date: string, figures: object = {}) => ({
      date,
      completed: 0,
      failed: 0,
      cancelled: 0,
      rowsCollected: 0,
      ...figures,
    })
    expect(await statistics('from: "2026-03-01", to: "2026-03-04"')).toEqual({
      jobsByStatus: [
        { status: 'COMPLETED', count: 2 },
        { status: 'FAILED', count: 1 },
        { status: 'CANCELLED', count: 1 },
      ],
      errorsByCategory: [{ category: 'NETWORK', count: 2, lastAt: '1970-01-01T00:00:00.002Z' }],
      successRate: 0.5,
      averageDurationMs: 2_000,
      rowsCollected: 35,
      daysByOutcome: [
        { outcome: 'PENDING', count: 7 },
        { outcome: 'COMPLETE', count: 1 },
      ],
      perDay: [
        day('2026-03-01', { completed: 2, rowsCollected: 30 }),
        day('2026-03-02', { failed: 1, rowsCollected: 5 }),
        day('2026-03-03', { cancelled: 1 }),
        day('2026-03-04'),
      ],
    })
  })

  test('have the days of the time zone, to the millisecond', async () => {
    const { perDay } = await statistics('from: "2026-02-28", to: "2026-03-02", timezone: "America/New_York"')
    expect(perDay.map((day: { date: string; completed: number }) => [day.date, day.completed])).toEqual([
      ['2026-02-28', 1],
      ['2026-03-01', 1],
      ['2026-03-02', 0],
    ])
    // A day ends where the next one begins.
    expect((await statistics('from: "2026-03-02", to: "2026-03-02"')).jobsByStatus).toEqual([
      { status: 'FAILED', count: 1 },
    ])
    // The cancelled one ended on the evening before, there.
    expect(perDay[2]).toMatchObject({ failed: 1, cancelled: 1 })
  })

  test('are of the jobs that match', async () => {
    const filter = `filter: { scrapeUrlIds: ["${idOf('CountyScrapeUrl', other.id)}"] }`
    expect(await statistics(`from: "2026-03-01", to: "2026-03-04", ${filter}`)).toMatchObject({
      jobsByStatus: [{ status: 'CANCELLED', count: 1 }],
      errorsByCategory: [],
      successRate: 0,
      averageDurationMs: null,
    })
  })

  test('have no rates where no job ended', async () => {
    expect(await statistics('from: "2020-01-01", to: "2020-01-01"')).toMatchObject({
      jobsByStatus: [],
      successRate: null,
      averageDurationMs: null,
      rowsCollected: 0,
      daysByOutcome: [],
    })
  })

  test('are of the last 30 days unless told, today included', async () => {
    const job = await endJob(site, 'COMPLETED', new Date().toISOString(), 3)
    const { perDay, rowsCollected } = await statistics('timezone: null')
    expect(perDay).toHaveLength(30)
    expect(rowsCollected).toBeGreaterThanOrEqual(3)
    expect((await statistics('to: "2026-03-02"')).perDay[0].date).toBe('2026-02-01')
    await api.db.deleteFrom('scrapeDays').where('jobId', '=', job.id).execute()
    await api.db.deleteFrom('jobs').where('id', '=', job.id).execute()
  })

  test('are refused for a range or a zone that makes no sense; 366 days are not too many', async () => {
    const refused = async (args: string) => await refusalOf(`{ statistics(${args}) { rowsCollected } }`)
    expect(await refused('timezone: "Nowhere"')).toEqual(issue('timezone'))
    expect(await refused('from: "2026-03-02", to: "2026-03-01"')).toEqual(issue('from'))
    expect(await refused('from: "2999-03-02"')).toEqual(issue('from'))
    expect(await refused('from: "2026-01-01", to: "2027-01-02"')).toEqual(issue('to'))
    expect(await refused('filter: { status: [] }')).toEqual(issue('filter', 'status'))
    expect((await statistics('from: "2028-01-01", to: "2028-12-31"')).perDay).toHaveLength(366)
    expect((await statistics('from: "9999-12-30", to: "9999-12-31"')).perDay).toHaveLength(2)
    expect((await statistics('from: "0001-01-01", to: "0001-01-02"')).perDay).toHaveLength(2)
  })
})

describe('statistics of prospects', () => {
  const ohio = { countyFips: '39049', countyState: 'OH' }

  beforeAll(async () => {
    // A Sunday, the Monday after it, and the last day of the month before.
    await insertProspects(api.db, [
      { auctionDate: '2026-03-01', openingBid: '100.00', caseKey: 'A', finalJudgmentAmount: '1000.00' },
      { auctionDate: '2026-03-01', openingBid: '100.01', caseKey: 'A', finalJudgmentAmount: '1000.00' },
      { auctionDate: '2026-03-02', openingBid: '0.10', caseKey: 'A', finalJudgmentAmount: '1000.00' },
      {
        auctionDate: '2026-03-02',
        caseKey: 'B',
        auctionType: 'TAX_DEED',
        auctionStatus: 'SOLD',
        openingBid: '0.20',
        saleAmount: '0.10',
      },
      { auctionDate: '2026-02-28', ...ohio, caseKey: 'A', finalJudgmentAmount: '7.00' },
      { auctionDate: null, ...ohio, finalJudgmentAmount: '3.00' },
      { auctionDate: null, ...ohio, finalJudgmentAmount: '3.00' },
    ])
  })

  const groups = async (args: string, fields = 'count') =>
    (await api.ask(`{ prospectStatistics(${args}) { ${fields} } }`)).prospectStatistics

  const figures = 'count sum avg median min max'

  test('without a grouping are one total, of nothing too', async () => {
    const all = `count state { code } date openingBid { ${figures} } finalJudgmentAmount { ${figures} }
      surplus { ${figures} } assessedValue { ${figures} } saleAmount { count }`
    const none = { count: 0, sum: null, avg: null, median: null, min: null, max: null }
    expect(await groups('groupBy: []', all)).toEqual([
      {
        count: 7,
        state: null,
        date: null,
        openingBid: { count: 4, sum: '200.31', avg: '50.0775', median: '50.10', min: '0.10', max: '100.01' },
        // Case A of Duval on the 1st, though it has two lots; on the 2nd; that of Ohio; two without a case number.
        finalJudgmentAmount: { count: 5, sum: '2013.00', avg: '402.60', median: '7.00', min: '3.00', max: '1000.00' },
        surplus: { count: 1, sum: '-0.10', avg: '-0.10', median: '-0.10', min: '-0.10', max: '-0.10' },
        assessedValue: none,
        saleAmount: { count: 1 },
      },
    ])
    expect(await groups('groupBy: [], filter: { city: "Nowhere" }', `count openingBid { ${figures} }`)).toEqual([
      { count: 0, openingBid: none },
    ])
  })

  test('print what is exact exactly, and round what has no end', async () => {
    const filter = 'filter: { openingBid: { min: "100" } }'
    expect(await groups(`groupBy: [], ${filter}`, 'openingBid { avg median }')).toEqual([
      { openingBid: { avg: '100.005', median: '100.005' } },
    ])
    expect(await groups('groupBy: [], filter: { openingBid: { min: "0.20" } }', 'openingBid { avg median }')).toEqual([
      { openingBid: { avg: '66.736667', median: '100.00' } },
    ])
  })

  test('are grouped by day, by week from Monday, and by month', async () => {
    const byDate = async (by: string) =>
      (await groups(`groupBy: [${by}]`, 'date count')).map((group: { date: string; count: number }) => [
        group.date,
        group.count,
      ])
    expect(await byDate('AUCTION_DATE')).toEqual([
      ['2026-02-28', 1],
      ['2026-03-01', 2],
      ['2026-03-02', 2],
      [null, 2],
    ])
    expect(await byDate('WEEK')).toEqual([
      ['2026-02-23', 3],
      ['2026-03-02', 2],
      [null, 2],
    ])
    expect(await byDate('MONTH')).toEqual([
      ['2026-02-01', 1],
      ['2026-03-01', 4],
      [null, 2],
    ])
  })

  test('are grouped by place, status and type, and together', async () => {
    expect(await groups('groupBy: [STATE]', 'state { code name } county { name } count')).toEqual([
      { state: { code: 'FL', name: 'Florida' }, county: null, count: 4 },
      { state: { code: 'OH', name: 'Ohio' }, county: null, count: 3 },
    ])
    expect(
      await groups(
        'groupBy: [COUNTY, AUCTION_STATUS, AUCTION_TYPE, COUNTY]',
        'state { code } county { name state { code } } auctionStatus auctionType count',
      ),
    ).toEqual([
      {
        state: null,
        county: { name: 'Duval', state: { code: 'FL' } },
        auctionStatus: 'SCHEDULED',
        auctionType: 'FORECLOSURE',
        count: 3,
      },
      {
        state: null,
        county: { name: 'Duval', state: { code: 'FL' } },
        auctionStatus: 'SOLD',
        auctionType: 'TAX_DEED',
        count: 1,
      },
      {
        state: null,
        county: { name: 'Franklin', state: { code: 'OH' } },
        auctionStatus: 'SCHEDULED',
        auctionType: 'FORECLOSURE',
        count: 3,
      },
    ])
  })

  test('count a final judgment once in each group that its case is in', async () => {
    const judged = async (by: string) =>
      (
        await groups(`groupBy: [${by}], filter: { places: [{ state: "FL" }] }`, 'finalJudgmentAmount { count sum }')
      ).map((group: { finalJudgmentAmount: { count: number; sum: string | null } }) => group.finalJudgmentAmount)
    expect(await judged('AUCTION_DATE')).toEqual([
      { count: 1, sum: '1000.00' },
      { count: 1, sum: '1000.00' },
    ])
    expect(await judged('MONTH')).toEqual([{ count: 2, sum: '2000.00' }])
  })

  test('are asked for in several ways at once, within the cost of one operation', async () => {
    const ways = ['STATE', 'MONTH', 'WEEK', 'AUCTION_STATUS', 'AUCTION_TYPE', 'COUNTY', 'STATE, MONTH, AUCTION_TYPE']
    const query = (all: string[]) =>
      `{ ${all.map((by, i) => `by${i}: prospectStatistics(groupBy: [${by}]) { count }`).join(' ')} }`
    expect(Object.keys(await api.ask(query(ways)))).toHaveLength(7)
    expect(await refusalOf(query(Array(6).fill('COUNTY, AUCTION_DATE')))).toMatchObject([{ code: 'COST_LIMIT' }])
  })

  test('are refused where groups would be too many, or make no sense', async () => {
    const refused = async (args: string) => await refusalOf(`{ prospectStatistics(${args}) { count } }`)
    expect(await refused('groupBy: [AUCTION_DATE, MONTH]')).toEqual(issue('groupBy'))
    expect(await refused('groupBy: [STATE], limit: 1')).toEqual(issue('groupBy'))
    expect(await refused('groupBy: [STATE], limit: 0')).toEqual(issue('limit'))
    expect(await refused('groupBy: [STATE], limit: 5001')).toEqual(issue('limit'))
    expect(await refused('groupBy: [STATE], filter: { ids: [] }')).toEqual(issue('filter', 'ids'))
    expect(await groups('groupBy: [STATE], limit: 2')).toHaveLength(2)
  })
})

describe('the filter of prospects', () => {
  const refused = async (filter: string) => await refusalOf(`{ prospects(filter: ${filter}) { nodes { id } } }`)

  test('has at most 8 alternatives, of which none has any, and no empty list anywhere', async () => {
    const one = '{ listed: true }'
    expect(await refused(`{ anyOf: [${Array(8).fill(one).join()}] }`)).toBeUndefined()
    expect(await refused(`{ anyOf: [${Array(9).fill(one).join()}] }`)).toEqual(issue('filter', 'anyOf'))
    expect(await refused(`{ anyOf: [${one}, { anyOf: [${one}] }] }`)).toEqual(issue('filter', 'anyOf', '1', 'anyOf'))
    expect(await refused('{ anyOf: [] }')).toEqual(issue('filter', 'anyOf'))
    expect(await refused('{ anyOf: [{ buyerType: [] }] }')).toEqual(issue('filter', 'anyOf', '0', 'buyerType'))
    expect(await refused('{ anyOf: [{ ids: ["x"] }] }')).toEqual(issue('filter', 'anyOf', '0', 'ids', '0'))
  })

  test('tells everything that is wrong with its texts at once', async () => {
    const long = 'x'.repeat(201)
    const [error] = ((await refused(
      `{ caseNumber: " - ", soldTo: "${long}", search: "${'a '.repeat(17)}", anyOf: [{ parcelId: "" }] }`,
    )) ?? []) as unknown as { issues: { path: string[] }[] }[]
    expect(error?.issues.map((one) => one.path.join('.'))).toEqual([
      'filter.caseNumber',
      'filter.soldTo',
      'filter.search',
      'filter.anyOf.0.parcelId',
    ])
    expect(await refused(String.raw`{ city: "a\u0000" }`)).toEqual(issue('filter', 'city'))
    expect(await refused('{ openingBid: { min: "1e3" } }')).toMatchObject([{ code: 'BAD_USER_INPUT' }])
  })

  test('is that of the prospects of a county and of a job too', async () => {
    const filter = 'filter: { anyOf: [{ openingBid: { max: "0.15" } }, { auctionDate: { undated: true } }] }'
    const order = 'orderBy: { field: OPENING_BID, direction: DESC }'
    const data = await api.ask(`{ counties(state: "FL", search: "Duval") { nodes {
      prospects(${filter}, ${order}) { totalCount nodes { openingBid } } } }
      jobs(first: 1) { nodes { prospects(${filter}, ${order}) { totalCount } } } }`)
    expect(data).toEqual({
      counties: { nodes: [{ prospects: { totalCount: 1, nodes: [{ openingBid: '0.10' }] } }] },
      jobs: { nodes: [{ prospects: { totalCount: 0 } }] },
    })
  })
})
