import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generateDay } from '../../../../src/demo/site/generate.ts'
import { type SampleSite, startSampleSite } from '../../../../src/demo/site/server.ts'
import type { SampleDay } from '../../../../src/demo/site/types.ts'
import { realAuction } from '../../../../src/engine/sites/realauction/site.ts'
import type { DayRead } from '../../../../src/engine/sites/site.ts'
import { visitSample } from './visit.ts'

const today = '2026-03-18'
/** Over, under way and waiting, on two months; more than a page in each area that can have one. */
const saleDays = ['2026-03-10', '2026-03-18', '2026-03-25', '2026-04-14']
const [pastDay = '', saleDay = '', laterDay = ''] = saleDays

let site: SampleSite
beforeEach(async () => {
  site = await startSampleSite({ today, days: saleDays.map((date) => generateDay(date, { today, perDay: 27 })) })
})
afterEach(() => site.close())

const asked = (kind: string) => site.requests.filter((request) => request.kind === kind)
const dayOf = (date: string): SampleDay => site.days.find((day) => day.date === date)!

/** What a perfect read of a day gives, by the site's own truth. */
function truth(day: SampleDay): unknown[] {
  return day.items
    .map(({ aid, area, fields, status }) => ({ sourceKey: aid, auctionDate: day.date, raw: { area, fields, status } }))
    .sort(byKey)
}

const seen = (read: DayRead | undefined): unknown[] =>
  (read?.items ?? []).map(({ sourceKey, auctionDate, raw }) => ({ sourceKey, auctionDate, raw })).sort(byKey)

const byKey = (a: { sourceKey: string }, b: { sourceKey: string }) => a.sourceKey.localeCompare(b.sourceKey)

async function readOne(date: string, options = {}): Promise<DayRead> {
  const [read] = await visitSample(site, [date], options)
  return read!
}

describe('plain HTTP', () => {
  test('reads every listing of every day, and proves it', async () => {
    const reads = await visitSample(site, saleDays)
    for (const [i, read] of reads.entries()) {
      const day = dayOf(saleDays[i]!)
      expect(read).toMatchObject({ date: day.date, outcome: 'COMPLETE', proof: 'ID_LIST', expected: 27, error: null })
      expect(read).toMatchObject({ scheduled: 27, waiting: day.items.filter((item) => item.area === 'W').length })
      expect(read.closed).toBe(day.items.filter((item) => item.area === 'C').length)
      expect(read.running).toBe(day.items.filter((item) => item.area === 'R').length)
      expect(seen(read)).toEqual(truth(day))
      expect(read.items[0]).toMatchObject({ timeText: day.timeText, url: expect.stringContaining('PREVIEW') })
    }
    // Each month once, each day in a session of its own.
    expect(asked('CALENDAR')).toHaveLength(2)
    expect(new Set(asked('PREVIEW').map((request) => request.sessionId)).size).toBe(4)
  })

  test('days without a sale need no more than the calendar', async () => {
    const reads = await visitSample(
      site,
      ['2026-03-09', today, '2026-03-19', '2026-04-13', '2026-04-15', '2026-05-01'],
      {
        today,
      },
    )
    expect(reads.map((read) => read.outcome)).toEqual([
      'EMPTY',
      'COMPLETE',
      'EMPTY',
      'EMPTY',
      'NOT_PUBLISHED',
      'NOT_PUBLISHED',
    ])
    expect(asked('PREVIEW')).toHaveLength(1)
  })

  test('a day before a sale of the next month is EMPTY', async () => {
    expect(await readOne('2026-03-30')).toMatchObject({ outcome: 'EMPTY', proof: 'CALENDAR' })
  })

  test('statuses of many listings are asked for in several calls', async () => {
    site.setDays([generateDay(pastDay, { today, perDay: 230 })])
    const read = await readOne(pastDay)
    expect(read.outcome).toBe('COMPLETE')
    expect(seen(read)).toEqual(truth(dayOf(pastDay)))
    expect(asked('UPDATE')).toHaveLength(3)
  })
})

