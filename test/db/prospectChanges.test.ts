import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RefusedInputError } from '../../src/db/pages.ts'
import {
  CursorExpiredError,
  keptPositions,
  locate,
  matchesChange,
  type ProspectChangeFilter,
  positionOf,
  prospectChangePage,
  readChanges,
} from '../../src/db/prospectChanges.ts'
import { changeCursor, changePages } from '../../src/db/prospectDetails.ts'
import type { JobRow, ProspectRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import { changed, record } from '../support/changes.ts'
import { createTestDatabase } from '../support/database.ts'
import { insertProspects } from '../support/prospects.ts'
import { insertJob, insertSite } from '../support/rows.ts'

const database = await createTestDatabase()
const { db } = database
afterAll(() => database.drop())

let site: ScrapeUrlRow
let texan: ScrapeUrlRow
let jobs: [JobRow, JobRow]
let prospects: [ProspectRow, ProspectRow]

beforeAll(async () => {
  site = await insertSite(db)
  const county = { fips: '48201', stateCode: 'TX', name: 'Harris', timezone: 'America/Chicago' }
  texan = await insertSite(db, { county })
  jobs = [
    await insertJob(db, site, { startDate: '2026-03-16' }),
    await insertJob(db, texan, { startDate: '2026-03-16' }),
  ]
  prospects = (await insertProspects(db, [
    {},
    { countyFips: '48201', countyState: 'TX', auctionType: 'TAX_DEED' },
  ])) as typeof prospects
  const [here, there] = [
    { scrapeUrlId: site.id, jobId: jobs[0].id, at: new Date('2026-03-01T10:00:00Z') },
    { scrapeUrlId: texan.id, jobId: jobs[1].id, at: new Date('2026-03-02T10:00:00Z') },
  ]
  const created = [changed('auctionStatus', null, 'SCHEDULED'), changed('openingBid', null, '100.00')]
  await record(db, prospects[0], [{ kind: 'CREATED', fields: created }], here)
  await record(db, prospects[1], [{ kind: 'CREATED', fields: [changed('auctionStatus', null, 'SOLD')] }], there)
  const sold = { kind: 'UPDATED' as const, fields: [changed('auctionStatus', 'SCHEDULED', 'SOLD')] }
  const bid = { kind: 'UPDATED' as const, fields: [changed('openingBid', '100.00', '120.00')] }
  const gone = { kind: 'DELISTED' as const, fields: [changed('listed', 'true', 'false')] }
  await record(db, prospects[0], [bid, sold], { ...here, at: new Date('2026-03-03T10:00:00Z') })
  // Saved before the last one, and committed after it.
  await record(db, prospects[1], [gone], { ...there, at: new Date('2026-03-03T09:59:59Z') })
})

const positions = (rows: readonly { position: number }[]) => rows.map((row) => row.position)
const page = async (filter: ProspectChangeFilter = {}, since: Date | null = null, args = {}) =>
  positions((await prospectChangePage(db, filter, since, args)).edges.map((edge) => edge.node))

describe('the filter of changes', () => {
  const table: [string, () => ProspectChangeFilter, number[]][] = [
    ['nothing', () => ({}), [1, 2, 3, 4, 5]],
    ['a state', () => ({ places: [{ state: 'tx' }] }), [2, 5]],
    ['a county by its names', () => ({ places: [{ state: 'FL', county: 'DUVAL' }] }), [1, 3, 4]],
    ['a county by its code or a state', () => ({ places: [{ fips: '48201' }, { state: 'GA' }] }), [2, 5]],
    ['a place that is not there', () => ({ places: [{ state: 'ZZ' }] }), []],
    ['scrape URLs', () => ({ scrapeUrlIds: [texan.id] }), [2, 5]],
    ['prospects', () => ({ prospectIds: [prospects[0].id] }), [1, 3, 4]],
    ['a job', () => ({ jobId: jobs[1].id }), [2, 5]],
    ['a type', () => ({ auctionType: ['FORECLOSURE', 'OTHER'] }), [1, 3, 4]],
    ['kinds', () => ({ kind: ['DELISTED', 'RELISTED'] }), [5]],
    ['a field', () => ({ fields: ['openingBid'] }), [1, 3]],
    ['one of some fields', () => ({ fields: ['listed', 'openingBid'] }), [1, 3, 5]],
    ['a field that does not exist', () => ({ fields: ["' or true"] }), []],
    ['a status it had', () => ({ statusFrom: ['SCHEDULED', 'RUNNING'] }), [4]],
    ['a status it got', () => ({ statusTo: ['SOLD'] }), [2, 4]],
    ['both', () => ({ statusFrom: ['SCHEDULED'], statusTo: ['SOLD'] }), [4]],
    ['everything at once', () => ({ kind: ['UPDATED'], statusTo: ['SOLD'], places: [{ state: 'FL' }] }), [4]],
  ]
  test.each(table)(
    '%s: the same in the list, for a reader that is behind, and in memory',
    async (_what, given, wanted) => {
      const filter = given()
      expect(await page(filter)).toEqual(wanted)
      expect(positions(await readChanges(db, filter, { after: 0, upTo: 99, limit: 99 }))).toEqual(wanted)
      const all = await readChanges(db, {}, { after: 0, upTo: 99, limit: 99 })
      const located = await locate(db, filter)
      expect(positions(all.filter((row) => matchesChange(located, row)))).toEqual(wanted)
    },
  )
})

describe('the list of changes', () => {
  test('runs in the order of the commits, page by page', async () => {
    const first = await prospectChangePage(db, {}, null, { first: 2 })
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    const second = await prospectChangePage(db, {}, null, { first: 3, after: first.pageInfo.endCursor })
    expect([...first.edges, ...second.edges].map((edge) => edge.node.position)).toEqual([1, 2, 3, 4, 5])
    expect(second.pageInfo.hasNextPage).toBe(false)
  })

  test.each([
    ['2026-03-01T00:00:00Z', [1, 2, 3, 4, 5]],
    ['2026-03-02T10:00:00Z', [2, 3, 4, 5]],
    ['2026-03-03T09:59:58Z', [3, 4, 5]],
    ['2026-03-03T10:00:00Z', [3, 4]],
    ['2026-03-04T00:00:00Z', []],
  ])('since %s', async (since, wanted) => {
    expect(await page({}, new Date(since))).toEqual(wanted)
  })

  test('has the cursors of every other list of changes, and of the changes themselves', async () => {
    const own = (await prospectChangePage(db, { prospectIds: [prospects[0].id] }, null, {})).edges
    const [ofProspect] = await changePages(db, [prospects[0].id], {})
    expect(ofProspect?.edges.toReversed()).toEqual(own)
    expect(own.map((edge) => edge.cursor)).toEqual(own.map((edge) => changeCursor(edge.node)))
  })
})

describe('a cursor', () => {
  const cursor = (position: number) => changeCursor({ position } as Parameters<typeof changeCursor>[0])

  test('stands for its position, the newest included', async () => {
    expect(await keptPositions(db)).toEqual({ oldest: 1, newest: 5 })
    for (const position of [0, 3, 5]) expect(await positionOf(db, cursor(position))).toBe(position)
  })

  test.each([
    ['is beyond the newest change', cursor(6)],
    ['is no cursor', 'bm9wZQ'],
    ['is of another list', Buffer.from('{"o":"AUCTION_DATE_ASC","k":[0,"2026-03-01",1]}').toString('base64url')],
  ])('that %s is refused', async (_what, forged) => {
    await expect(positionOf(db, forged)).rejects.toThrow(RefusedInputError)
  })

  test('with changes after it that are gone has expired, for the list and for a reader', async () => {
    const own = await createTestDatabase()
    try {
      const there = await insertSite(own.db)
      const job = await insertJob(own.db, there, { startDate: '2026-03-16' })
      const [prospect] = (await insertProspects(own.db, [{}])) as [ProspectRow]
      const fields = [changed('city', 'A', 'B')]
      for (let i = 0; i < 4; i += 1) {
        await record(own.db, prospect, [{ kind: 'UPDATED', fields }], { scrapeUrlId: there.id, jobId: job.id })
      }
      await own.db.deleteFrom('prospectChanges').where('position', '<=', 2).execute()
      await expect(positionOf(own.db, cursor(1))).rejects.toThrow(CursorExpiredError)
      await expect(prospectChangePage(own.db, {}, null, { after: cursor(1) })).rejects.toThrow(CursorExpiredError)
      await expect(readChanges(own.db, {}, { after: 1, upTo: 4, limit: 9 })).rejects.toThrow(CursorExpiredError)
      expect(await positionOf(own.db, cursor(2))).toBe(2)
      await own.db.deleteFrom('prospectChanges').execute()
      await expect(positionOf(own.db, cursor(3))).rejects.toThrow(CursorExpiredError)
      expect(await positionOf(own.db, cursor(4))).toBe(4)
    } finally {
      await own.drop()
    }
  })
})

describe('with a long history', () => {
  beforeAll(async () => {
    await sql`
      insert into prospect_changes (position, prospect_id, county_fips, scrape_url_id, job_id, at, kind, auction_type, fields)
      select n, ${prospects[0].id}, '12031', ${site.id}, ${jobs[0].id}, '2026-03-03T10:00:00Z'::timestamptz + n * interval '1 minute',
        'UPDATED', 'FORECLOSURE', '[]' from generate_series(6, 30000) n`.execute(db)
    await sql`update prospect_change_counter set position = 30000`.execute(db)
    await sql`analyze prospect_changes`.execute(db)
  })

  /** The plan of the statement that the page is read with. */
  async function planOf(filter: ProspectChangeFilter, since: Date | null): Promise<string> {
    const { all } = await prospectChangePage(db, filter, since, {})
    const { rows } = await sql<
      Record<string, string>
    >`explain ${all} order by prospect_changes.position limit 51`.execute(db)
    return rows.map((row) => Object.values(row)[0]).join('\n')
  }

  test.each<[string, () => ProspectChangeFilter, RegExp]>([
    ['all', () => ({}), /Index Scan using prospect_changes_pkey/],
    ['of a county', () => ({ places: [{ fips: '48201' }] }), /prospect_changes_county/],
    ['of a site', () => ({ scrapeUrlIds: [texan.id] }), /prospect_changes_site/],
    ['of a prospect', () => ({ prospectIds: [prospects[1].id] }), /prospect_changes_prospect/],
    ['of a job', () => ({ jobId: jobs[1].id }), /prospect_changes_job/],
  ])('changes %s are found by an index', async (_what, filter, index) => {
    const plan = await planOf(filter(), null)
    expect(plan).toMatch(index)
    expect(plan).not.toContain('Seq Scan on prospect_changes')
  })

  test('changes since an instant are walked from the first of them', async () => {
    const plan = await planOf({}, new Date('2026-03-20T00:00:00Z'))
    expect(plan).toMatch(/prospect_changes_at/)
    expect(plan).not.toContain('Seq Scan')
    expect((await page({}, new Date('2026-03-20T00:00:00Z'), { first: 2 })).length).toBe(2)
  })
})
