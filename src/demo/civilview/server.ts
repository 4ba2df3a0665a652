import { randomUUID } from 'node:crypto'
import { type PlainAnswer, type PlainRequest, type PlainSite, startPlainSite } from '../plainSite.ts'
import { type CivilViewLook, detailPage, indexPage, listPage } from './pages.ts'
import type { SampleSale } from './sales.ts'

/** What can go wrong here beside the faults of any site. */
export type CivilViewFault =
  /** The server has forgotten the session. */
  | 'lostSession'
  /** The list's headers have other words. */
  | 'changedHeader'
  /** A sale's page has other markup. */
  | 'changedDetail'
  /** The form's answer is the list of sales to come once more. */
  | 'sameList'
  /** A sale's page is that of the next sale. */
  | 'otherSale'

export interface SampleCivilView extends PlainSite<CivilViewFault> {
  /** The scrape URL of its county. */
  readonly url: string
  readonly sales: readonly SampleSale[]
  /** Replaces everything the site holds, from the next answer on. */
  setSales(sales: readonly SampleSale[]): void
}

interface Session {
  /** Added to a sale's place: the number of its page in this session. */
  offset: number
}

/**
 * Starts a sample of a sheriff's site of CivilView with one county, number 7: getting its list binds the county to the
 * session, which alone opens the pages of the sales, under numbers of the moment.
 */
export async function startCivilView(
  sales: readonly SampleSale[],
  look: Partial<CivilViewLook> = {},
): Promise<SampleCivilView> {
  const shown: CivilViewLook = { layout: 'divs', numberHeader: 'Sheriff #', ...look }
  const sessions = new Map<string, Session>()
  let held = sales
  let opened = 0

  function respond({ method, url, cookies, form }: PlainRequest, met: ReadonlySet<string>): PlainAnswer {
    const id = cookies.get('ASP.NET_SessionId') ?? ''
    if (met.has('lostSession')) sessions.delete(id)
    const session = sessions.get(id)
    if (url.pathname === '/Sales/SalesSearch' && method === 'GET' && url.searchParams.get('countyId') === '7') {
      const own = session ? id : randomUUID()
      const bound = session ?? { offset: 500_000 + ++opened * 10_000 }
      sessions.set(own, bound)
      return { ...list(bound, true, met), headers: { 'set-cookie': `ASP.NET_SessionId=${own}; path=/; HttpOnly` } }
    }
    if (url.pathname === '/') return { body: indexPage() }
    if (session === undefined) return { status: 302, headers: { location: '/' }, body: indexPage() }
    if (url.pathname === '/Sales/SalesSearch' && method === 'POST') {
      return list(session, met.has('sameList') || form.get('IsOpen') !== 'false', met)
    }
    if (url.pathname === '/Sales/SaleDetails') {
      const place = Number(url.searchParams.get('PropertyId')) - session.offset + Number(met.has('otherSale'))
      const sale = held[place]
      if (sale === undefined) return { status: 404, body: 'Not found' }
      const body = detailPage(sale, shown)
      return { body: met.has('changedDetail') ? body.replaceAll(/sale-detail-|heading-bold/g, 'item-') : body }
    }
    return { status: 404, body: 'Not found' }
  }

  function list(session: Session, open: boolean, met: ReadonlySet<string>): PlainAnswer {
    const look = met.has('changedHeader') ? { ...shown, numberHeader: 'Writ' } : shown
    const link = (sale: SampleSale) => `/Sales/SaleDetails?PropertyId=${session.offset + held.indexOf(sale)}`
    return {
      body: listPage(
        held.filter((sale) => sale.over !== open),
        { county: 'Tilbury', open, look, link },
      ),
    }
  }

  const site = await startPlainSite<CivilViewFault>(respond)
  const { origin, host, requests, addFault, close } = site
  return {
    origin,
    host,
    requests,
    addFault,
    close,
    url: `${origin}/Sales/SalesSearch?countyId=7`,
    get held() {
      return site.held
    },
    get sales() {
      return held
    },
    setSales(next) {
      held = next
    },
  }
}
