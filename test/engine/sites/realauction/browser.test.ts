import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { generateDay } from '../../../../src/demo/site/generate.ts'
import { type SampleSite, startSampleSite } from '../../../../src/demo/site/server.ts'
import { browserPatienceMs, testBrowser } from '../../../support/browser.ts'
import { visitSample } from './visit.ts'

const today = '2026-03-18'
const [pastDay, saleDay, laterDay] = ['2026-03-10', '2026-03-18', '2026-03-25']

let site: SampleSite

beforeAll(async () => void (await testBrowser()), browserPatienceMs)
beforeEach(async () => {
  const days = [pastDay, saleDay, laterDay].map((date) => generateDay(date, { today, perDay: 27 }))
  site = await startSampleSite({ today, days })
})
afterEach(() => site.close())

const noBrowser = async () => null

describe('a browser', () => {
  test('reads the same rows as plain HTTP', async () => {
    const dates = [pastDay, '2026-03-17', saleDay, laterDay, '2026-03-31']
    const plain = await visitSample(site, dates)
    const asked = site.requests.length
    const shown = await visitSample(site, dates, { transport: 'BROWSER' })
    expect(shown).toEqual(plain)
    expect(shown.map((read) => read.outcome)).toEqual(['COMPLETE', 'EMPTY', 'COMPLETE', 'COMPLETE', 'NOT_PUBLISHED'])
    const requests = site.requests.slice(asked)
    expect(requests.filter((request) => request.path.endsWith('.gif'))).toEqual([])
    expect(new Set(requests.map((request) => request.userAgent)).size).toBe(1)
  })

  test('reads the day once more in a fresh session when a page was short', async () => {
    site.faults.add({ kind: 'shortPage', times: 1, when: { area: 'W' } })
    const [read] = await visitSample(site, [laterDay], { transport: 'BROWSER' })
    expect(read).toMatchObject({ outcome: 'COMPLETE', expected: 27 })
    expect(read?.items).toHaveLength(27)
  })

  test.each([
    [{ kind: 'status403' }, 'PREVIEW', 'BLOCKED', 'BLOCKED'],
    [{ kind: 'status403' }, 'LOAD', 'BLOCKED', 'BLOCKED'],
    [{ kind: 'captcha' }, 'LOAD', 'BLOCKED', 'BLOCKED'],
    [{ kind: 'maintenance' }, 'CALENDAR', 'FAILED', 'SITE_OFFLINE'],
    [{ kind: 'status500' }, 'UPDATE', 'FAILED', 'HTTP_ERROR'],
    [{ kind: 'foreignRedirect' }, 'PREVIEW', 'FAILED', 'FOREIGN_REDIRECT'],
    [{ kind: 'templateChanged' }, 'LOAD', 'FAILED', 'TEMPLATE_CHANGED'],
    [{ kind: 'coldSession' }, 'LOAD', 'INCOMPLETE', 'COLD_SESSION'],
    [{ kind: 'wrongDate' }, 'LOAD', 'INCOMPLETE', 'COLD_SESSION'],
  ] as const)('meets %j on %s with %s and %s', async (fault, request, outcome, code) => {
    site.faults.add({ ...fault, when: { request } })
    const [read] = await visitSample(site, [pastDay], { transport: 'BROWSER' })
    expect(read).toMatchObject({ outcome, items: [], error: { code } })
  })

  test('tells how long a site asks to wait', async () => {
    site.faults.add({ kind: 'status429', retryAfterSeconds: 90, when: { request: 'PREVIEW' } })
    const [read] = await visitSample(site, [pastDay], { transport: 'BROWSER' })
    expect(read).toMatchObject({ outcome: 'BLOCKED', error: { detail: { retryAfterSeconds: 90 } } })
  })

  test('ends the visit at a host without a tenant, without a browser, and at an abort', async () => {
    const controller = new AbortController()
    site.faults.add({ kind: 'stall', when: { request: 'LOAD' } })
    const visiting = visitSample(site, [pastDay], { transport: 'BROWSER', signal: controller.signal })
    await expect.poll(() => site.faults.held, { timeout: 20_000 }).toBe(1)
    controller.abort(new Error('cancelled'))
    await expect(visiting).rejects.toThrow('cancelled')

    site.faults.clear()
    site.faults.add({ kind: 'notATenant' })
    await expect(visitSample(site, [pastDay], { transport: 'BROWSER' })).rejects.toMatchObject({ code: 'NOT_A_TENANT' })
    await expect(visitSample(site, [pastDay], { transport: 'BROWSER', findBrowser: noBrowser })).rejects.toMatchObject({
      code: 'NO_BROWSER',
    })
  })
})

describe('AUTO', () => {
  test('reads by plain HTTP and starts no browser', async () => {
    const reads = await visitSample(site, [pastDay, saleDay], { transport: 'AUTO', findBrowser: noBrowser })
    expect(reads.map((read) => read.outcome)).toEqual(['COMPLETE', 'COMPLETE'])
  })

  test('turns to the browser where plain HTTP stays cold, and stays with it', async () => {
    // Three areas in each of two sessions.
    site.faults.add({ kind: 'coldSession', times: 6 })
    const reads = await visitSample(site, [pastDay, saleDay], { transport: 'AUTO' })
    expect(reads.map((read) => read.outcome)).toEqual(['COMPLETE', 'COMPLETE'])
    // A browser fetches the page's script: once for each day.
    expect(site.requests.filter((request) => request.path.endsWith('.js'))).not.toEqual([])
    expect(site.requests.filter((request) => request.kind === 'PREVIEW')).toHaveLength(4)
  })

  test('without a browser the day stays as plain HTTP found it', async () => {
    site.faults.add({ kind: 'status403', when: { date: pastDay, request: 'PREVIEW' } })
    const reads = await visitSample(site, [pastDay, saleDay], { transport: 'AUTO', findBrowser: noBrowser })
    expect(reads.map((read) => read.outcome)).toEqual(['BLOCKED', 'COMPLETE'])
  })

  test('where the site asked to wait the browser is not tried', async () => {
    site.faults.add({ kind: 'status429', retryAfterSeconds: 90 })
    const [read] = await visitSample(site, [pastDay], { transport: 'AUTO' })
    expect(read).toMatchObject({ outcome: 'BLOCKED', error: { detail: { retryAfterSeconds: 90 } } })
    expect(site.requests).toHaveLength(1)
  })
})
