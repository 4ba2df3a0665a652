import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { doneOutcomes, sitePlatforms } from '../../../src/domain.ts'
import type { DayRead } from '../../../src/engine/sites/site.ts'
import { siteFor } from '../../../src/engine/sites/sites.ts'
import { browserPatienceMs, testBrowser } from '../../support/browser.ts'
import { type SiteVisit, visitSite } from '../../support/siteVisit.ts'
import { type Sample, saleDays, samples, today } from './samples.ts'

beforeAll(async () => void (await testBrowser()), browserPatienceMs)

/** With days on which nothing is sold: past, between, and after all that is published. */
const dates = [saleDays[0], '2026-03-11', saleDays[1], '2026-03-19', saleDays[2], '2026-05-29']

// What every platform promises to whoever runs it, whatever its sites are like.
describe.each(sitePlatforms)('%s', (name) => {
  const platform = siteFor(name)
  let sample: Sample
  beforeEach(async () => void (sample = await samples[name].start()))
  afterEach(() => sample.close())

  const read = (more: Partial<SiteVisit> = {}): Promise<DayRead[]> =>
    visitSite(platform, { url: sample.url, host: sample.host, options: sample.options, dates, today, ...more })

  test('names itself, and the same site by the same key', () => {
    expect(platform.platform).toBe(name)
    const url = new URL(sample.url)
    const key = platform.siteKey(url)
    expect(key).toContain(sample.host)
    expect(platform.siteKey(new URL(`${url.href}#top`))).toBe(key)
    expect(platform.siteKey(new URL(url.href.replace('http://', 'HTTP://')))).toBe(key)
    expect(platform.siteKey(new URL(url.href.replace(sample.host, 'elsewhere.example')))).not.toBe(key)
    expect(platform.issuesOf(url, sample.options)).toEqual([])
  })

  test('reads every listing of every day, once, and proves it', async () => {
    const reads = await read()
    const dated = reads.filter((one) => one.date !== null)
    expect(dated.map((one) => one.date)).toEqual(dates)
    expect(reads.slice(0, dated.length)).toEqual(dated)
    for (const one of reads) {
      expect({ date: one.date, items: one.items.length }).toEqual({
        date: one.date,
        items: sample.listed.get(one.date) ?? 0,
      })
      expect(one.error).toBeNull()
      expect(doneOutcomes).toContain(one.outcome)
      expect(one.outcome === 'COMPLETE').toBe(one.items.length > 0)
      expect(one.expected ?? 0).toBe(one.items.length)
      for (const item of one.items) {
        expect(item.auctionDate).toBe(one.date)
        expect(URL.canParse(item.url)).toBe(true)
        expect(item.raw.fields.some((field) => field.value !== '')).toBe(true)
      }
    }
    expect(reads.filter((one) => one.date === null).length).toBe(sample.listed.has(null) ? 1 : 0)
    expect(dated.map((one) => one.outcome)).toEqual([
      'COMPLETE',
      'EMPTY',
      'COMPLETE',
      'EMPTY',
      'COMPLETE',
      'NOT_PUBLISHED',
    ])
    expect(dated.filter((one) => one.outcome !== 'NOT_PUBLISHED').every((one) => one.proof !== null)).toBe(true)
    const keys = reads.flatMap((one) => one.items.map((item) => item.sourceKey))
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.every((key) => key !== '')).toBe(true)
  })

  test('gives the same once more', async () => {
    expect(await read()).toEqual(await read())
  })

  test('reads the days it is asked for and no others', async () => {
    const reads = await read({ dates: [saleDays[1]] })
    expect(reads.filter((one) => one.date !== null).map((one) => [one.date, one.outcome])).toEqual([
      [saleDays[1], 'COMPLETE'],
    ])
  })

  test('gives the same rows through a browser', async () => {
    expect(await read({ transport: 'BROWSER' })).toEqual(await read())
  })

  describe.each(['HTTP', 'BROWSER'] as const)('over %s', (transport) => {
    test.each(samples[name].troubles)('never takes this for a day without auctions: %s', async (kind) => {
      sample.trouble(kind)
      const reads = await read({ transport, dates: [saleDays[0], saleDays[2]] })
      expect(reads.length).toBeGreaterThan(0)
      for (const one of reads) {
        expect(['INCOMPLETE', 'BLOCKED', 'FAILED']).toContain(one.outcome)
        expect(one.error).not.toBeNull()
        expect(one.proof).toBeNull()
      }
      const dated = reads.map((one) => one.date).filter((date) => date !== null)
      expect(dated).toEqual([saleDays[0], saleDays[2]])
      const refused = kind === '403' || kind === 'captcha'
      expect(reads.some((one) => one.outcome === 'BLOCKED')).toBe(refused)
    })
  })

  test('a day is whole again when the trouble is over', async () => {
    const over = sample.trouble('500')
    expect((await read())[0]?.outcome).toBe('FAILED')
    over()
    expect((await read())[0]?.outcome).toBe('COMPLETE')
  })

  test.each(['HTTP', 'BROWSER'] as const)('an abort ends it at once over %s', async (transport) => {
    sample.trouble('stall')
    const controller = new AbortController()
    const reads: DayRead[] = []
    const reading = read({ transport, signal: controller.signal, onRead: (one) => reads.push(one) })
    await expect.poll(() => sample.held(), { timeout: 20_000 }).toBeGreaterThan(0)
    const asked = sample.requests()
    controller.abort(new Error('cancelled'))
    await expect(reading).rejects.toThrow('cancelled')
    expect(reads).toEqual([])
    expect(sample.requests()).toBe(asked)
  })

  test('a visit that was aborted before asks for nothing', async () => {
    const signal = AbortSignal.abort(new Error('cancelled'))
    await expect(read({ signal })).rejects.toThrow('cancelled')
    expect(sample.requests()).toBe(0)
  })
})
