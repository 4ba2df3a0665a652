import type { SampleSite } from '../../../src/demo/site/server.ts'
import { tokenTable } from '../../../src/demo/site/tokens.ts'
import type { Area } from '../../../src/demo/site/types.ts'
import type { CalendarDate } from '../../../src/domain.ts'

export const userAgent = 'Mozilla/5.0 (compatible; Gavel/0.0; +https://example.org)'

/** A visitor with a cookie jar, who follows no redirect. */
export class Visitor {
  readonly #site: SampleSite
  readonly #cookies = new Map<string, string>()

  constructor(site: SampleSite) {
    this.#site = site
  }

  async get(query: string, headers: Record<string, string> = {}): Promise<Response> {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ')
    const response = await fetch(`${this.#site.url}${query}`, {
      redirect: 'manual',
      headers: { 'user-agent': userAgent, ...(cookie ? { cookie } : {}), ...headers },
    })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s)
      this.#cookies.set(name, value)
    }
    return response
  }

  forget(cookie: string): void {
    this.#cookies.delete(cookie)
  }

  calendar(selCalDate?: string): Promise<Response> {
    const month = selCalDate === undefined ? '' : `&selCalDate=${encodeURIComponent(selCalDate)}`
    return this.get(`?zaction=USER&zmethod=CALENDAR${month}`)
  }

  preview(date: CalendarDate): Promise<Response> {
    const [year, month, day] = date.split('-')
    return this.get(`?zaction=AUCTION&Zmethod=PREVIEW&AUCTIONDATE=${month}/${day}/${year}`)
  }

  loadRaw(area: Area, paging = 'PageDir=0&doR=1&bypassPage=1'): Promise<Response> {
    return this.get(`?zaction=AUCTION&Zmethod=UPDATE&FNC=LOAD&AREA=${area}&${paging}&tx=1&test=1`)
  }

  /** The ids and the decoded markup of a LOAD. */
  async load(area: Area, paging?: string): Promise<{ ids: string[]; markup: string }> {
    const { retHTML, rlist } = (await (await this.loadRaw(area, paging)).json()) as { retHTML: string; rlist: string }
    return { ids: rlist === '' ? [] : rlist.split(','), markup: decode(retHTML) }
  }

  async page(area: Area, page: number): Promise<string[]> {
    return (await this.load(area, `PageDir=0&doR=1&bypassPage=${page}`)).ids
  }

  async status(aids: readonly string[]): Promise<StatusAnswer> {
    return (await (
      await this.get(`?zaction=AUCTION&ZMETHOD=UPDATE&FNC=UPDATE&ref=${aids.join(',')}&tx=1`)
    ).json()) as StatusAnswer
  }
}

export interface StatusAnswer {
  ADATA: { AITEM: Record<string, string> | Record<string, string>[]; COUNT: number | string }
  NC: number
  CM: string
  WM: string
}

function decode(text: string): string {
  return tokenTable.reduce((markup, [token, long]) => markup.split(token).join(long), text)
}
