import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { CalendarDate } from '../domain.ts'
import type { InputIssue } from './outcome.ts'
import { addDays, isCalendarDate } from './suggestedRange.ts'

const mostDays = 366

const calendarDate = z.string().refine(isCalendarDate, 'must be a date of the calendar, such as 2026-03-05')

/** A whole number within these bounds, and what is said of any other value. */
export const wholeNumber = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`
  return z.number(message).int(message).min(min, message).max(max, message)
}

/** Postgres stores no NUL. */
const shortText = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(200, 'must have at most 200 characters')
  .refine((text) => !text.includes('\0'), 'must not contain a NUL character')

/** What every job may be asked for with; null counts as left out. */
export const jobShape = {
  name: shortText.nullish(),
  startDate: calendarDate.nullish(),
  endDate: calendarDate.nullish(),
  priority: wholeNumber(-100, 100).nullish(),
  timeoutSeconds: wholeNumber(1, 82_800).nullish(),
  maxAttempts: wholeNumber(1, 10).nullish(),
  hold: z.boolean().nullish(),
  idempotencyKey: shortText.nullish(),
}

interface Range {
  startDate?: CalendarDate | null | undefined
  endDate?: CalendarDate | null | undefined
}

/** The input as the schema takes it, or everything that is wrong with it at once, its range included. */
export function checkInput<T extends object>(
  schema: z.ZodType<T>,
  input: object,
): { kind: 'ok'; asked: T } | { kind: 'invalid'; issues: InputIssue[] } {
  const parsed = schema.safeParse(input)
  const issues = (parsed.error?.issues ?? []).map(({ path, message }) => ({ path: path.map(String), message }))
  const hasDates = !issues.some((issue) => issue.path[0] === 'startDate' || issue.path[0] === 'endDate')
  if (hasDates) issues.push(...rangeIssues(input))
  return parsed.success && issues.length === 0 ? { kind: 'ok', asked: parsed.data } : { kind: 'invalid', issues }
}

/** Asks for the range once both ends are known; one that is left out is judged when it has been found. */
export function rangeIssues({ startDate, endDate }: Range): InputIssue[] {
  if (!startDate || !endDate) return []
  if (endDate < startDate) return [{ path: ['endDate'], message: `must not be before the start date ${startDate}` }]
  if (endDate > addDays(startDate, mostDays - 1)) {
    return [{ path: ['endDate'], message: `must be at most ${mostDays} days from the start date ${startDate}` }]
  }
  return []
}

/** The same for the same input in whatever order its fields came; null and left out are the same. */
export function hashOf(asked: object): string {
  const given = Object.entries(asked).filter(([, value]) => value !== null && value !== undefined)
  return createHash('sha256')
    .update(JSON.stringify(given.toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
}
