import { load as parseHtml } from 'cheerio/slim'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generateDay } from '../../../src/demo/site/generate.ts'
import { type SampleSite, startSampleSite } from '../../../src/demo/site/server.ts'
import type { Area, SampleDay, SampleItem } from '../../../src/demo/site/types.ts'
import { userAgent, Visitor } from './visitor.ts'

const today = '2026-03-18'
/** A sale under way: 24 listings over all three areas. */
const underWay = generateDay(today, { today, perDay: 24, types: ['FC'] })
const ahead = generateDay('2026-03-20', { today, perDay: 21, types: ['BOTH'] })
const past = generateDay('2026-03-05', { today, perDay: 12, types: ['SHERIFF'] })

let site: SampleSite
beforeEach(async () => {
  site = await startSampleSite({ today, days: [ahead, underWay, past] })
})
afterEach(() => site.close())

const areaIds = (day: SampleDay, area: Area): string[] =>
  day.items.filter((item) => item.area === area).map((item) => item.aid)

describe('the calendar', () => {
  it.each(["{ts '2026-03-01 00:00:00'}", '03/15/2026', '2026-03-15', undefined])(
    'shows the month asked for by %s',
    async (selCalDate) => {
      const $ = parseHtml(await (await new Visitor(site).calendar(selCalDate)).text())
      expect($('.CALBOX[aria-label]').length).toBe(31)
      const cells = $('[dayid]').toArray()
      expect(cells.map((cell) => $(cell).attr('dayid'))).toEqual(['03/05/2026', '03/18/2026', '03/20/2026'])
      expect(cells.map((cell) => $(cell).attr('aria-label'))).toEqual([
        'March-05-2026',
        'March-18-2026',
        'March-20-2026',
      ])
    },
  )

  it('counts the waiting and all listings of a day, of both kinds where it has both', async () => {
    const $ = parseHtml(await (await new Visitor(site).calendar()).text())
    const sum = (dayid: string, figure: string): number =>
      $(`[dayid="${dayid}"] ${figure}`)
        .toArray()
        .reduce((total, span) => total + Number($(span).text()), 0)
    for (const day of site.days) {
      const dayid = `${day.date.slice(5, 7)}/${day.date.slice(8)}/${day.date.slice(0, 4)}`
      expect(sum(dayid, '.CALSCH')).toBe(day.items.length)
      expect(sum(dayid, '.CALACT')).toBe(areaIds(day, 'W').length)
    }
    expect($('[dayid="03/20/2026"] .CALMSG').length).toBe(2)
  })

  it('gives a sheriff day no class of a sale, and the others theirs', async () => {
    const $ = parseHtml(await (await new Visitor(site).calendar()).text())
    expect(
      $('[dayid]')
        .map((_, cell) => $(cell).attr('class'))
        .get(),
    ).toEqual(['CALBOX CALW5', 'CALBOX CALW5 CALSELF', 'CALBOX CALW5 CALSELB'])
  })

  it('turns to the months beside by its own links', async () => {
    const visitor = new Visitor(site)
    const $ = parseHtml(await (await visitor.calendar()).text())
    const next = $('.CALNAV a[aria-label="Next Month"]').attr('href') ?? ''
    const april = parseHtml(await (await visitor.get(next.slice(next.indexOf('?')))).text())
    expect(april('.CALBOX[aria-label^="April-"]').length).toBe(30)
    expect(april('[dayid]').length).toBe(0)
  })

  it('reads names and values of parameters without case', async () => {
    const response = await new Visitor(site).get('?ZACTION=user&ZMethod=Calendar&SELCALDATE=2026-04-01')
    expect(await response.text()).toContain('April-30-2026')
  })
})

