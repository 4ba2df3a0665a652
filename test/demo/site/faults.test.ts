import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { FaultKind } from '../../../src/demo/site/faults.ts'
import { generateDay } from '../../../src/demo/site/generate.ts'
import { type SampleSite, startSampleSite } from '../../../src/demo/site/server.ts'
import { userAgent, Visitor } from './visitor.ts'

const today = '2026-03-18'
const day = generateDay('2026-03-20', { today, perDay: 26, types: ['FC'] })
const nextDay = generateDay('2026-03-24', { today, perDay: 12, types: ['TD'] })
const waiting = day.items.filter((item) => item.area === 'W').map((item) => item.aid)

let site: SampleSite
let visitor: Visitor
beforeEach(async () => {
  site = await startSampleSite({ today, days: [day, nextDay] })
  visitor = new Visitor(site)
})
afterEach(() => site.close())

it.each<[FaultKind, number, Record<string, string>]>([
  [{ kind: 'status403' }, 403, {}],
  [{ kind: 'status429', retryAfterSeconds: 7 }, 429, { 'retry-after': '7' }],
  [{ kind: 'status503' }, 503, { 'retry-after': '1' }],
  [{ kind: 'status500' }, 500, {}],
  [{ kind: 'notATenant' }, 302, { location: 'http://www.realauction.com/' }],
  [{ kind: 'foreignRedirect' }, 302, { location: 'http://auctions.moved.example/' }],
  [{ kind: 'privateRedirect' }, 302, { location: 'http://10.0.0.1/' }],
  [{ kind: 'privateRedirect', location: 'http://127.0.0.1:1/' }, 302, { location: 'http://127.0.0.1:1/' }],
])('%o answers with status %i until it is removed', async (fault, status, headers) => {
  const remove = site.faults.add(fault)
  for (const response of [await visitor.calendar(), await visitor.preview(day.date), await visitor.loadRaw('W')]) {
    expect(response.status).toBe(status)
    expect(Object.fromEntries(response.headers)).toMatchObject(headers)
  }
  remove()
  expect((await visitor.calendar()).status).toBe(200)
})

it('a 429 may come without Retry-After', async () => {
  site.faults.add({ kind: 'status429', retryAfterSeconds: null })
  expect((await visitor.calendar()).headers.get('retry-after')).toBeNull()
})

it('a host without a tenant redirects every path', async () => {
  site.faults.add({ kind: 'notATenant' })
  expect((await visitor.get('/../robots.txt')).status).toBe(302)
})

it('maintenance and a captcha are pages with status 200', async () => {
  site.faults.add({ kind: 'maintenance', times: 1 })
  const offline = await visitor.preview(day.date)
  expect([offline.status, await offline.text()]).toEqual([200, expect.stringContaining('<h1>OFFLINE</h1>')])
  site.faults.add({ kind: 'captcha', times: 1 })
  expect(await (await visitor.preview(day.date)).text()).toContain('g-recaptcha')
  expect(await (await visitor.preview(day.date)).text()).toContain('Preview Items For Sale')
})

it('a fault meets as many requests as it says, and only those it names', async () => {
  const when = { request: 'LOAD', date: day.date, area: 'W', page: 2 } as const
  site.faults.add({ kind: 'status500', times: 1, when })
  await visitor.preview(nextDay.date)
  expect((await visitor.loadRaw('W', 'bypassPage=2')).status).toBe(200)
  expect((await visitor.preview(day.date)).status).toBe(200)
  expect((await visitor.loadRaw('C', 'bypassPage=2')).status).toBe(200)
  expect((await visitor.loadRaw('W', 'bypassPage=1')).status).toBe(200)
  expect((await visitor.loadRaw('W', 'PageDir=1&doR=0')).status).toBe(500)
  expect((await visitor.load('W', 'PageDir=1&doR=0')).ids).toEqual(waiting.slice(10, 20))
})

it('a date meets the calendar of its month', async () => {
  site.faults.add({ kind: 'status500', when: { date: '2026-04-09' } })
  expect((await visitor.calendar('2026-03-01')).status).toBe(200)
  expect((await visitor.calendar('2026-04-01')).status).toBe(500)
})

it('clear removes every fault', async () => {
  site.faults.add({ kind: 'status500' })
  site.faults.add({ kind: 'status403' })
  site.faults.clear()
  expect((await visitor.calendar()).status).toBe(200)
})

it('a stall holds the answer until it is removed', async () => {
  const remove = site.faults.add({ kind: 'stall' })
  const held = visitor.calendar()
  await expect.poll(() => site.faults.held).toBe(1)
  expect(site.requests.at(-1)?.status).toBeNull()
  remove()
  expect((await held).status).toBe(200)
  expect(site.faults.held).toBe(0)
})

it('a stalled answer ends with the client that gives up, and with the site', async () => {
  site.faults.add({ kind: 'stall' })
  const patience = new AbortController()
  const url = `${site.url}?zaction=USER&zmethod=CALENDAR`
  const givenUp = Promise.allSettled([fetch(url, { signal: patience.signal, headers: { 'user-agent': userAgent } })])
  await expect.poll(() => site.faults.held).toBe(1)
  patience.abort()
  expect(await givenUp).toMatchObject([{ status: 'rejected' }])
  await expect.poll(() => site.faults.held).toBe(0)
  const cutOff = Promise.allSettled([visitor.calendar()])
  await expect.poll(() => site.faults.held).toBe(1)
  await site.close()
  expect(await cutOff).toMatchObject([{ status: 'rejected' }])
  expect(site.faults.held).toBe(0)
  site = await startSampleSite({ today, days: [] })
})

