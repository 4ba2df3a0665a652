import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page, PageArgs } from '../../src/db/pages.ts'
import { countRows, encodeCursor, RefusedInputError } from '../../src/db/pages.ts'
import type { ProspectFilter } from '../../src/db/prospectFilter.ts'
import type { ProspectOrder } from '../../src/db/prospectOrder.ts'
import { prospectPages } from '../../src/db/prospectPages.ts'
import type { ProspectRow } from '../../src/db/tables.ts'
import { createTestDatabase } from '../support/database.ts'
import { insertProspects } from '../support/prospects.ts'

const database = await createTestDatabase()
const { db } = database
afterAll(() => database.drop())

const ascending: ProspectOrder = { field: 'AUCTION_DATE', direction: 'ASC' }
const fields = ['AUCTION_DATE', 'FIRST_SEEN_AT', 'UPDATED_AT', 'OPENING_BID', 'COUNTY'] as const
const orders: ProspectOrder[] = fields.flatMap((field) => [
  { field, direction: 'ASC' as const },
  { field, direction: 'DESC' as const },
])

async function page(args: PageArgs, order = ascending, filter: ProspectFilter = {}): Promise<Page<ProspectRow>> {
  const [only] = await prospectPages(db, [[filter]], order, args)
  if (!only) throw new Error('no page')
  return only
}

beforeAll(async () => {
  // Dates and bids that are shared, alone and missing, so that all parts of the orders and their seams are walked.
  const dates = ['2026-03-05', '2026-03-06', '2026-03-06', '2026-03-09', null, null]
  const bids = ['100.00', null, '100.00', '-5.50', '100.00', null]
  // By state and name, which is not the order of their codes.
  const counties = [
    { countyFips: '01001', countyState: 'AL' },
    { countyFips: '12031', countyState: 'FL' },
    { countyFips: '02013', countyState: 'AK' },
  ]
  await insertProspects(
    db,
    dates.map((auctionDate, i) => ({
      ...counties[i % 3],
      auctionDate,
      openingBid: bids[i] ?? null,
      finalJudgmentAmount: i < 5 ? `${i}.00` : null,
      assessedValue: bids[i] ?? null,
      saleAmount: bids[i] ?? null,
      auctionStatus: bids[i] ? ('SOLD' as const) : ('SCHEDULED' as const),
      firstSeenAt: new Date(Date.UTC(2026, 0, 1 + (i % 2))),
      updatedAt: new Date(Date.UTC(2026, 0, 9 - (i % 3))),
    })),
  )
})

/** What Relay's algorithm makes of the whole list. */
function model(all: { cursor: string; id: string }[], args: PageArgs) {
  const after = all.findIndex((edge) => edge.cursor === args.after)
  const before = all.findIndex((edge) => edge.cursor === args.before)
  let edges = all.slice(args.after ? after + 1 : 0, args.before ? before : undefined)
  const cut = (size: number) => edges.length > size
  const first = args.last == null ? (args.first ?? 50) : null
  let hasNextPage = args.before != null
  let hasPreviousPage = args.after != null
  if (first !== null) {
    hasNextPage = cut(first)
    edges = edges.slice(0, first)
  } else {
    hasPreviousPage = cut(args.last ?? 0)
    edges = args.last === 0 ? [] : edges.slice(-(args.last ?? 0))
  }
  return { ids: edges.map((edge) => edge.id), hasNextPage, hasPreviousPage }
}

describe.each(orders)('in the order $field $direction', (order) => {
  test('every page, forwards and backwards, between any two cursors, is the one of the Relay algorithm', async () => {
    const whole = await page({ first: 200 }, order)
    const all = whole.edges.map((edge) => ({ cursor: edge.cursor, id: edge.node.id }))
    expect(all).toHaveLength(6)
    const cursors = [null, ...all.map((edge) => edge.cursor)]
    for (const after of cursors) {
      for (const before of cursors) {
        for (const size of [{}, { first: 0 }, { first: 2 }, { first: 6 }, { last: 0 }, { last: 1 }, { last: 3 }]) {
          // After a cursor and before one that does not follow it there is nothing, which the model's slice tells too.
          const args = { ...size, after, before }
          const { edges, pageInfo } = await page(args, order)
          const wanted = model(all, args)
          expect({ args, ids: edges.map((edge) => edge.node.id) }).toEqual({ args, ids: wanted.ids })
          expect({ args, ...pageInfo }).toEqual({
            args,
            hasNextPage: wanted.hasNextPage,
            hasPreviousPage: wanted.hasPreviousPage,
            startCursor: edges[0]?.cursor ?? null,
            endCursor: edges.at(-1)?.cursor ?? null,
          })
        }
      }
    }
  })
})