describe('a day', () => {
  it('starts as an empty shell that lists the ids of all areas and the sale days beside', async () => {
    const response = await new Visitor(site).preview(today)
    const cookies = response.headers.getSetCookie()
    expect(cookies.find((line) => line.startsWith('cftoken='))).toMatch(/; HttpOnly$/)
    expect(cookies.some((line) => line.startsWith('AWSALB='))).toBe(true)
    const $ = parseHtml(await response.text())
    expect($('#ALB').text().split(',')).toEqual(underWay.items.map((item) => item.aid))
    expect($('.BLHeaderPrev a').attr('href')).toMatch(/AuctionDate=03\/05\/2026$/)
    expect($('.BLHeaderNext a').attr('href')).toMatch(/AuctionDate=03\/20\/2026$/)
    expect($('.BLHeaderDateDisplay').text()).toBe('Wednesday March 18, 2026')
    expect($('.Auct_Area .Loading').length).toBe(3)
    expect($('.PageFrame').length).toBe(4)
    expect($('#maxWA').text()).toBe('')
    expect($('a:contains("Property Appraiser")').length).toBe(1)
    expect($('#LogPass').length).toBe(1)
  })

  it('gives every listing of every area, and each field as the truth has it', async () => {
    for (const day of site.days) {
      const visitor = new Visitor(site)
      await visitor.preview(day.date)
      for (const area of ['W', 'R', 'C'] as const) {
        const expected = day.items.filter((item) => item.area === area)
        const found = new Map<string, unknown>()
        for (let page = 1; page <= 3; page += 1) {
          const { ids, markup } = await visitor.load(area, `PageDir=0&doR=1&bypassPage=${page}`)
          const $ = parseHtml(markup)
          for (const aid of ids) found.set(aid, fieldsOf($, aid))
        }
        expect([...found.keys()]).toEqual(expected.map((item) => item.aid))
        for (const item of expected) expect(found.get(item.aid)).toEqual(item.fields)
      }
    }
  })

  it('has pages of ten, repeats its last page beyond the end and turns pages within the session', async () => {
    const visitor = new Visitor(site)
    await visitor.preview(ahead.date)
    const waiting = areaIds(ahead, 'W')
    expect(waiting.length).toBeGreaterThan(10)
    expect(waiting.length).toBeLessThan(21)
    expect(await visitor.page('W', 1)).toEqual(waiting.slice(0, 10))
    const turned = async (direction: number) => (await visitor.load('W', `PageDir=${direction}&doR=0`)).ids
    expect(await turned(1)).toEqual(waiting.slice(10))
    expect(await turned(1)).toEqual(waiting.slice(10))
    expect(await turned(-1)).toEqual(waiting.slice(0, 10))
    expect(await visitor.page('W', 7)).toEqual(waiting.slice(10))
  })

  it('belongs to the session: another day page binds it anew', async () => {
    const visitor = new Visitor(site)
    await visitor.preview(today)
    await visitor.preview(ahead.date)
    expect(await visitor.page('W', 1)).toEqual(areaIds(ahead, 'W').slice(0, 10))
  })

  it('answers a cold session like an empty area: status 200 and padded JSON called HTML', async () => {
    const cold = new Visitor(site)
    const answers = [await cold.loadRaw('W')]
    await cold.calendar()
    answers.push(await cold.loadRaw('W'))
    const warm = new Visitor(site)
    await warm.preview(past.date)
    answers.push(await warm.loadRaw('W'))
    for (const answer of answers) {
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('text/html;charset=UTF-8')
      const body = await answer.text()
      expect(body).toMatch(/^\s{240}\{"retHTML":"", "rlist":""\}\n+$/)
    }
  })

  it.each(['cfid', 'cftoken', 'AWSALB'])('is cold to a visitor without the cookie %s', async (cookie) => {
    const visitor = new Visitor(site)
    await visitor.preview(ahead.date)
    expect(await visitor.page('W', 1)).toHaveLength(10)
    visitor.forget(cookie)
    expect(await visitor.page('W', 1)).toEqual([])
  })

  it('shortens its markup by the token table', async () => {
    const visitor = new Visitor(site)
    await visitor.preview(past.date)
    const body = await (await visitor.loadRaw('C')).text()
    expect(body).toContain('@C@E_ITEM PREVIEW')
    expect(body).not.toContain('<div class=')
    expect(body).not.toContain('</td></tr>')
  })

  it('tells the statuses of the listings asked for, one as an object and several as a list', async () => {
    const visitor = new Visitor(site)
    await visitor.preview(underWay.date)
    const aids = underWay.items.map((item) => item.aid)
    const all = await visitor.status(aids)
    expect(all.ADATA.COUNT).toBe('24')
    expect(all.CM).toBe(String(Math.ceil(areaIds(underWay, 'C').length / 10)))
    expect(all.WM).toBe(String(Math.ceil(areaIds(underWay, 'W').length / 10)))
    const statuses = (all.ADATA.AITEM as Record<string, string>[]).map(({ AID, ST, ...rest }) => ({
      aid: AID,
      status: { ...rest, ST: ST?.trim() },
    }))
    expect(statuses).toEqual(underWay.items.map(({ aid, status }) => ({ aid, status })))
    const one = await visitor.status(aids.slice(0, 1))
    expect(one.ADATA).toEqual({ AITEM: expect.objectContaining({ AID: aids[0] }), COUNT: 1 })
    expect((await new Visitor(site).status(aids)).ADATA.AITEM).toEqual([])
  })

  it('without a sale is a shell without ids', async () => {
    const visitor = new Visitor(site)
    const $ = parseHtml(await (await visitor.preview('2026-03-19')).text())
    expect($('#ALB').text()).toBe('')
    expect(await visitor.page('W', 1)).toEqual([])
  })
})

