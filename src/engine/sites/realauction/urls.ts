import { DateTime } from 'luxon'
import type { CalendarDate } from '../../../domain.ts'
import type { Area } from './items.ts'

/** The tenant behind a URL: its host without `www.`, with the port where that is not the scheme's own. */
export const siteKey = (url: URL): string => url.host.toLowerCase().replace(/^www\./, '')

/** A month page. `month` is `YYYY-MM`. The date's form is the one of the site's own links to other months. */
export const calendarUrl = (site: URL, month: string): URL =>
  page(site, `zaction=USER&zmethod=CALENDAR&selCalDate=%7Bts%20%27${month}-01%2000%3A00%3A00%27%7D`)

/** The page of one auction day. Getting it binds the day to the session, and it is where a person would look. */
export const previewUrl = (site: URL, date: CalendarDate): URL =>
  page(site, `zaction=AUCTION&Zmethod=PREVIEW&AUCTIONDATE=${usDate(date)}`)

/**
 * One page of an area of the session's day. `page` counts from 1 and is absolute, as the site's own pager asks for it.
 */
export const loadUrl = (site: URL, area: Area, pageNumber: number, now: number = Date.now()): URL =>
  page(
    site,
    `zaction=AUCTION&Zmethod=UPDATE&FNC=LOAD&AREA=${area}&PageDir=0&doR=1&tx=${now}&bypassPage=${pageNumber}&test=1`,
  )

/** The statuses of the listings named. */
export const statusUrl = (site: URL, ids: readonly string[], now: number = Date.now()): URL =>
  page(site, `zaction=AUCTION&ZMETHOD=UPDATE&FNC=UPDATE&ref=${ids.join(',')}&tx=${now}`)

/** `MM/DD/YYYY`, as the site writes dates in its URLs. */
export const usDate = (date: CalendarDate): string => DateTime.fromISO(date, { zone: 'utc' }).toFormat('MM/dd/yyyy')

const page = (site: URL, query: string): URL => new URL(`/index.cfm?${query}`, site.origin)
