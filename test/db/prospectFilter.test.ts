import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ProspectFilter, prospectConditions } from '../../src/db/prospectFilter.ts'
import { prospectPages } from '../../src/db/prospectPages.ts'
import { createTestDatabase } from '../support/database.ts'
import { insertProspects } from '../support/prospects.ts'

const database = await createTestDatabase()
const { db } = database
afterAll(() => database.drop())

beforeAll(async () => {
  await insertProspects(db, [
    {
      auctionId: '1001',
      caseNumber: '2023-CA-000042',
      caseKey: '2023CA000042',
      parcelId: '01-4138-023-0010',
      parcelKey: '0141380230010',
      certificateNumber: '2019/77',
      propertyAddress: '12 OAK LN, UNIT 4',
      city: 'Jacksonville Beach',
      zip: '32250-1234',
      plaintiff: 'First Example Bank',
      defendant: 'ROE, RICHARD',
      soldTo: 'Blue 100% Holdings_LLC',
      buyerType: 'THIRD_PARTY',
      auctionStatus: 'SOLD',
      openingBid: '100.00',
      saleAmount: '250.50',
      finalJudgmentAmount: '200.00',
      assessedValue: '1000.00',
      plaintiffMaxBid: '90.00',
      auctionDate: '2026-03-05',
    },
    {
      auctionId: '1002',
      caseNumber: '23-CV-0042',
      caseSuffix: '2',
      caseKey: '23CV00422',
      countyFips: '39049',
      countyState: 'OH',
      propertyAddress: '7 Elm St',
      city: 'Columbus',
      zip: '43004',
      openingBid: '0.00',
      auctionDate: '2026-03-06',
      listed: false,
      delistedAt: new Date(),
    },
    { auctionId: '1003', caseNumber: '2023-CA-000043', caseKey: '2023CA000043', openingBid: '-5.00', plaintiff: 'X' },
    { auctionId: 'A 1004', defendant: 'first of her name', auctionDate: '2026-03-07', auctionType: 'TAX_DEED' },
  ])
})

/** The auctions that match, by their ids. */
async function matching(filter: ProspectFilter): Promise<string[]> {
  const [page] = await prospectPages(db, [[filter]], { field: 'AUCTION_DATE', direction: 'ASC' }, {})
  return (page?.edges ?? []).map((edge) => edge.node.auctionId ?? '').toSorted((a, b) => a.localeCompare(b))
}

const all = ['1001', '1002', '1003', 'A 1004']

describe('amounts: both ends included, and what has none matches known: false alone', () => {
  test.each<[ProspectFilter, string[]]>([
    [{ openingBid: { min: '0' } }, ['1001', '1002']],
    [{ openingBid: { max: '0' } }, ['1002', '1003']],
    [{ openingBid: { min: '0.00', max: '99.99' } }, ['1002']],
    [{ openingBid: { min: '100', max: '100' } }, ['1001']],
    [{ openingBid: { min: '100.01' } }, []],
    [{ openingBid: { known: true } }, ['1001', '1002', '1003']],
    [{ openingBid: { known: false } }, ['A 1004']],
    [{ openingBid: { known: false, min: '0' } }, []],
    [{ openingBid: {} }, all],
    [{ finalJudgmentAmount: { min: '200' } }, ['1001']],
    [{ assessedValue: { min: '1000' } }, ['1001']],
    [{ plaintiffMaxBid: { max: '90' } }, ['1001']],
    [{ saleAmount: { min: '250.5', max: '250.50' } }, ['1001']],
    [{ surplus: { min: '50.50', max: '50.50' } }, ['1001']],
    [{ surplus: { known: false } }, ['1002', '1003', 'A 1004']],
  ])('%j', async (filter, wanted) => {
    expect(await matching(filter)).toEqual(wanted)
  })
})

describe('numbers are equal after normalising', () => {
  test.each<[ProspectFilter, string[]]>([
    [{ caseNumber: '2023 ca 000042' }, ['1001']],
    [{ caseNumber: '2023CA000042' }, ['1001']],
    [{ caseNumber: '2023-CA-00004' }, []],
    [{ caseNumber: '23-CV-0042' }, ['1002']],
    [{ caseNumber: '23 cv 0042 (2)' }, ['1002']],
    [{ caseNumber: '23-CV-0042 (3)' }, []],
    [{ parcelId: '0141380230010' }, ['1001']],
    [{ parcelId: '01.4138.023.0010' }, ['1001']],
    [{ parcelId: '4138' }, []],
    [{ certificateNumber: '2019-77' }, ['1001']],
    [{ auctionId: 'a1004' }, ['A 1004']],
    [{ auctionId: '100' }, []],
  ])('%j', async (filter, wanted) => {
    expect(await matching(filter)).toEqual(wanted)
  })
})