describe('a day that is not proved at once', () => {
  test('a cold session is mended by a fresh one', async () => {
    site.faults.add({ kind: 'coldSession', times: 3 })
    const read = await readOne(pastDay)
    expect(read).toMatchObject({ outcome: 'COMPLETE', error: null })
    expect(seen(read)).toEqual(truth(dayOf(pastDay)))
    expect(new Set(asked('LOAD').map((request) => request.sessionId)).size).toBe(2)
    expect(asked('CALENDAR')).toHaveLength(2)
  })

  test('a session that stays cold is INCOMPLETE, never empty', async () => {
    site.faults.add({ kind: 'coldSession' })
    expect(await readOne(pastDay)).toMatchObject({
      outcome: 'INCOMPLETE',
      expected: 27,
      items: [],
      error: { code: 'COLD_SESSION' },
    })
  })

  test('a short page is completed by the union of two sessions', async () => {
    site.faults.add({ kind: 'shortPage', times: 1, when: { area: 'W' } })
    const read = await readOne(laterDay)
    expect(read).toMatchObject({ outcome: 'COMPLETE' })
    expect(seen(read)).toEqual(truth(dayOf(laterDay)))
  })

  test('a page that stays short is INCOMPLETE and keeps what it has', async () => {
    site.faults.add({ kind: 'shortPage', drop: 2, when: { area: 'W', page: 1 } })
    const read = await readOne(laterDay)
    expect(read).toMatchObject({ outcome: 'INCOMPLETE', expected: 27, error: { code: 'DAY_INCOMPLETE' } })
    expect(read.items).toHaveLength(25)
  })

  test('a pager that shows the first page again and again ends', async () => {
    site.faults.add({ kind: 'repeatPage' })
    expect(await readOne(laterDay)).toMatchObject({ outcome: 'INCOMPLETE', error: { code: 'DAY_INCOMPLETE' } })
    expect(asked('LOAD').length).toBeLessThan(20)
  })

  test('an item that moves while it is read is one item, where it stands now', async () => {
    site.faults.add({ kind: 'moveItem', times: 1, when: { area: 'W', page: 1 } })
    const read = await readOne(laterDay)
    expect(read).toMatchObject({ outcome: 'COMPLETE', expected: 27 })
    expect(seen(read)).toEqual(truth(dayOf(laterDay)))
  })

  test('listings of another day are never taken for this day', async () => {
    const remove = site.faults.add({ kind: 'wrongDate', when: { request: 'LOAD' } })
    expect(await readOne(pastDay)).toMatchObject({ outcome: 'INCOMPLETE', items: [], error: { code: 'COLD_SESSION' } })
    remove()
    site.faults.add({ kind: 'noIdList' })
    const still = site.faults.add({ kind: 'wrongDate', date: laterDay })
    expect(await readOne(pastDay)).toMatchObject({ outcome: 'INCOMPLETE', items: [] })
    still()
    site.faults.add({ kind: 'wrongDate', date: pastDay, when: { date: laterDay } })
    expect(await readOne(laterDay)).toMatchObject({ outcome: 'INCOMPLETE', items: [] })
    expect(await readOne(pastDay)).toMatchObject({ outcome: 'COMPLETE', proof: 'COUNT' })
  })

  test('without any figure it is never COMPLETE', async () => {
    site.faults.add({ kind: 'noIdList' })
    site.faults.add({ kind: 'noCounts' })
    const read = await readOne(pastDay)
    expect(read).toMatchObject({ outcome: 'INCOMPLETE', expected: null, error: { code: 'DAY_INCOMPLETE' } })
    expect(read.items).toHaveLength(27)
  })

  test('a past day of which nothing is shown any more is GONE after two sessions; a later one is not', async () => {
    site.faults.add({ kind: 'goneDay' })
    const [past, later] = await visitSample(site, [pastDay, laterDay])
    expect(past).toMatchObject({ outcome: 'GONE', scheduled: 27, expected: 27, items: [], error: null })
    expect(later).toMatchObject({ outcome: 'INCOMPLETE', error: { code: 'COLD_SESSION' } })
    expect(new Set(asked('PREVIEW').map((request) => request.sessionId)).size).toBe(4)
  })
})