describe('the server', () => {
  it('refuses clients that do not call themselves a browser', async () => {
    for (const agent of ['', 'curl/8.5.0', 'node']) {
      const response = await new Visitor(site).get('?zaction=USER&zmethod=CALENDAR', { 'user-agent': agent })
      expect(response.status).toBe(403)
    }
    expect(site.requests.map((request) => request.status)).toEqual([403, 403, 403])
  })

  it('does not know other paths, and serves the files that its pages name', async () => {
    const get = (path: string) => fetch(new URL(path, site.url), { headers: { 'user-agent': userAgent } })
    expect((await get('/robots.txt')).status).toBe(404)
    expect((await get('/CORE/System/JS/none.js')).status).toBe(404)
    const html = await (await new Visitor(site).preview(today)).text()
    const files = [...html.matchAll(/(?:src|href)="(\/CORE\/[^"]+)"/g)].map((match) => match[1] ?? '')
    expect(new Set(files).size).toBe(4)
    for (const file of files) expect((await get(file)).status).toBe(200)
  })

  it('logs each request with its kind, its session and its status', async () => {
    const visitor = new Visitor(site)
    await visitor.preview(today)
    await visitor.page('W', 2)
    const [preview, load] = site.requests
    expect(preview).toMatchObject({
      method: 'GET',
      path: '/index.cfm',
      kind: 'PREVIEW',
      date: today,
      status: 200,
      userAgent,
    })
    expect(load).toMatchObject({ kind: 'LOAD', date: today, status: 200 })
    expect(load?.query).toMatchObject({ area: 'W', bypasspage: '2' })
    expect(load?.sessionId).toBe(preview?.sessionId)
    expect(load?.sessionId).not.toBeNull()
  })

  it('holds what it is given from the next answer on', async () => {
    const visitor = new Visitor(site)
    await visitor.preview(today)
    const only = { ...(underWay.items[0] as SampleItem), area: 'W' as const }
    site.setDays([{ ...underWay, items: [only] }])
    expect(await visitor.page('W', 1)).toEqual([only.aid])
    expect(site.days).toHaveLength(1)
    expect(() => site.setDays([underWay, underWay])).toThrow('one day per date')
  })

  it('runs beside others that share nothing with it', async () => {
    const other = await startSampleSite({ today, days: [] })
    try {
      expect(other.port).not.toBe(site.port)
      const visitor = new Visitor(other)
      await visitor.calendar()
      expect(site.requests).toHaveLength(0)
      await expect(startSampleSite({ port: other.port })).rejects.toThrow('EADDRINUSE')
    } finally {
      await other.close()
    }
  })
})

/** What a careful reader finds in an item: labels and values in page order, whatever the template. */
function fieldsOf($: ReturnType<typeof parseHtml>, aid: string): unknown[] {
  const fields: { label: string; value: string; href?: string }[] = []
  const fold = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
  for (const cell of $(`#AITEM_${aid}`).find('.AD_LBL, .AD_DTA').toArray()) {
    const last = fields.at(-1)
    if ($(cell).hasClass('AD_LBL')) fields.push({ label: fold($(cell).text()), value: '' })
    else if (last) {
      last.value = fold($(cell).text())
      const href = $(cell).find('a').attr('href')
      if (href !== undefined) last.href = href
    }
  }
  return fields
}
