import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DayRow } from '../../../src/db/prospects/dayRow.ts'
import { groupKey } from '../../../src/db/prospects/lots.ts'
import { MemoryStore } from './memory.ts'
import { sampleRow } from './sample.ts'

const sites = ['a.example.com', 'b.example.com'] as const
type Site = (typeof sites)[number]
interface Shown {
  site: Site
  row: DayRow
}

const saleDate = fc.constantFrom('2026-03-05', '2026-03-06')
const caseNumber = fc.constantFrom('CA-1', 'CA-2', null)

/** Properties that are told apart by parcel, by address alone, or by nothing; each shown by one site or both. */
const properties = fc.array(
  fc.record({
    caseNumber,
    auctionDate: saleDate,
    named: fc.constantFrom('parcel', 'address', 'nothing'),
    shownBy: fc.constantFrom<readonly Site[]>(sites, ['a.example.com'], ['b.example.com']),
  }),
  { minLength: 1, maxLength: 12 },
)

/** The listings of these properties, and how they belong together. */
const listings = properties.map((all) => {
  const shown: Shown[] = []
  const groups: string[][] = []
  for (const [i, { named, shownBy, ...sale }] of all.entries()) {
    const parcelId = named === 'parcel' ? `P-${i}` : named === 'address' ? 'MULTIPLE' : null
    const propertyAddress = named === 'nothing' ? null : `${i} HERON LN`
    const names = shownBy.map((site) => `${site}/${i}`)
    groups.push(...(named === 'nothing' ? names.map((name) => [name]) : [names]))
    for (const site of shownBy) shown.push({ site, row: sampleRow(`${i}`, { ...sale, parcelId, propertyAddress }) })
  }
  return { shown, groups: groups.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)) }
})

describe('the same listings', () => {
  test('end in the same prospects, read in any order and split over any reads', () => {
    const order = fc.infiniteStream(fc.nat({ max: 1000 }))
    const size = fc.integer({ min: 1, max: 5 })
    fc.assert(
      fc.property(listings, order, size, ({ shown, groups }, stream, readSize) => {
        const store = new MemoryStore()
        for (const reads of [shuffled(shown, stream), shuffled(shown, stream)]) {
          for (const read of inReads(reads, readSize)) store.save({ platform: 'REALAUCTION', ...read })
        }
        expect(store.groups()).toEqual(groups)
        for (const prospects of byPlace(store).values()) {
          const lots = prospects.map((one) => one.lot).toSorted((a, b) => a - b)
          expect(lots).toEqual(prospects.map((_, i) => i + 1))
        }
      }),
      { numRuns: 200 },
    )
  })
})

/** Reads of every kind: sisters that look alike, aids given to other cases, dates that move, listings that vanish. */
const anyRow = fc
  .record({
    key: fc.integer({ min: 1, max: 6 }).map(String),
    caseNumber,
    auctionDate: fc.constantFrom('2026-03-05', '2026-03-06', null),
    parcelId: fc.constantFrom('P-1', 'P-2', null),
    propertyAddress: fc.constantFrom('1 HERON LN', null),
  })
  .map(({ key, ...fields }) => sampleRow(key, fields))
const anyRead = fc.record({
  platform: fc.constantFrom('REALAUCTION' as const, 'CIVILVIEW' as const),
  siteKey: fc.constantFrom(...sites),
  rows: fc.uniqueArray(anyRow, { selector: (row) => row.sourceKey, maxLength: 6 }),
  delists: fc.constantFrom('2026-03-05', null, undefined),
})
const anyReads = fc.array(anyRead, { minLength: 1, maxLength: 6 })