it('a cut body breaks off in its middle', async () => {
  await visitor.preview(day.date)
  site.faults.add({ kind: 'cutBody' })
  const response = await visitor.loadRaw('W')
  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow('terminated')
})

it('truncated JSON ends as if it were whole', async () => {
  await visitor.preview(day.date)
  site.faults.add({ kind: 'truncatedJson' })
  const text = await (await visitor.loadRaw('W')).text()
  expect(text).toContain('{"retHTML":"<div')
  expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError)
  expect(await (await visitor.calendar()).text()).toContain('</html>')
})

it('an oversized body grows to its size, and stops when the client hangs up', async () => {
  site.faults.add({ kind: 'oversizedBody', bytes: 3_000_000, times: 1 })
  expect((await (await visitor.calendar()).arrayBuffer()).byteLength).toBeGreaterThanOrEqual(3_000_000)
  site.faults.add({ kind: 'oversizedBody', bytes: 2 ** 40 })
  const endless = await visitor.calendar()
  await endless.body?.cancel()
  expect(site.requests).toHaveLength(2)
})

it('a cold session is empty although the day was read', async () => {
  await visitor.preview(day.date)
  site.faults.add({ kind: 'coldSession', times: 1 })
  expect(await visitor.page('W', 1)).toEqual([])
  expect(await visitor.page('W', 1)).toEqual(waiting.slice(0, 10))
})

it('a gone day is counted by the calendar and nowhere else', async () => {
  site.faults.add({ kind: 'goneDay', when: { date: day.date } })
  expect(await (await visitor.preview(day.date)).text()).toMatch(/id="ALB"[^>]*><\/div>/)
  for (const area of ['W', 'R', 'C'] as const) expect(await visitor.page(area, 1)).toEqual([])
  expect((await visitor.status(waiting)).ADATA.AITEM).toEqual([])
  expect(await (await visitor.calendar()).text()).toContain('<span  class="CALSCH">26</span>')
})

it('the id list and the counts can be missing', async () => {
  site.faults.add({ kind: 'noIdList' })
  site.faults.add({ kind: 'noCounts' })
  expect(await (await visitor.preview(day.date)).text()).not.toContain('id="ALB"')
  const calendar = await (await visitor.calendar()).text()
  expect(calendar).toContain('03/20/2026')
  expect(calendar).not.toContain('CALSCH')
})

it('a session can answer with another day', async () => {
  await visitor.preview(day.date)
  site.faults.add({ kind: 'wrongDate' })
  const theirs = nextDay.items.filter((item) => item.area === 'W').map((item) => item.aid)
  expect(await visitor.page('W', 1)).toEqual(theirs.slice(0, 10))
  expect((await visitor.status(theirs)).ADATA.AITEM).toHaveLength(theirs.length)
})

it('a page can come again in place of the next, or lack items', async () => {
  await visitor.preview(day.date)
  const remove = site.faults.add({ kind: 'repeatPage' })
  expect(await visitor.page('W', 2)).toEqual(waiting.slice(0, 10))
  remove()
  site.faults.add({ kind: 'shortPage', drop: 3, when: { page: 1 } })
  expect(await visitor.page('W', 1)).toEqual(waiting.slice(0, 7))
  expect(await visitor.page('W', 2)).toEqual(waiting.slice(10, 20))
})

it('an item can change area while the day is read: the page after it lacks one', async () => {
  await visitor.preview(day.date)
  site.faults.add({ kind: 'moveItem', times: 1 })
  expect(await visitor.page('W', 1)).toEqual(waiting.slice(0, 10))
  expect(await visitor.page('W', 2)).toEqual(waiting.slice(11, 21))
  const closed = site.days[0]?.items.find((item) => item.aid === waiting[0])
  expect(closed?.area).toBe('C')
  expect(await visitor.page('C', 1)).toContain(waiting[0])
})

it('a changed template leaves a token that is not in the table, or no labels', async () => {
  await visitor.preview(day.date)
  const remove = site.faults.add({ kind: 'templateChanged' })
  expect((await visitor.load('W')).markup).toContain('@MMSGA')
  remove()
  site.faults.add({ kind: 'templateChanged', how: 'labels' })
  const { ids, markup } = await visitor.load('W')
  expect(ids).toEqual(waiting.slice(0, 10))
  expect(markup).not.toContain('AD_LBL')
  expect(markup).toContain(`id="AITEM_${waiting[0]}"`)
})

it('an answer waits for its latency', async () => {
  const slow = await startSampleSite({ today, days: [], latencyMs: 600_000 })
  const asked = Promise.allSettled([new Visitor(slow).calendar()])
  await vi.waitFor(() => expect(slow.requests).toHaveLength(1))
  expect(slow.requests[0]?.status).toBeNull()
  await slow.close()
  expect(await asked).toMatchObject([{ status: 'rejected' }])
})