test.each(['ASC', 'DESC'] as const)('%s: by date, and rows without one last', async (direction) => {
  const { edges } = await page({}, { field: 'AUCTION_DATE', direction })
  const known = ['2026-03-05', '2026-03-06', '2026-03-06', '2026-03-09']
  const wanted = direction === 'ASC' ? known : known.toReversed()
  expect(edges.map((edge) => edge.node.auctionDate)).toEqual([...wanted, null, null])
})

test.each(['ASC', 'DESC'] as const)(
  '%s: what was seen at one instant is by date, rows without one last',
  async (direction) => {
    const { edges } = await page({}, { field: 'FIRST_SEEN_AT', direction })
    const even = ['2026-03-05', '2026-03-06']
    const odd = ['2026-03-06', '2026-03-09']
    const wanted =
      direction === 'ASC' ? [...even, null, ...odd, null] : [...odd.toReversed(), null, ...even.toReversed(), null]
    expect(edges.map((edge) => edge.node.auctionDate)).toEqual(wanted)
  },
)

test.each(['ASC', 'DESC'] as const)('%s: by bid, ties by date, and rows without a bid last', async (direction) => {
  const { edges } = await page({}, { field: 'OPENING_BID', direction })
  const known = [
    ['100.00', '2026-03-05'],
    ['100.00', '2026-03-06'],
  ]
  const hundred = direction === 'ASC' ? known : known.toReversed()
  const bids = [...hundred, ['100.00', null]]
  expect(edges.map((edge) => [edge.node.openingBid, edge.node.auctionDate])).toEqual([
    ...(direction === 'ASC' ? [['-5.50', '2026-03-09'], ...bids] : [...bids, ['-5.50', '2026-03-09']]),
    [null, '2026-03-06'],
    [null, null],
  ])
})

test.each(['ASC', 'DESC'] as const)(
  '%s: by state and county, ties by date, rows without one last',
  async (direction) => {
    const { edges } = await page({}, { field: 'COUNTY', direction })
    const alaska = [
      ['AK', '2026-03-06'],
      ['AK', null],
    ]
    const alabama = [
      ['AL', '2026-03-05'],
      ['AL', '2026-03-09'],
    ]
    const florida = [
      ['FL', '2026-03-06'],
      ['FL', null],
    ]
    const wanted = direction === 'ASC' ? [alaska, alabama, florida] : [florida, alabama.toReversed(), alaska]
    expect(edges.map((edge) => [edge.node.countyState, edge.node.auctionDate])).toEqual(wanted.flat())
  },
)

test.each([
  ['FINAL_JUDGMENT_AMOUNT', 'finalJudgmentAmount', ['4.00', '3.00', '2.00', '1.00', '0.00', null]],
  ['ASSESSED_VALUE', 'assessedValue', ['100.00', '100.00', '100.00', '-5.50', null, null]],
  ['SALE_AMOUNT', 'saleAmount', ['100.00', '100.00', '100.00', '-5.50', null, null]],
  ['SURPLUS', 'surplus', ['98.00', '96.00', '-8.50', null, null, null]],
] as const)('by %s, what has none last', async (field, column, wanted) => {
  const { edges } = await page({}, { field, direction: 'DESC' })
  expect(edges.map((edge) => edge.node[column])).toEqual(wanted)
  const next = await page({ first: 2, after: edges[2]?.cursor }, { field, direction: 'DESC' })
  expect(next.edges.map((edge) => edge.cursor)).toEqual(edges.slice(3, 5).map((edge) => edge.cursor))
})

test('a prospect is sorted under the name that its county has now', async () => {
  const sorted = async () =>
    (await db.selectFrom('prospects').select('countySort').where('countyFips', '=', '02013').execute())[0]?.countySort
  expect(await sorted()).toBe('AK aleutians east')
  await db.updateTable('counties').set({ name: 'Zeta' }).where('fips', '=', '02013').execute()
  expect(await sorted()).toBe('AK zeta')
})

