import { afterEach, describe, expect, test } from 'vitest'
import { inventSales, printed, type SampleSale } from '../../../../src/demo/civilview/sales.ts'
import { type SampleCivilView, startCivilView } from '../../../../src/demo/civilview/server.ts'
import { convertItem } from '../../../../src/engine/convert/convertItem.ts'
import { civilView } from '../../../../src/engine/sites/civilview/site.ts'
import type { DayRead, SiteItem } from '../../../../src/engine/sites/site.ts'
import { type SiteVisit, visitSite } from '../../../support/siteVisit.ts'

const today = '2026-03-18'
const saleDays = ['2026-03-10', '2026-03-18', '2026-03-25'] as const
const [pastDay, saleDay, laterDay] = saleDays

let site: SampleCivilView
afterEach(() => site.close())

const start = async (...given: Parameters<typeof startCivilView>) => void (site = await startCivilView(...given))

const read = (dates: readonly string[], more: Partial<SiteVisit> = {}): Promise<DayRead[]> =>
  visitSite(civilView, { url: site.url, host: site.host, dates, today, ...more })

const field = (item: SiteItem | undefined, label: string) =>
  item?.raw.fields.find((one) => one.label.startsWith(label))?.value

const context = {
  platform: 'CIVILVIEW' as const,
  state: 'NJ',
  timezone: 'America/New_York',
  today,
  auctionType: 'SHERIFF_SALE' as const,
}

/** What a perfect read of a sale is converted to. */
function truth(sale: SampleSale) {
  const [street = '', ...further] = sale.address
  return {
    saleNumber: sale.sheriffNumber,
    caseNumber: sale.caseNumber,
    auctionDate: sale.date,
    plaintiff: sale.plaintiff,
    defendant: sale.defendant,
    attorney: sale.attorney,
    parcelId: sale.parcel,
    propertyAddress: [street, ...further.slice(0, -1)].join(', '),
    city: 'EAST TILBURY',
    stateCode: 'NJ',
    zip: sale.address.at(-1)?.slice(-5),
    finalJudgmentAmount: sale.judgment.replace(/[$,]/g, ''),
    openingBid: sale.upset === '' ? null : sale.upset.replace(/[$, ]/g, ''),
  }
}

describe.each(['divs', 'rows'] as const)('sales in the layout of %s', (layout) => {
  test('are read with every field from their own pages', async () => {
    await start(inventSales(saleDays, today), { layout })
    const reads = await read(saleDays)
    const converted = reads.flatMap((one) => one.items).map((item) => convertItem(item, context))
    expect(converted.map((one) => (one.kind === 'prospect' ? one.unknownLabels : one))).toEqual(converted.map(() => []))
    expect(converted.map((one) => one.kind === 'prospect' && one.fields)).toEqual(
      site.sales.map((sale) => expect.objectContaining(truth(sale))),
    )
  })

  test('bear the status that their history has last by date', async () => {
    const [sale] = inventSales([laterDay], today, 1) as [SampleSale, ...SampleSale[]]
    const history = [
      { status: 'Scheduled', date: '2025-11-04' },
      { status: 'Adjourned - Plaintiff', date: '2026-01-13' },
      { status: 'Adjourned - Court', date: laterDay },
    ]
    await start([{ ...sale, history }], { layout })
    const [one] = await read([laterDay])
    expect(field(one?.items[0], 'Status')).toBe('Adjourned - Court')
    const told = one?.items[0]?.raw.fields.slice(-3)
    expect(told).toEqual([
      { label: 'Status History', value: '11/4/2025 Scheduled' },
      { label: '', value: '1/13/2026 Adjourned - Plaintiff' },
      { label: '', value: `${printed(laterDay)} Adjourned - Court` },
    ])
  })
})

describe('statuses', () => {
  const statusOf = async (sale: SampleSale) => {
    await start([sale])
    const [one] = await read([sale.date ?? ''])
    const converted = convertItem(one?.items[0] as SiteItem, context)
    return converted.kind === 'prospect' ? converted.fields.auctionStatus : converted
  }
  const [sale] = inventSales([laterDay], today, 1) as [SampleSale, ...SampleSale[]]
  const scheduled = { status: 'Scheduled', date: '2025-11-04' }

  test.each([
    ['Scheduled', false, 'SCHEDULED'],
    ['Adjourned - Defendant', false, 'POSTPONED'],
    ['Pending Bankruptcy', false, 'POSTPONED'],
    ['Purchased', true, 'SOLD'],
    ['Cancelled/Settled', true, 'CANCELLED'],
    ['Sold', true, 'UNKNOWN'],
  ] as const)('%s is told by its words', async (status, over, expected) => {
    expect(await statusOf({ ...sale, over, history: [scheduled, { status, date: laterDay }] })).toBe(expected)
  })

  test('in the list of what is over an adjournment to a later day does not hide the end', async () => {
    const history = [
      scheduled,
      { status: 'Adjourned - Court', date: laterDay },
      { status: 'Cancelled', date: '2026-03-02' },
    ]
    expect(await statusOf({ ...sale, over: true, history })).toBe('CANCELLED')
  })

  test('a sale without a history stands where its list says', async () => {
    expect(await statusOf({ ...sale, history: [] })).toBe('SCHEDULED')
  })
})

