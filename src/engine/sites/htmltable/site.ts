import { ScrapeError } from '../../errors.ts'
import { type FullList, type ListEntry, readFullList } from '../fullList.ts'
import type { Pages } from '../pages.ts'
import type { Platform, SavedListings, SiteItem, Visit } from '../site.ts'
import { distinctKeys } from '../sourceKeys.ts'
import { optionIssues, type TableOptions, tableOptions } from './options.ts'
import { parseTablePage, type TablePage } from './page.ts'

/** A pager that gives one new page after the other ends here. */
const mostPages = 100

/** Any county page with a table, described by the scrape URL's options. */
export const htmlTable: Platform = {
  platform: 'HTML_TABLE',
  siteKey,
  read: (visit) => {
    const options = tableOptions.parse(visit.options ?? {})
    return readFullList(visit, (pages) => openList(visit, pages, options))
  },
  readSaved,
  issuesOf: (_url, options) => optionIssues(options),
}

/** The scrape URL itself: a county may have several tables on one host. */
function siteKey(url: URL): string {
  const page = new URL(url)
  page.hash = ''
  return page.href
}

interface Entry extends ListEntry {
  item: SiteItem
}

async function openList(visit: Visit, pages: Pages, options: TableOptions): Promise<FullList<Entry>> {
  const read: TablePage[] = []
  let gap: string | null = null
  for (let url: URL | null = visit.url; url !== null; ) {
    const sent = await pages.get(url)
    const page = await visit.stage('PARSE', () => parseTablePage(sent.text, sent.url, options, read.length + 1))
    if (read.some((earlier) => isSame(earlier, page))) {
      gap = 'the pager shows a page again'
      break
    }
    read.push(page)
    gap = gapOf(page, read.length)
    url = gap === null && page.next.kind === 'link' ? page.next.url : null
  }
  return {
    entries: entriesOf(visit, read),
    dated: read.some((page) => page.dated),
    pages: read.length,
    gap,
    itemsOf: async (entries) => ({ items: entries.map((entry) => entry.item), lacks: null }),
  }
}

const isSame = (a: TablePage, b: TablePage): boolean =>
  a.rows.length > 0 && JSON.stringify(a.rows) === JSON.stringify(b.rows)

function gapOf(page: TablePage, pagesRead: number): string | null {
  if (!page.closed) return 'the page was cut off'
  if (page.next.kind === 'unreachable') return `the table goes on behind a pager that is no link: ${page.next.says}`
  if (page.next.kind === 'link' && pagesRead >= mostPages) return `the table has more than ${mostPages} pages`
  return null
}

function entriesOf({ url }: Pick<Visit, 'url'>, pages: readonly TablePage[]): Entry[] {
  const rows = pages.flatMap(({ rows, reading }) => rows.map((row) => ({ ...row, reading })))
  const keys = distinctKeys(rows.map((row) => row.key))
  return rows.map(({ fields, date, reading }, i) => ({
    date,
    area: null,
    item: {
      sourceKey: keys[i] as string,
      auctionId: null,
      url: url.href,
      raw: { fields, status: null, area: null },
      auctionDate: date,
      timeText: null,
      reading,
    },
  }))
}

/** The rows of the tables whose labels Gavel knows. */
function readSaved(body: string, url: string): SavedListings {
  try {
    const page = parseTablePage(body, new URL(url), {}, 1)
    return { items: entriesOf({ url: new URL(url) }, [page]).map((entry) => entry.item), note: null }
  } catch (error) {
    if (!(error instanceof ScrapeError)) throw error
    return { items: [], note: error.message }
  }
}
