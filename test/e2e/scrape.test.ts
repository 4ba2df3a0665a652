import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import type { SampleDay } from '../../src/demo/site/types.ts'
import { browserPatienceMs, testBrowser } from '../support/browser.ts'
import { readCsv } from '../support/csv.ts'
import { expectedProspect } from '../support/expectedProspect.ts'
import { type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import type { EndedJob } from '../support/gavelClient.ts'
import { day, sale, today } from '../support/sampleDays.ts'

// Whole processes start and stop here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

/** Florida, Ohio, Pennsylvania and Texas by their labels. The first day and tomorrow are without a sale. */
const days = [
  sale(-4, 33, 'FC', 3),
  sale(-3, 14, 'SHERIFF'),
  sale(-2, 12, 'TD'),
  sale(-1, 34, 'SHERIFF'),
  sale(0, 14, 'BOTH'),
  sale(2, 31),
  sale(3, 9, 'SHERIFF', 2),
]
const total = 147
const range = { startDate: day(-5), endDate: day(3) }
const counties = { HTTP: { state: 'OH', name: 'Montgomery' }, BROWSER: { state: 'OH', name: 'Franklin' } } as const

const prospectsQuery = /* GraphQL */ `
  query Prospects($id: ID!) {
    prospects(filter: { scrapeUrlIds: [$id] }, first: 200) {
      nodes {
        auctionId caseNumber caseSuffix lot auctionDate startsAt timeText auctionStatus auctionStatusText auctionType
        auctionTypeText propertyAddress city stateCode zip parcelId parcelUrl caseUrl legalDescription finalJudgmentAmount
        plaintiffMaxBid assessedValue assessedValueLabel openingBid depositAmount saleAmount soldAt soldTo buyerType surplus
        plaintiff defendant attorney certificateNumber saleNumber rawData listed
        updatedAt firstSeenAt lastSeenAt job { id } listings { sourceKey delistedAt } changes { nodes { kind } }
      }
      pageInfo { hasNextPage }
    }
  }
`

// oxlint-disable-next-line typescript/no-explicit-any -- an answer, compared with what is expected
type Stored = Record<string, any>

let sites: Record<keyof typeof counties, SampleSite>
let gavel: Gavel
let node: GavelNode

beforeAll(async () => {
  await testBrowser()
  sites = { HTTP: await startSampleSite({ days, today }), BROWSER: await startSampleSite({ days, today }) }
  gavel = await openGavel([sites.HTTP, sites.BROWSER], { GAVEL_WORKERS: '2' })
  node = await gavel.serve()
}, browserPatienceMs)

afterAll(async () => {
  await gavel.close()
  await Promise.all([sites.HTTP.close(), sites.BROWSER.close()])
})

test('the sample has days of more than 30 listings, days of one page, all templates and sister parcels', () => {
  const items = days.flatMap((one) => one.items)
  expect(days.filter((one) => one.items.length > 30)).toHaveLength(3)
  expect(new Set(items.map(({ template }) => template))).toEqual(new Set(['td', 'th', 'div']))
  expect(new Set(items.map(({ area }) => area))).toEqual(new Set(['W', 'R', 'C']))
  const labels = new Set(items.flatMap(({ fields }) => fields.map(({ label }) => label)))
  const wanted = ['Property App. Market Value:', 'Deposit Requirement:', 'Parcel Key:', 'Cause Number:', 'Case Status:']
  expect(wanted.filter((label) => !labels.has(label))).toEqual([])
  expect(sisters(days).length).toBeGreaterThan(0)
})

describe.each(['HTTP', 'BROWSER'] as const)('a scrape over %s', (transport) => {
  let scrapeUrlId: string
  let job: EndedJob
  let stored: Stored[]

  beforeAll(async () => {
    scrapeUrlId = await node.saveSite(sites[transport], {
      county: counties[transport],
      auctionType: 'SHERIFF_SALE',
      transport,
    })
    job = await node.untilEnded(await node.submit({ scrapeUrlId, ...range }), 50_000)
    stored = await storedProspects(scrapeUrlId)
  })

  test('completes every day with its proof', () => {
    expect(job).toMatchObject({ status: 'COMPLETED', attempt: 1, errors: { nodes: [] }, result: { success: true } })
    expect(
      job.days.map(({ date, outcome, proof, expected, saved, rejected }) => ({
        date,
        outcome,
        proof,
        expected,
        saved,
        rejected,
      })),
    ).toEqual(
      [-5, -4, -3, -2, -1, 0, 1, 2, 3].map((fromToday) => {
        const held = days.find(({ date }) => date === day(fromToday))?.items.length
        return held === undefined
          ? {
              date: day(fromToday),
              outcome: 'EMPTY',
              proof: 'CALENDAR',
              expected: null,
              saved: 0,
              rejected: 0,
            }
          : { date: day(fromToday), outcome: 'COMPLETE', proof: 'ID_LIST', expected: held, saved: held, rejected: 0 }
      }),
    )
    expect(job.result.rowsCollected).toBe(total)
  })

  test('stores every listing with every field', () => {
    const expected = days.flatMap((one) => one.items.map((item) => expectedProspect(item, one)))
    expect(stored.map(aidOf).toSorted(byText)).toEqual(expected.map(aidOf).toSorted(byText))
    for (const one of expected) expect(byAid(stored, one['auctionId'])).toMatchObject(one)
  })

  test('gives the parcels of one case on one day lots of their own, and each prospect one listing', () => {
    for (const aids of sisters(days)) {
      const lots = aids.map((aid) => byAid(stored, aid)?.['lot'])
      expect(lots.toSorted((a, b) => a - b)).toEqual(aids.map((_, i) => i + 1))
    }
    for (const one of stored) expect(one['listings']).toEqual([{ sourceKey: one['auctionId'], delistedAt: null }])
  })

  test('writes a CSV file that holds them', async () => {
    const { state, name } = counties[transport]
    const files = (await readdir(gavel.csvDir)).filter((file) => file.startsWith(`${state}_${name}_`))
    expect(files).toEqual([expect.stringMatching(/^OH_[A-Z][a-z]+_[0-9a-f-]{36}\.csv$/)])
    const file = await readFile(join(gavel.csvDir, files[0] ?? ''), 'utf8')
    const rows = readCsv(file)
    expect(rows.map(aidOf).toSorted(byText)).toEqual(stored.map(aidOf).toSorted(byText))
    for (const row of rows) {
      const one = byAid(stored, row['auctionId']) ?? {}
      for (const name of ['caseNumber', 'auctionStatus', 'city', 'finalJudgmentAmount', 'saleAmount', 'openingBid']) {
        expect(row[name]).toBe(one[name] ?? '')
      }
      // A parcel such as -- or +1 would be a formula to a spreadsheet.
      expect(row['parcelId']?.replace(/^'/, '')).toBe(one['parcelId'] ?? '')
      const labelled: { label: string; value: string }[] = one['rawData'].fields
      const missing = labelled.filter(({ label, value }) => label !== '' && !row[label]?.includes(value))
      expect(missing).toEqual([])
    }
    const query = 'query ($id: ID!) { job(id: $id) { result { csvUrl } } }'
    const { result } = (await node.ask(query, { id: job.id })).job
    expect(await (await fetch(result.csvUrl)).text()).toBe(file)
  })

  test('run again on the same days changes nothing but when and by whom they were seen last', async () => {
    const changes = await countChanges()
    const again = await node.untilEnded(await node.submit({ scrapeUrlId, ...range }), 50_000)
    expect(again.status).toBe('COMPLETED')
    expect(again.days.reduce((sum, one) => sum + one.unchanged, 0)).toBe(total)
    expect(again.days.every((one) => one.created === 0 && one.updated === 0)).toBe(true)
    expect(await countChanges()).toBe(changes)
    const after = await storedProspects(scrapeUrlId)
    expect(after).toHaveLength(stored.length)
    for (const one of after) {
      const before = byAid(stored, one['auctionId']) ?? {}
      expect(one).toEqual({ ...before, lastSeenAt: expect.any(String), job: { id: again.id } })
      expect(Date.parse(one['lastSeenAt'])).toBeGreaterThan(Date.parse(before['lastSeenAt']))
      expect(one['changes'].nodes).toEqual([{ kind: 'CREATED' }])
    }
  })
})

test('both transports store the same rows', async () => {
  const { scrapeUrls } = await node.ask('{ scrapeUrls { nodes { id } } }')
  const [one, other] = await Promise.all(scrapeUrls.nodes.map(({ id }: { id: string }) => storedProspects(id)))
  const own = { job: null, firstSeenAt: null, lastSeenAt: null, updatedAt: null }
  const bare = (rows: Stored[] = []) => rows.map((row) => ({ ...row, ...own })).sort(byAuction)
  expect(bare(one)).toHaveLength(total)
  expect(bare(one)).toEqual(bare(other))
})

async function storedProspects(id: string): Promise<Stored[]> {
  const { prospects } = await node.ask(prospectsQuery, { id })
  expect(prospects.pageInfo.hasNextPage).toBe(false)
  return prospects.nodes
}

async function countChanges(): Promise<number> {
  const { count } = await gavel.db
    .selectFrom('prospectChanges')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** The listings of each case that is sold as several parcels on one day. */
function sisters(of: readonly SampleDay[]): string[][] {
  return of.flatMap(({ items }) => {
    const cases = Map.groupBy(
      items,
      (item) => item.fields.find(({ label }) => /^(Case #|Cause Number):$/.test(label))?.value,
    )
    return [...cases.values()].filter((one) => one.length > 1).map((one) => one.map(({ aid }) => aid))
  })
}

const byAid = (stored: readonly Stored[], aid: unknown) => stored.find(({ auctionId }) => auctionId === aid)
const aidOf = (one: Stored): string => one['auctionId']
const byText = (a: string, b: string) => a.localeCompare(b)
const byAuction = (a: Stored, b: Stored) => byText(aidOf(a), aidOf(b))