test('the pages of many parents are the pages of each', async () => {
  const filters: ProspectFilter[][] = [
    [{ auctionDate: { undated: true } }],
    [{ auctionDate: { from: '2026-03-06' } }],
    [{}],
    [{ auctionStatus: ['SOLD'] }],
  ]
  for (const args of [{ first: 2 }, { last: 3 }, { first: 0 }]) {
    const together = await prospectPages(db, filters, ascending, args)
    for (const [i, one] of filters.entries()) {
      const [alone] = await prospectPages(db, [one], ascending, args)
      const summary = (read: Page<ProspectRow> | undefined) => ({
        ids: read?.edges.map((edge) => edge.node.id),
        rows: read?.edges.map((edge) => edge.node),
        info: read?.pageInfo,
      })
      expect(summary(together[i])).toEqual(summary(alone))
    }
  }
})

test('the count is of all rows behind the page, whatever its size', async () => {
  const pages = await prospectPages(db, [[{}], [{ auctionDate: { undated: true } }]], ascending, { first: 1 })
  expect(
    await countRows(
      db,
      pages.map((one) => one.all),
    ),
  ).toEqual([6, 2])
})

describe('refused, never clamped', () => {
  const place = encodeCursor('AUCTION_DATE_ASC', 0, ['2026-03-05', '00000000-0000-0000-0000-000000000000'])
  test.each<[string, PageArgs, string[]]>([
    ['more than 200', { first: 201 }, ['first']],
    ['a negative first', { first: -1 }, ['first']],
    ['a negative last', { last: -1 }, ['last']],
    ['first and last together', { first: 1, last: 1 }, ['first']],
    ['everything that is wrong at once', { first: 201, last: -1, after: '?' }, ['first', 'last', 'first', 'after']],
    ['a cursor that is no JSON', { after: 'bm9wZQ' }, ['after']],
    ['a cursor of another shape', { after: Buffer.from('{"o":1}').toString('base64url') }, ['after']],
    ['a cursor that is null', { after: Buffer.from('null').toString('base64url') }, ['after']],
    ['a cursor of another order', { before: encodeCursor('UPDATED_AT_ASC', 0, []) }, ['before']],
    ['a cursor of another part', { after: encodeCursor('AUCTION_DATE_ASC', 2, ['x']) }, ['after']],
    ['a cursor with too few keys', { after: encodeCursor('AUCTION_DATE_ASC', 0, ['2026-03-05']) }, ['after']],
    ['a day that is none', { after: encodeCursor('AUCTION_DATE_ASC', 0, ['2026-02-30', place]) }, ['after']],
    ['a key that is no UUID', { after: encodeCursor('AUCTION_DATE_ASC', 1, ["1'; drop table jobs"]) }, ['after']],
  ])('%s', async (_what, args, paths) => {
    const error = await page(args).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(RefusedInputError)
    expect((error as RefusedInputError).issues.map((issue) => issue.path[0])).toEqual(paths)
  })

  test.each(['NaN', '1e5', '', '1.000', "0.00'"])('an amount that is none: %s', async (amount) => {
    const after = encodeCursor('OPENING_BID_ASC', 0, [amount, '2026-03-05', '00000000-0000-0000-0000-000000000000'])
    await expect(page({ after }, { field: 'OPENING_BID', direction: 'ASC' })).rejects.toThrow(RefusedInputError)
  })

  test('a well-formed cursor of a row that is not there is a place all the same', async () => {
    expect((await page({ after: place })).edges).toHaveLength(6)
  })
})

test('a deep page walks the index from its cursor and sorts nothing', async () => {
  await insertProspects(
    db,
    Array.from({ length: 2_000 }, (_, i) => ({
      auctionDate: new Date(Date.UTC(2026, 3, 1) + (i % 400) * 86_400_000).toISOString().slice(0, 10),
      caseKey: `CASE${i}`,
      lot: 1,
    })),
  )
  await sql`analyze prospects`.execute(db)
  const after = encodeCursor('AUCTION_DATE_ASC', 0, ['2027-01-01', '00000000-0000-0000-0000-000000000000'])
  const { edges } = await page({ after, first: 10 })
  expect(edges).toHaveLength(10)
  const all = sql`select * from prospects where auction_date is not null
    and (auction_date, id) > ('2027-01-01'::date, '00000000-0000-0000-0000-000000000000'::uuid)
    order by auction_date, id limit 11`
  const plan = await sql<{ queryPlan: string }>`explain ${all}`.execute(db)
  const text = plan.rows.map((row) => Object.values(row)[0]).join('\n')
  expect(text).toContain('Index Scan using prospects_date')
  expect(text).toMatch(/Index Cond: .*ROW\(auction_date, id\) > ROW/)
  expect(text).not.toContain('Sort')
})
