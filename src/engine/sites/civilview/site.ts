import type { CalendarDate } from '../../../domain.ts'
import { parsePrintedDate } from '../../convert/dates.ts'
import { labelField } from '../../convert/labels.ts'
import { normaliseKey } from '../../convert/normalise.ts'
import { type ErrorCode, ScrapeError } from '../../errors.ts'
import { type FullList, type ListEntry, readFullList } from '../fullList.ts'
import type { Pages } from '../pages.ts'
import type { Platform, SiteItem, Visit } from '../site.ts'
import { distinctKeys } from '../sourceKeys.ts'
import { parseDetail, type SaleDetail, withStatus } from './detail.ts'
import { type ListedSale, parseList, type SalesList } from './list.ts'
import { readSaved } from './saved.ts'
import { countyId, listUrl, siteKey } from './urls.ts'

/** The county sheriffs' sites of CivilView: two lists, and a page for each sale that its session alone can open. */
export const civilView: Platform = {
  platform: 'CIVILVIEW',
  siteKey,
  read: (visit) => readFullList(visit, (pages) => openLists(visit, pages)),
  readSaved,
  issuesOf: (url) =>
    countyId(url) === null
      ? [
          {
            path: ['url'],
            message: 'must name the county: https://salesweb.civilview.com/Sales/SalesSearch?countyId=7',
          },
        ]
      : [],
}

interface Entry extends ListEntry, ListedSale {
  sourceKey: string
}

/** A session, or a site, in which this many pages in a row fail gives no more. */
const mostFailures = 3

async function openLists(visit: Visit, pages: Pages): Promise<FullList<Entry>> {
  const first = await pages.get(listUrl(visit.url))
  const open = await visit.stage('PARSE', () => parseList(first.text, first.url))
  if (open.form === null) {
    throw new ScrapeError('TEMPLATE_CHANGED', 'the page of sales has no form to ask for those that are over')
  }
  const { action, fields } = open.form
  const second = await pages.post(action, { ...fields, [isOpenName(fields)]: 'false' })
  const over = await visit.stage('PARSE', () => parseOver(second.text, second.url))
  if (over.open === true || (over.open === null && sameRows(open, over))) {
    throw new ScrapeError('COLD_SESSION', 'the site shows its sales to come in place of those that are over')
  }
  const entries = entriesOf(open, over)
  return {
    entries,
    dated: true,
    pages: 2,
    gap: open.gap ?? over.gap,
    itemsOf: (some) => readItems(visit, pages, some),
  }
}

const isOpenName = (fields: Record<string, string>): string =>
  Object.keys(fields).find((name) => /^isopen$/i.test(name)) ?? 'IsOpen'

/** A session without a county is led elsewhere: what is no list then says nothing of the template. */
function parseOver(html: string, url: URL): SalesList {
  try {
    return parseList(html, url)
  } catch (error) {
    if (!(error instanceof ScrapeError) || error.code !== 'TEMPLATE_CHANGED') throw error
    throw new ScrapeError('COLD_SESSION', error.message, { cause: error })
  }
}

const sameRows = (a: SalesList, b: SalesList): boolean =>
  a.rows.length > 0 && JSON.stringify(a.rows) === JSON.stringify(b.rows)

/** A sale that was moved from one list to the other while we read is one sale, and is over. */
function entriesOf(open: SalesList, over: SalesList): Entry[] {
  const moved = new Set(over.rows.flatMap((row) => row.link?.href ?? []))
  const rows = [
    ...open.rows
      .filter((row) => row.link === null || !moved.has(row.link.href))
      .map((row) => ({ ...row, area: 'W' as const })),
    ...over.rows.map((row) => ({ ...row, area: 'C' as const })),
  ]
  const keys = distinctKeys(rows.map((row) => normaliseKey(row.sheriffNumber) ?? '-'))
  return rows.map((row, i) => ({ ...row, sourceKey: keys[i] as string }))
}