describe('texts are contained, without case', () => {
  test.each<[ProspectFilter, string[]]>([
    [{ city: 'jacksonville' }, ['1001']],
    [{ city: 'BEACH' }, ['1001']],
    [{ zip: '32250' }, ['1001']],
    [{ soldTo: 'blue' }, ['1001']],
    [{ soldTo: '100%' }, ['1001']],
    [{ soldTo: '%' }, ['1001']],
    [{ soldTo: 's_L' }, ['1001']],
    [{ soldTo: 'e_1' }, []],
    [{ buyerType: ['PLAINTIFF', 'THIRD_PARTY'] }, ['1001']],
    [{ listed: false }, ['1002']],
  ])('%j', async (filter, wanted) => {
    expect(await matching(filter)).toEqual(wanted)
  })
})

describe('every word of a search is in the address, case number, parcel, parties or buyer', () => {
  test.each<[string, string[]]>([
    ['oak', ['1001']],
    ['OAK  12', ['1001']],
    ['oak richard', ['1001']],
    ['oak elm', []],
    ['first', ['1001', 'A 1004']],
    ['bank first', ['1001']],
    ['2023-ca', ['1001', '1003']],
    ['2023CA000042', ['1001']],
    ['0141380230010', ['1001']],
    ['4138-023', ['1001']],
    ['holdings_', ['1001']],
    ['columbus', ['1002']],
    ['100% blue', ['1001']],
    ['%', ['1001']],
    ["o'k; drop table prospects --", []],
    ['  ', all],
  ])('%s', async (search, wanted) => {
    expect(await matching({ search })).toEqual(wanted)
  })
})

describe('anyOf is ORed within and ANDed with the rest', () => {
  test.each<[ProspectFilter, string[]]>([
    [{ anyOf: [{ zip: '43004' }, { openingBid: { known: false } }] }, ['1002', 'A 1004']],
    [{ anyOf: [{ zip: '43004' }, { openingBid: { known: false } }], auctionType: ['TAX_DEED'] }, ['A 1004']],
    [{ anyOf: [{ auctionStatus: ['SOLD'], zip: '43004' }] }, []],
    [{ anyOf: [{ auctionStatus: ['SOLD'], zip: '43004' }, {}] }, all],
    [{ anyOf: [{ auctionDate: { undated: true } }, { auctionDate: { to: '2026-03-05' } }] }, ['1001', '1003']],
    [{ anyOf: [{ places: [{ state: 'OH' }] }, { places: [{ fips: '12031' }], search: 'oak' }] }, ['1001', '1002']],
  ])('%j', async (filter, wanted) => {
    expect(await matching(filter)).toEqual(wanted)
  })
})

test('numbers and words are found by an index', async () => {
  const planOf = async (filter: ProspectFilter) =>
    await db.transaction().execute(async (trx) => {
      // There are four rows: what is asked is whether it can be an index at all.
      await sql`set local enable_seqscan = off`.execute(trx)
      const conditions = sql.join(prospectConditions(filter), sql` and `)
      const { rows } = await sql<object>`explain select * from prospects where ${conditions}`.execute(trx)
      return rows.map((row) => String(Object.values(row)[0])).join('\n')
    })
  expect(await planOf({ caseNumber: '2023-CA-000042' })).toContain('prospects_case_number')
  expect(await planOf({ caseNumber: '23-CV-0042 (2)' })).toContain('prospects_case_number')
  expect(await planOf({ parcelId: '01-4138' })).toContain('prospects_parcel_id')
  expect(await planOf({ certificateNumber: '77' })).toContain('prospects_certificate_number')
  expect(await planOf({ auctionId: '1001' })).toContain('prospects_auction_id')
  // Where the server has no trigrams, words are looked for in every row.
  const trigrams = await sql`select from pg_extension where extname = 'pg_trgm'`.execute(db)
  const words = trigrams.rows.length > 0 ? 'prospects_words' : 'Seq Scan'
  expect(await planOf({ search: 'richard oak' })).toContain(words)
})
