import { DateTime } from 'luxon'
import type { CalendarDate } from '../domain.ts'

/** How far back a day that is not final is looked for, and how far ahead a job reads unless told. */
export const lookbackDays = 14
export const lookaheadDays = 30

/** The calendar day that an instant falls on in an IANA zone. */
export function dayIn(timezone: string, at: Date = new Date()): CalendarDate {
  const day = DateTime.fromJSDate(at, { zone: timezone }).toISODate()
  if (day === null) throw new Error(`${timezone} is not a time zone`)
  return day
}

/** A calendar date moved by whole days. */
export function addDays(date: CalendarDate, days: number): CalendarDate {
  const moved = DateTime.fromISO(date, { zone: 'utc' }).plus({ days }).toISODate()
  if (moved === null) throw new Error(`${date} is not a date`)
  return moved
}

/** Whether the text is a date of the calendar, `2026-02-28` and not `2026-02-30`. */
export function isCalendarDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid
}

/** The days from the first to the last, both included. */
export function daysBetween(first: CalendarDate, last: CalendarDate): CalendarDate[] {
  const days = (Date.parse(last) - Date.parse(first)) / 86_400_000 + 1
  return Array.from({ length: Math.max(days, 0) }, (_, i) => addDays(first, i))
}

/**
 * The range a job reads unless told: from the oldest of `today` and the days of the last 14 that are not final, to
 * today + 30. `finalDays` are the site's days that need no further reading.
 */
export function suggestedRange(
  today: CalendarDate,
  finalDays: ReadonlySet<CalendarDate>,
): { startDate: CalendarDate; endDate: CalendarDate } {
  const past = daysBetween(addDays(today, -lookbackDays), addDays(today, -1))
  const open = past.find((day) => !finalDays.has(day))
  return { startDate: open ?? today, endDate: addDays(today, lookaheadDays) }
}
