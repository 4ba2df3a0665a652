import { afterEach, describe, expect, test } from 'vitest'
import { inventRows, type SampleTable, startTable } from '../../../../src/demo/table/server.ts'
import { htmlTable } from '../../../../src/engine/sites/htmltable/site.ts'
import type { DayRead } from '../../../../src/engine/sites/site.ts'
import { type SiteVisit, visitSite } from '../../../support/siteVisit.ts'

const today = '2026-03-18'
const saleDays = ['2026-03-10', '2026-03-25'] as const
const options = { date: { column: 'Sale Day' } }

let site: SampleTable
afterEach(() => site.close())

const start = async (...given: Parameters<typeof startTable>) => void (site = await startTable(...given))

const read = (dates: readonly string[], more: Partial<SiteVisit> = {}): Promise<DayRead[]> =>
  visitSite(htmlTable, { url: site.url, host: site.host, dates, today, options, ...more })

describe.each([
  ['of td', false],
  ['of th alone', true],
] as const)('a table %s', (_name, thOnly) => {
  test('is read row by row, on one page or on several', async () => {
    const rows = inventRows(saleDays)
    await start(rows, { thOnly })
    const whole = await read(saleDays)
    expect(whole.map((one) => [one.date, one.outcome, one.items.length])).toEqual([
      ['2026-03-10', 'COMPLETE', 3],
      ['2026-03-25', 'COMPLETE', 5],
      [null, 'COMPLETE', 1],
    ])
    expect(whole[0]?.items[0]?.raw.fields).toEqual([
      { label: 'Owner', value: 'PERRIN, HALE' },
      { label: '', value: 'PERRIN, IDA' },
      { label: 'Parcel #', value: rows[0]?.parcel },
      { label: 'Court File #', value: rows[0]?.caseNumber, href: 'https://docket.cove.example/#/case/0' },
      { label: 'Address', value: rows[0]?.address[0] },
      { label: '', value: 'COVE HOLLOW, NC 28999' },
      { label: 'Sale Day', value: '10-MAR-2026' },
      { label: 'Estimated Opening Bid*', value: rows[0]?.bid },
    ])
    await site.close()
    await start(rows, { thOnly, perPage: 4 })
    const paged = await read(saleDays)
    expect(paged.map((one) => one.items.map(({ raw, sourceKey }) => [sourceKey, raw.fields.length]))).toEqual(
      whole.map((one) => one.items.map(({ raw, sourceKey }) => [sourceKey, raw.fields.length])),
    )
    expect(paged[0]?.pages).toBe(3)
  })
})

test('a row keeps its key wherever it stands, and equal ones are told apart in page order', async () => {
  const rows = inventRows(saleDays)
  await start(rows)
  const keysOf = (reads: readonly DayRead[]) => reads.flatMap((one) => one.items.map((item) => item.sourceKey)).sort()
  const before = keysOf(await read(saleDays))
  expect(before.filter((key) => key.endsWith('~2'))).toHaveLength(1)
  site.setRows(rows.toReversed().map((row) => ({ ...row, bid: '$1.00*', owners: ['NOBODY'] })))
  expect(keysOf(await read(saleDays))).toEqual(before)
})

test('a page without dates says nothing of any day, and is read as undated', async () => {
  await start(inventRows(saleDays))
  const reads = await read(saleDays, { options: {} })
  expect(reads.map((one) => [one.date, one.outcome, one.items.length])).toEqual([
    ['2026-03-10', 'NOT_PUBLISHED', 0],
    ['2026-03-25', 'NOT_PUBLISHED', 0],
    [null, 'COMPLETE', 9],
  ])
})

test('the date may be fixed, or stand elsewhere on the page', async () => {
  await start(inventRows(saleDays))
  const fixed = await read(['2026-03-25'], { options: { date: { fixed: '2026-03-25' } } })
  expect(fixed[0]).toMatchObject({ outcome: 'COMPLETE', expected: 9 })
  const found = { date: { selector: '.list tbody td:nth-child(5)', pattern: String.raw`(\d+-[A-Z]+-\d+)` } }
  expect((await read(['2026-03-10'], { options: found }))[0]).toMatchObject({ outcome: 'COMPLETE', expected: 9 })
  const missing = await read(['2026-03-10'], { options: { date: { selector: '.sale-date' } } })
  expect(missing[0]).toMatchObject({ outcome: 'FAILED', error: { code: 'TEMPLATE_CHANGED' } })
})

test('columns of other words are read by the options, and must be there', async () => {
  await start(inventRows(saleDays))
  site.addFault({ kind: 'changedHeader' })
  const named = { ...options, columns: { 'docket:': 'caseNumber', Owner: null } }
  const [one] = await read(['2026-03-10'], { options: named })
  expect(one?.outcome).toBe('COMPLETE')
  expect(one?.items[0]?.reading?.fields.get('Docket')).toBe('caseNumber')
  expect(one?.items[0]?.reading?.fields.get('Owner')).toBe('none')
  const missing = await read(['2026-03-10'], { options: { ...options, columns: { 'Court File #': 'caseNumber' } } })
  expect(missing[0]).toMatchObject({ outcome: 'FAILED', error: { code: 'TEMPLATE_CHANGED' } })
})

describe('a table that goes on', () => {
  test('behind a script is never COMPLETE, and keeps what it has', async () => {
    await start(inventRows(saleDays), { perPage: 4 })
    site.addFault({ kind: 'scriptedPager' })
    const [one] = await read(['2026-03-10'])
    expect(one).toMatchObject({ outcome: 'INCOMPLETE', expected: null, error: { code: 'DAY_INCOMPLETE' } })
    expect(one?.items).toHaveLength(3)
  })

  test('and shows its first page again and again ends, INCOMPLETE', async () => {
    await start(inventRows(saleDays), { perPage: 4 })
    site.addFault({ kind: 'repeatPage' })
    const [one] = await read(['2026-03-10'])
    expect(one).toMatchObject({ outcome: 'INCOMPLETE', error: { code: 'DAY_INCOMPLETE' } })
    expect(site.requests.length).toBeLessThan(10)
  })

  test('a page that was cut once is read once more', async () => {
    await start(inventRows(saleDays))
    site.addFault({ kind: 'halfBody', times: 1 })
    expect((await read(['2026-03-10']))[0]).toMatchObject({ outcome: 'COMPLETE', expected: 3 })
  })
})

test('an empty table has empty days', async () => {
  await start([])
  expect((await read(['2026-03-10', '2026-03-25'])).map((one) => one.outcome)).toEqual([
    'EMPTY',
    'NOT_PUBLISHED',
    'EMPTY',
  ])
})

test('a site is its page: whatever stands behind the # is not', async () => {
  await start([])
  const key = (text: string) => htmlTable.siteKey(new URL(text))
  expect(key('https://Cove.example/Sales?b=1#top')).toBe('https://cove.example/Sales?b=1')
  expect(key('https://cove.example/Sales?b=2')).not.toBe(key('https://cove.example/Sales?b=1'))
})
