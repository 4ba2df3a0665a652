import type { CalendarDate } from '../domain.ts'
import type { InputIssue } from './outcome.ts'

/** The most days that one reading covers. */
export const mostDays = 366

/** How many days a range has, both ends included; not above 0 when it ends before it begins. */
export function daysIn({ from, to }: { from: CalendarDate; to: CalendarDate }): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1
}

/** What is wrong with a range of days to read: it begins after its end, or is too long. */
export function dayRangeIssues(range: { from: CalendarDate; to: CalendarDate }): InputIssue[] {
  const days = daysIn(range)
  if (days < 1) return [{ path: ['from'], message: `must not be after ${range.to}, the end of the range` }]
  if (days > mostDays) return [{ path: ['to'], message: `must be at most ${mostDays} days in all` }]
  return []
}
