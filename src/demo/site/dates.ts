import { DateTime } from 'luxon'
import type { CalendarDate } from '../../domain.ts'

/** `2026-03-05` -> `03/05/2026`, as in links and `dayid`. */
export const slashes = (date: CalendarDate): string => format(date, 'MM/dd/yyyy')

/** `03/05/2026` -> `2026-03-05`; null for anything that is no date. */
export function fromSlashes(text: string): CalendarDate | null {
  return DateTime.fromFormat(text.trim(), 'MM/dd/yyyy', { zone: 'utc' }).toISODate()
}

/** `March-05-2026`, the label of a calendar cell. */
export const cellLabel = (date: CalendarDate): string => format(date, 'LLLL-dd-yyyy')

/** `Thursday March 5, 2026`, the heading of a day page. */
export const longDate = (date: CalendarDate): string => format(date, 'cccc LLLL d, yyyy')

export const monthName = (date: CalendarDate): string => format(date, 'LLLL yyyy')

export const addDays = (date: CalendarDate, days: number): CalendarDate => iso(at(date).plus({ days }))

export const addMonths = (date: CalendarDate, months: number): CalendarDate => iso(at(date).plus({ months }))

/** Whole days from one date to a later one; negative to an earlier one. */
export const daysBetween = (from: CalendarDate, to: CalendarDate): number => at(to).diff(at(from), 'days').days

export const isWeekend = (date: CalendarDate): boolean => at(date).weekday > 5

/**
 * The first day of the month that `selCalDate` asks for: `{ts '2026-08-01 00:00:00'}`, `MM/DD/YYYY` or `YYYY-MM-DD`;
 * without a readable one the month of `today`.
 */
export function monthAsked(selCalDate: string | undefined, today: CalendarDate): CalendarDate {
  const text = selCalDate?.trim() ?? ''
  const stamp = /^\{ts '(\d{4}-\d{2}-\d{2}) [\d:]+'\}$/i.exec(text)?.[1]
  const date = fromSlashes(text) ?? DateTime.fromISO(stamp ?? text, { zone: 'utc' }).toISODate() ?? today
  return `${date.slice(0, 7)}-01`
}

/** Every date of the month, preceded by a null for each weekday (from Sunday) before its first. */
export function monthCells(month: CalendarDate): (CalendarDate | null)[] {
  const first = at(month)
  const blanks = Array.from({ length: first.weekday % 7 }, () => null)
  const length = first.daysInMonth ?? 0
  return [...blanks, ...Array.from({ length }, (_, day) => iso(first.plus({ days: day })))]
}

function at(date: CalendarDate): DateTime {
  const parsed = DateTime.fromISO(date, { zone: 'utc' })
  if (!parsed.isValid) throw new Error(`not a calendar date: ${date}`)
  return parsed
}

const format = (date: CalendarDate, pattern: string): string => at(date).setLocale('en-US').toFormat(pattern)

const iso = (date: DateTime): CalendarDate => date.toFormat('yyyy-MM-dd')