describe('after any reads', () => {
  test('no two listings of one site are one prospect, and every place is held once', () => {
    fc.assert(
      fc.property(anyReads, (reads) => {
        const store = new MemoryStore()
        for (const read of reads) {
          const { bindings } = store.save(read)
          expect(new Set(bindings.map((one) => one.prospectId)).size).toBe(read.rows.length)
          const open = store.open()
          expect(new Set(open.map((one) => `${one.siteKey} ${one.prospectId}`)).size).toBe(open.length)
          expect(new Set(open.map((one) => `${one.siteKey} ${one.sourceKey}`)).size).toBe(open.length)
          for (const [place, prospects] of byPlace(store)) {
            expect(new Set(prospects.map((one) => one.lot)).size).toBe(prospects.length)
            expect(Math.max(...prospects.map((one) => one.lot))).toBeLessThanOrEqual(
              store.highest.get(place)?.highest ?? 0,
            )
          }
          for (const listing of open.filter((one) => !one.delisted)) {
            expect(store.prospects.get(listing.prospectId)?.listed).toBe(true)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the last one again changes nothing', () => {
    fc.assert(
      fc.property(anyReads, (reads) => {
        const store = new MemoryStore()
        for (const read of reads) store.save(read)
        const last = reads.at(-1) ?? { siteKey: '', rows: [], platform: 'REALAUCTION' as const }
        const before = [new Map(store.prospects), structuredClone(store.listings)]
        const plan = store.save({ ...last, rows: last.rows.toReversed() })
        expect(plan.lotRequests).toEqual([])
        expect(plan.bindings.every((one) => one.listing !== null)).toBe(true)
        expect([store.prospects, store.listings]).toEqual(before)
      }),
      { numRuns: 200 },
    )
  })

  test('the order of the next page decides nothing about which prospect a row is of', () => {
    fc.assert(
      fc.property(anyReads, anyRead, (reads, next) => {
        const store = new MemoryStore()
        for (const read of reads) store.save(read)
        const known = new Set(store.prospects.keys())
        const outcome = (rows: readonly DayRow[]) =>
          store
            .plan({ ...next, rows })
            .bindings.map(({ row, prospectId }) => `${row.sourceKey} ${known.has(prospectId) ? prospectId : 'new'}`)
            .toSorted()
        expect(outcome(next.rows.toReversed())).toEqual(outcome(next.rows))
      }),
      { numRuns: 200 },
    )
  })
})

describe('a site that shows a property under another source key', () => {
  test('goes on with its prospect, whose fields then come from the new listing', () => {
    const store = new MemoryStore()
    store.save({ platform: 'REALAUCTION', siteKey: sites[0], rows: [sampleRow('1')] })
    const later = sampleRow('2', { auctionStatus: 'CANCELLED' })
    store.save({ platform: 'REALAUCTION', siteKey: sites[0], rows: [later] })
    expect(store.groups()).toEqual([['a.example.com/2']])
    expect([...store.prospects.values()]).toMatchObject([{ auctionStatus: 'CANCELLED', auctionId: '2' }])
  })

  test('and then under both has two prospects', () => {
    const store = new MemoryStore()
    for (const keys of [['1'], ['2'], ['1', '2']]) {
      store.save({ platform: 'REALAUCTION', siteKey: sites[0], rows: keys.map((key) => sampleRow(key)) })
    }
    expect(store.groups()).toEqual([['a.example.com/1'], ['a.example.com/2']])
  })
})

test('a row that was not converted keeps its prospect from being adopted by another of its read', () => {
  const store = new MemoryStore()
  const site = { platform: 'REALAUCTION', siteKey: sites[0] } as const
  store.save({ ...site, rows: [sampleRow('1')] })
  store.save({ ...site, rows: [sampleRow('2')], rejectedKeys: ['1'] })
  expect(store.groups()).toEqual([['a.example.com/1'], ['a.example.com/2']])
})

test('a proved read delists what it did not show, not what it showed or could not convert', () => {
  const store = new MemoryStore()
  const site = { platform: 'REALAUCTION', siteKey: sites[0] } as const
  store.save({ ...site, rows: ['1', '2', '3'].map((key) => sampleRow(key)) })
  const plan = store.save({ ...site, rows: [sampleRow('1')], rejectedKeys: ['2'], delists: '2026-03-05' })
  expect(plan.listings.delist.map((one) => one.sourceKey)).toEqual(['3'])
  expect(plan.listings.rejected.map((one) => one.sourceKey)).toEqual(['2'])
  expect([...store.prospects.values()].map((one) => one.listed)).toEqual([true, true, false])
})

test('a parcel on one side and only an address on the other are the same where the addresses are', () => {
  const store = new MemoryStore()
  store.save({ platform: 'HTML_TABLE', siteKey: sites[0], rows: [sampleRow('1', { parcelId: 'MULTIPLE' })] })
  store.save({ platform: 'HTML_TABLE', siteKey: sites[1], rows: [sampleRow('x')] })
  expect(store.prospects.size).toBe(1)
})

test('two rows with one source key are refused', () => {
  const rows = [sampleRow('1'), sampleRow('1')]
  expect(() => new MemoryStore().save({ platform: 'REALAUCTION', siteKey: sites[0], rows })).toThrow('same source key')
})

function shuffled(shown: readonly Shown[], stream: Iterator<number>): Shown[] {
  return shown
    .map((one) => ({ one, at: Number(stream.next().value) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one)
}

/** Cuts a run of listings into reads of one site each. */
function inReads(shown: readonly Shown[], size: number): { siteKey: string; rows: DayRow[] }[] {
  const reads: { siteKey: string; rows: DayRow[] }[] = []
  for (const { site, row } of shown) {
    const last = reads.at(-1)
    if (last && last.siteKey === site && last.rows.length < size) last.rows.push(row)
    else reads.push({ siteKey: site, rows: [row] })
  }
  return reads
}

function byPlace(store: MemoryStore) {
  return Map.groupBy(store.prospects.values(), groupKey)
}
