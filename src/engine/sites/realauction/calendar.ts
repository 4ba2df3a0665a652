import type { Cheerio } from 'cheerio/slim'
import { load } from 'cheerio/slim'
import type { Element } from 'domhandler'
import type { CalendarDate } from '../../../domain.ts'
import { parseDate, parseNamedDate } from '../../convert/dates.ts'
import { ScrapeError } from '../../errors.ts'
import { textOf } from '../text.ts'
import { recognisePage } from './pages.ts'

/** One day of a month page. */
export interface CalendarCell {
  date: CalendarDate
  /** Auctions are published for this day. */
  sale: boolean
  /** All listings of the day (CALSCH), summed over foreclosures and tax deeds; null where the cell names no count. */
  scheduled: number | null
  /** Listings that still wait (CALACT), summed likewise; null where the cell names no count. */
  waiting: number | null
  /** `10:00 AM ET`; null where the cell names none. */
  timeText: string | null
  /** `Foreclosure`, `Tax Deed`, `Treasurer Deed`; null where the cell names none. */
  typeText: string | null
}

export interface CalendarMonth {
  /** `YYYY-MM`; null when the page shows no day at all. */
  month: string | null
  /** Every day cell of the month. */
  days: Map<CalendarDate, CalendarCell>
}

/**
 * Reads a month page. A sale day is any cell with a `dayid` (an Ohio calendar has it without the class that sale days
 * bear elsewhere); other days carry their date in `aria-label` alone. Cells of neighbouring months are left out.
 *
 * Throws SITE_OFFLINE or BLOCKED for such a page, TEMPLATE_CHANGED for a cell whose date cannot be read.
 */
export function parseCalendar(html: string): CalendarMonth {
  const $ = load(html)
  const boxes = $('.CALBOX, [dayid]').filter((_, box) => $(box).parents('.CALBOX, [dayid]').length === 0)
  const cells = boxes
    .toArray()
    .map((box) => readCell($(box)))
    .filter((cell) => cell !== null)
  if (cells.length === 0) {
    const fault = recognisePage(html)
    if (fault !== null) throw fault
  }
  const month = mostFrequent(cells.map((cell) => cell.date.slice(0, 7)))
  const days = new Map<CalendarDate, CalendarCell>()
  for (const cell of cells) {
    if (cell.date.slice(0, 7) !== month) continue
    const before = days.get(cell.date)
    days.set(cell.date, before === undefined ? cell : merge(before, cell))
  }
  return { month, days }
}

/** null for a box without any date: the blanks before the first and after the last of the month. */
function readCell(box: Cheerio<Element>): CalendarCell | null {
  const dayId = box.attr('dayid')?.trim() || box.find('[dayid]').attr('dayid')?.trim()
  const label = box.attr('aria-label')?.trim() || box.find('[aria-label]').attr('aria-label')?.trim()
  if (!dayId && !label) return null
  const date = (dayId && parseDate(dayId)) || (label && parseNamedDate(label)) || null
  if (date === null) {
    throw new ScrapeError('TEMPLATE_CHANGED', `the calendar shows a day without a date: ${dayId || label}`)
  }
  const scheduled = sum(box.find('.CALSCH'))
  return {
    date,
    sale: Boolean(dayId) || scheduled !== null || /\bCALSEL[A-Z]\b/.test(box.attr('class') ?? ''),
    scheduled,
    waiting: sum(box.find('.CALACT')),
    timeText: textOfFirst(box.find('.CALTIME')),
    typeText: readType(box),
  }
}

function sum(counts: Cheerio<Element>): number | null {
  const numbers = counts
    .toArray()
    .map((element) => textOf(element).replaceAll(',', ''))
    .filter((text) => /^\d+$/.test(text))
    .map(Number)
  return numbers.length === 0 ? null : numbers.reduce((total, n) => total + n, 0)
}

/** The words of CALTEXT before its counts and time. */
function readType(box: Cheerio<Element>): string | null {
  const text = box.find('.CALTEXT').first().clone()
  text.find('.CALMSG, .CALTIME, .CALACT, .CALSCH').remove()
  return textOfFirst(text)
}

function textOfFirst(found: Cheerio<Element>): string | null {
  const element = found.get(0)
  return element === undefined ? null : textOf(element) || null
}

function mostFrequent(words: string[]): string | null {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
}

/** Two boxes for one day, such as one for foreclosures and one for tax deeds. */
function merge(a: CalendarCell, b: CalendarCell): CalendarCell {
  const add = (x: number | null, y: number | null) => (x === null ? y : x + (y ?? 0))
  return {
    date: a.date,
    sale: a.sale || b.sale,
    scheduled: add(a.scheduled, b.scheduled),
    waiting: add(a.waiting, b.waiting),
    timeText: a.timeText ?? b.timeText,
    typeText: a.typeText ?? b.typeText,
  }
}