async function readItems(
  visit: Visit,
  pages: Pages,
  entries: readonly Entry[],
): Promise<{ items: SiteItem[]; lacks: ScrapeError | null }> {
  const items: SiteItem[] = []
  const missing: { entry: Entry; error: ScrapeError }[] = []
  let failures = 0
  for (const entry of entries) {
    if (failures >= mostFailures) {
      missing.push({ entry, error: new ScrapeError('DAY_INCOMPLETE', 'not asked for any more') })
      continue
    }
    try {
      items.push(await readItem(visit, pages, entry))
      failures = 0
    } catch (error) {
      visit.signal.throwIfAborted()
      if (!isOfOnePage(error)) throw error
      missing.push({ entry, error })
      failures++
    }
  }
  const [first] = missing
  if (first === undefined) return { items, lacks: null }
  if (items.length === 0) throw first.error
  const some = missing.slice(0, 10).map(({ entry }) => entry.sheriffNumber)
  const what = `${missing.length} of ${entries.length} sales were not received: ${some.join(', ')}`
  const lacks = new ScrapeError('DAY_INCOMPLETE', `${what}: ${first.error.message}`, { cause: first.error })
  return { items, lacks }
}

const ofOnePage: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HTTP_ERROR',
  'CONNECTION',
  'TIMEOUT',
  'TEMPLATE_CHANGED',
  'BODY_TOO_LARGE',
  'DAY_INCOMPLETE',
])

/** What one page may meet while the others are fine. A site that asks for more time than is left ends the day. */
const isOfOnePage = (error: unknown): error is ScrapeError =>
  error instanceof ScrapeError && ofOnePage.has(error.code) && error.detail.retryAfterSeconds === undefined

async function readItem(visit: Visit, pages: Pages, entry: Entry): Promise<SiteItem> {
  const { link, sheriffNumber } = entry
  if (link === null) throw new ScrapeError('TEMPLATE_CHANGED', `sale ${sheriffNumber} has no link to its page`)
  const page = await pages.get(link)
  return visit.stage('PARSE', () => {
    const detail = parseDetail(page.text)
    check(detail, entry, page.url)
    return {
      sourceKey: entry.sourceKey,
      auctionId: null,
      // A sale's own page opens in no other session, and its address changes.
      url: listUrl(visit.url).href,
      raw: { fields: withStatus(complete(detail, entry), entry.area), status: null, area: entry.area },
      auctionDate: entry.date,
      timeText: null,
    }
  })
}

/** Throws COLD_SESSION for a page that is another's, and for what keeps one sale from being read its own error. */
function check(detail: SaleDetail, entry: Entry, url: URL): void {
  const of = `the page of sale ${entry.sheriffNumber}`
  if (detail.fields.length === 0) {
    const led = url.pathname.toLowerCase() !== entry.link?.pathname.toLowerCase()
    if (led) throw new ScrapeError('COLD_SESSION', `${of} leads to ${url.pathname}`, { url: url.href })
    throw new ScrapeError('TEMPLATE_CHANGED', `${of} shows no fields`, { url: url.href })
  }
  if (!detail.closed) throw new ScrapeError('DAY_INCOMPLETE', `${of} was cut off`, { url: url.href })
  const number = valueOf(detail, 'saleNumber')
  if (number !== null && normaliseKey(number) !== normaliseKey(entry.sheriffNumber)) {
    throw new ScrapeError('COLD_SESSION', `${of} is that of ${number}`, { url: url.href })
  }
  const date = dateOf(detail)
  if (date !== null && date !== entry.date) {
    throw new ScrapeError('DAY_INCOMPLETE', `${of} was moved to ${date} meanwhile`, { url: url.href })
  }
}

const valueOf = (detail: SaleDetail, name: 'saleNumber' | 'auctionDate'): string | null =>
  detail.fields.find((field) => labelField(field.label) === name)?.value || null

function dateOf(detail: SaleDetail): CalendarDate | null {
  const text = valueOf(detail, 'auctionDate')
  return text === null ? null : (parsePrintedDate(text)?.date ?? null)
}

/** What the list alone tells; its addresses are cut short. */
function complete(detail: SaleDetail, entry: Entry): SaleDetail {
  const told = new Set(detail.fields.map((field) => labelField(field.label)))
  const more = entry.fields.filter((field) => {
    const name = labelField(field.label)
    return name !== null && name !== 'address' && !told.has(name)
  })
  return { ...detail, fields: [...detail.fields, ...more] }
}