describe('a visit', () => {
  test('reads both lists once, and the pages of the days it is asked for', async () => {
    await start(inventSales(saleDays, today))
    const [one] = await read([saleDay])
    expect(one).toMatchObject({ outcome: 'COMPLETE', proof: 'FULL_LIST', expected: 4, waiting: 4, closed: 0, pages: 2 })
    expect(site.requests.filter((line) => line.includes('SalesSearch'))).toEqual([
      'GET /Sales/SalesSearch?countyId=7',
      'POST /Sales/SalesSearch',
    ])
    // Four of the day, and the two without a date.
    expect(site.requests.filter((line) => line.includes('SaleDetails'))).toHaveLength(6)
  })

  test('gives the sales without a date in a read of their own, and says when there are none', async () => {
    const sales = inventSales(saleDays, today)
    await start(sales)
    expect((await read([saleDay])).at(-1)).toMatchObject({ date: null, outcome: 'COMPLETE', expected: 2 })
    site.setSales(sales.filter((sale) => sale.date !== null))
    expect((await read([saleDay])).at(-1)).toMatchObject({ date: null, outcome: 'EMPTY', items: [] })
  })

  test('a county without sales has empty days', async () => {
    await start([])
    const reads = await read([pastDay, today, laterDay])
    expect(reads.map((one) => one.outcome)).toEqual(['EMPTY', 'EMPTY', 'NOT_PUBLISHED', 'EMPTY'])
  })

  test('a sale that is listed twice under one number is two sales', async () => {
    const [sale] = inventSales([laterDay], today, 1) as [SampleSale, ...SampleSale[]]
    await start([sale, { ...sale, parcel: 'LOT 99, BLOCK 1' }])
    const [one] = await read([laterDay])
    expect(one?.items.map((item) => item.sourceKey)).toEqual(['F26000100', 'F26000100~2'])
  })

  test('a session that is lost on the way is opened anew, with the numbers of its own', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'lostSession', path: /SaleDetails/, times: 1 })
    const reads = await read(saleDays)
    expect(reads.map((one) => one.outcome)).toEqual(['COMPLETE', 'COMPLETE', 'COMPLETE', 'COMPLETE'])
    expect(site.requests.filter((line) => line.startsWith('GET /Sales/SalesSearch'))).toHaveLength(2)
  })

  test('a session that is lost again and again ends in COLD_SESSION, and the site is left in peace', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'lostSession', path: /SaleDetails/ })
    const reads = await read(saleDays)
    expect(reads.map((one) => [one.outcome, one.error?.code])).toEqual(reads.map(() => ['FAILED', 'COLD_SESSION']))
    expect(site.requests.length).toBeLessThan(40)
  })

  test('the page of another sale is never taken for this one', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'otherSale' })
    const [one] = await read([saleDay])
    expect(one).toMatchObject({ outcome: 'FAILED', items: [], error: { code: 'COLD_SESSION' } })
  })

  test('a page that cannot be read leaves its day INCOMPLETE and keeps the others of it', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'changedDetail', path: /SaleDetails/, times: 1 })
    const [one, next] = await read([saleDay, laterDay])
    expect(one).toMatchObject({ outcome: 'INCOMPLETE', expected: 4, proof: null, error: { code: 'DAY_INCOMPLETE' } })
    expect(one?.items).toHaveLength(3)
    expect(next?.outcome).toBe('COMPLETE')
  })

  test('a layout nobody knows fails the day, after a few pages', async () => {
    await start(inventSales(saleDays, today, 30))
    site.addFault({ kind: 'changedDetail', path: /SaleDetails/ })
    const [one] = await read([saleDay])
    expect(one).toMatchObject({ outcome: 'FAILED', error: { code: 'TEMPLATE_CHANGED' } })
    expect(site.requests.filter((line) => line.includes('SaleDetails')).length).toBeLessThan(10)
  })

  test('a page that was cut off in the middle is not read', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'halfBody', path: /SaleDetails/, times: 1 })
    expect((await read([saleDay]))[0]).toMatchObject({ outcome: 'INCOMPLETE' })
  })

  test('a form that answers with the sales to come proves nothing', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'sameList' })
    expect((await read([pastDay]))[0]).toMatchObject({ outcome: 'FAILED', error: { code: 'COLD_SESSION' } })
  })

  test('a refusal in the middle ends the day as BLOCKED', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'status403', path: /SaleDetails/ })
    expect((await read([saleDay]))[0]).toMatchObject({ outcome: 'BLOCKED', error: { code: 'BLOCKED' } })
  })

  test('a list that fails is asked for once, and fails every day', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'changedHeader' })
    const reads = await read(saleDays)
    expect(reads.map((one) => one.error?.code)).toEqual(reads.map(() => 'TEMPLATE_CHANGED'))
    expect(site.requests).toHaveLength(1)
  })

  test('AUTO turns to the browser where it is refused, and without one stays as it was', async () => {
    await start(inventSales(saleDays, today))
    site.addFault({ kind: 'status403' })
    const reads = await read([saleDay, laterDay], { transport: 'AUTO', findBrowser: async () => null })
    expect(reads.map((one) => one.outcome)).toEqual(['BLOCKED', 'BLOCKED'])
  })
})

test('a site is a county on its host', async () => {
  await start([])
  const key = (text: string) => civilView.siteKey(new URL(text))
  expect(key('https://www.SalesWeb.example/Sales/SalesSearch?CountyID=25&x=1')).toBe('salesweb.example?countyId=25')
  expect(civilView.issuesOf(new URL('https://salesweb.example/Sales/SalesSearch'), {})).toMatchObject([
    { path: ['url'] },
  ])
})