describe('a day that cannot be read', () => {
  test.each([
    [{ kind: 'status403' }, 'BLOCKED', 'BLOCKED'],
    [{ kind: 'captcha' }, 'BLOCKED', 'BLOCKED'],
    [{ kind: 'status429', retryAfterSeconds: null }, 'BLOCKED', 'BLOCKED'],
    [{ kind: 'maintenance' }, 'FAILED', 'SITE_OFFLINE'],
    [{ kind: 'status500' }, 'FAILED', 'HTTP_ERROR'],
    [{ kind: 'foreignRedirect' }, 'FAILED', 'FOREIGN_REDIRECT'],
    [{ kind: 'privateRedirect' }, 'FAILED', 'FOREIGN_REDIRECT'],
    [{ kind: 'cutBody' }, 'FAILED', 'CONNECTION'],
    [{ kind: 'oversizedBody', bytes: 5_000_000 }, 'FAILED', 'BODY_TOO_LARGE'],
    [{ kind: 'truncatedJson' }, 'FAILED', 'TEMPLATE_CHANGED'],
    [{ kind: 'templateChanged', how: 'token' }, 'FAILED', 'TEMPLATE_CHANGED'],
    [{ kind: 'templateChanged', how: 'labels' }, 'FAILED', 'TEMPLATE_CHANGED'],
  ] as const)('%j is %s with %s, and the next day is read', async (fault, outcome, code) => {
    site.faults.add({ ...fault, when: { date: pastDay, request: fault.kind.startsWith('t') ? 'LOAD' : 'PREVIEW' } })
    const [bad, good] = await visitSample(site, [pastDay, saleDay])
    expect(bad).toMatchObject({ date: pastDay, outcome, error: { code }, items: [], expected: null })
    expect(good).toMatchObject({ date: saleDay, outcome: 'COMPLETE' })
  })

  test('a site that asks for more time than is left says so', async () => {
    site.faults.add({ kind: 'status503', retryAfterSeconds: 120 })
    expect(await readOne(pastDay)).toMatchObject({
      outcome: 'FAILED',
      error: { code: 'HTTP_ERROR', detail: { retryAfterSeconds: 120 } },
    })
  })

  test('a calendar of another month is a changed template', async () => {
    const days = [...site.days]
    expect(await readOne('2026-02-31')).toMatchObject({ outcome: 'FAILED', error: { code: 'TEMPLATE_CHANGED' } })
    expect(site.days).toEqual(days)
  })
})

describe('what ends the visit', () => {
  test('a host without a tenant', async () => {
    site.faults.add({ kind: 'notATenant' })
    await expect(visitSample(site, saleDays)).rejects.toMatchObject({ code: 'NOT_A_TENANT', retryable: false })
    expect(site.requests).toHaveLength(1)
  })

  test('an abort', async () => {
    const controller = new AbortController()
    site.faults.add({ kind: 'stall', when: { request: 'LOAD' } })
    const visiting = visitSample(site, saleDays, { signal: controller.signal })
    await expect.poll(() => site.faults.held).toBe(1)
    controller.abort(new Error('cancelled'))
    await expect(visiting).rejects.toThrow('cancelled')
  })
})

test('the tenant is the host without www., with a port that is not the usual one', () => {
  expect(realAuction.siteKey(new URL('https://WWW.Duval.realforeclose.com/index.cfm'))).toBe('duval.realforeclose.com')
  expect(realAuction.siteKey(new URL('http://127.0.0.1:4100/'))).toBe('127.0.0.1:4100')
})
