import type { CalendarDate, RawStatus } from '../../../domain.ts'
import type { CalendarMonth } from './calendar.ts'
import type { Area, ParsedItem } from './items.ts'

/** A way to read a RealAuction site: plain HTTP or a browser. Both give the same. */
export interface DayReader {
  /** A fresh session: the server keeps the day it shows in it, so one session reads one day. */
  open(): Promise<DaySession>
}

export interface DaySession {
  /** `month`: `YYYY-MM`. */
  readMonth(month: string): Promise<CalendarMonth>
  /**
   * Reads the day page, all pages of all areas, and the statuses. Throws COLD_SESSION when the session turns out to
   * stand at another day.
   */
  readDay(date: CalendarDate): Promise<SessionRead>
  close(): Promise<void>
}

/** What one session showed of one day. */
export interface SessionRead {
  /** The day's id list (`#ALB`); null where the page has none. */
  listed: readonly string[] | null
  /** By auction id, in page order. */
  items: ReadonlyMap<string, ReadItem>
  /** Pages of areas that brought listings not seen before. */
  pages: number
}

/** A listing with the area it was seen in and its answer of the status call. */
export interface ReadItem extends ParsedItem {
  area: Area
  status: RawStatus | null
}

/** In the order in which a day page shows them; an item seen in two belongs to the later one. */
export const areas: readonly Area[] = ['W', 'R', 'C']

/** A pager that gives one new listing after the other ends here. */
export const mostPages = 200

/** How many listings one status call may name: its address stays well below 2048 characters. */
export const idsPerStatusCall = 100
