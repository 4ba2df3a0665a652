import type { CalendarDate, DayFigures } from '../../../domain.ts'
import { type ErrorCode, ScrapeError } from '../../errors.ts'
import type { CalendarCell } from './calendar.ts'
import { areas, type ReadItem, type SessionRead } from './dayReader.ts'

/** All that is known of a day when it is judged. */
export interface Evidence {
  date: CalendarDate
  /** The site's own calendar day. */
  today: CalendarDate
  /** The day's cell of its month page, as read last. */
  cell: CalendarCell
  /** The last sale day that is published; null when none is. */
  publishedUntil: CalendarDate | null
  /** One entry per session that read the day, in order; null for one that turned out to stand at another day. */
  reads: readonly (SessionRead | null)[]
}

export interface Verdict extends DayFigures {
  /** The union of the sessions, in the order of the areas. */
  items: ReadItem[]
  /** Why the day is INCOMPLETE. */
  error: ScrapeError | null
}

const enoughSessions = 2

/** Whether another session could still prove the day. */
export const wantsAnotherSession = (evidence: Evidence, verdict: Verdict): boolean =>
  verdict.outcome === 'INCOMPLETE' && evidence.reads.length < enoughSessions

/**
 * Judges a day by what was read of it.
 *
 * A day without a sale needs no session: EMPTY when it is past, today, or before a sale day that is published, else
 * NOT_PUBLISHED. A sale day is COMPLETE when the union of its listings holds every id of the day's list, at least as
 * many as the calendar schedules and, before the sale day, at least as many waiting as the calendar says; a day
 * without any of these figures never is. GONE is a past day that the calendar counts listings for and of which two
 * sessions showed neither ids nor listings. Everything else is INCOMPLETE.
 */
export function judgeDay(evidence: Evidence): Verdict {
  const { cell, date, today, publishedUntil, reads } = evidence
  if (!cell.sale) {
    const covered = date <= today || (publishedUntil !== null && date < publishedUntil)
    return withoutSale(covered)
  }
  const items = union(reads)
  const count = (area: ReadItem['area']) => items.filter((item) => item.area === area).length
  // The newest list is the truth about the day; an empty one proves nothing.
  const listed = reads.findLast((read) => read !== null && (read.listed?.length ?? 0) > 0)?.listed ?? null
  const expected = listed?.length ?? cell.scheduled
  const lacks = whatLacks(evidence, items, listed, count('W'))
  const figures = {
    expected,
    scheduled: cell.scheduled,
    waiting: cell.waiting,
    running: count('R'),
    closed: count('C'),
    pages: reads.reduce((pages, read) => pages + (read?.pages ?? 0), 0),
    items,
  }
  if (lacks === null) {
    return { outcome: 'COMPLETE', proof: listed === null ? 'COUNT' : 'ID_LIST', ...figures, error: null }
  }
  if (isGone(evidence)) return { outcome: 'GONE', proof: null, ...figures, error: null }
  const code: ErrorCode = items.length === 0 && expected !== null ? 'COLD_SESSION' : 'DAY_INCOMPLETE'
  return { outcome: 'INCOMPLETE', proof: null, ...figures, error: new ScrapeError(code, lacks, { date }) }
}

function withoutSale(covered: boolean): Verdict {
  const figures = { expected: null, scheduled: null, waiting: null, running: null, closed: null, pages: 0 }
  return covered
    ? { outcome: 'EMPTY', proof: 'CALENDAR', ...figures, items: [], error: null }
    : { outcome: 'NOT_PUBLISHED', proof: null, ...figures, items: [], error: null }
}

/** Where two sessions show an item, the later one is believed. */
function union(reads: readonly (SessionRead | null)[]): ReadItem[] {
  const items = new Map<string, ReadItem>()
  for (const read of reads) {
    for (const [id, item] of read?.items ?? []) items.set(id, item)
  }
  return areas.flatMap((area) => [...items.values()].filter((item) => item.area === area))
}

/** What keeps the day from being COMPLETE, in words; null when nothing does. */
function whatLacks(
  { cell, date, today }: Evidence,
  items: readonly ReadItem[],
  listed: readonly string[] | null,
  waiting: number,
): string | null {
  if (listed === null && cell.scheduled === null) return 'the site names no figure that could prove the day'
  const received = new Set(items.map((item) => item.auctionId))
  const missing = (listed ?? []).filter((id) => !received.has(id))
  if (missing.length > 0) {
    const some = missing.slice(0, 10).join(', ')
    return `${missing.length} of ${listed?.length} listed auctions were not received: ${some}`
  }
  if (received.size < (cell.scheduled ?? 0)) return `${received.size} of ${cell.scheduled} scheduled auctions received`
  if (date > today && waiting < (cell.waiting ?? 0)) return `${waiting} of ${cell.waiting} waiting auctions received`
  return null
}

const isGone = ({ date, today, cell, reads }: Evidence): boolean =>
  date < today &&
  (cell.scheduled ?? 0) > 0 &&
  reads.length >= enoughSessions &&
  reads.every((read) => read !== null && (read.listed ?? []).length === 0 && read.items.size === 0)
