import { load } from 'cheerio/slim'
import type { CalendarDate } from '../../../domain.ts'
import { parseDate, parseNamedDate } from '../../convert/dates.ts'
import { ScrapeError } from '../../errors.ts'
import { fold, textOf } from '../text.ts'
import { recognisePage } from './pages.ts'

/** A day page without its listings, which arrive by FNC=LOAD. */
export interface PreviewPage {
  /** The day the page, and with it the session, stands at; null where the page names none. */
  date: CalendarDate | null
  /** The ids of all the day's listings (`#ALB`), distinct; null where the page has no such list. */
  ids: string[] | null
  /** The neighbouring auction days, by the page's own links. */
  previous: CalendarDate | null
  next: CalendarDate | null
}

/**
 * Reads a PREVIEW page. Throws SITE_OFFLINE or BLOCKED for such a page, TEMPLATE_CHANGED for what is no day page and
 * for an id list that holds something else than ids.
 */
export function parsePreview(html: string): PreviewPage {
  const $ = load(html)
  const heading = $('.BLHeaderDateDisplay').get(0)
  const list = $('#ALB').get(0)
  if (heading === undefined && list === undefined && $('[arid]').length === 0) {
    throw recognisePage(html) ?? new ScrapeError('TEMPLATE_CHANGED', 'the page is not an auction day')
  }
  return {
    date: heading === undefined ? null : parseNamedDate(textOf(heading)),
    ids: list === undefined ? null : parseIds(textOf(list)),
    previous: dateInLink($('.BLHeaderPrev a').attr('href')),
    next: dateInLink($('.BLHeaderNext a').attr('href')),
  }
}

function parseIds(text: string): string[] {
  const ids = fold(text)
    .split(/[\s,]+/)
    .filter((id) => id !== '')
  const odd = ids.find((id) => !/^\d+$/.test(id))
  if (odd !== undefined) throw new ScrapeError('TEMPLATE_CHANGED', `the day's id list holds ${odd.slice(0, 40)}`)
  return [...new Set(ids)]
}

/** The date of `...&AuctionDate=06/08/2026`; the site writes the parameter's name in any case. */
function dateInLink(href: string | undefined): CalendarDate | null {
  const query = new URLSearchParams(href?.split('?')[1])
  const date = [...query].find(([name]) => name.toLowerCase() === 'auctiondate')?.[1]
  return date === undefined ? null : parseDate(date)
}
