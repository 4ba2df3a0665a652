import { DateTime } from 'luxon'
import type { CalendarDate, Instant } from '../../domain.ts'
import { ValueError } from './values.ts'

/** `MM/DD/YYYY`, also `M/D/YYYY` and `YYYY-MM-DD`; null for anything else and for days that do not exist. */
export function parseDate(text: string): CalendarDate | null {
  for (const format of ['M/d/yyyy', 'yyyy-MM-dd']) {
    const parsed = DateTime.fromFormat(text.trim(), format, { zone: 'utc' })
    if (parsed.isValid) return parsed.toISODate()
  }
  return null
}

/** A date with its month in English letters: `Thursday June 4, 2026`, `March-05-2026`, `May 1st, 2026`; null without one. */
export function parseNamedDate(text: string): CalendarDate | null {
  const found = /([A-Za-z]{3})[A-Za-z]*\W+(\d{1,2})(?:st|nd|rd|th)?\W+(\d{4})/.exec(text)
  if (found === null) return null
  const parsed = DateTime.fromFormat(`${found[1]} ${found[2]} ${found[3]}`, 'LLL d yyyy', { zone: 'utc', locale: 'en' })
  return parsed.isValid ? parsed.toISODate() : null
}

/** A date as county pages print it, with the time behind it. */
export interface PrintedDate {
  date: CalendarDate
  /** `02:00 PM`; null when nothing follows. */
  timeText: string | null
}

/**
 * `9/11/2026`, `09/14/2026 02:00 PM`, `07-JUL-2026`, `15-MAY-26`, `September 1st, 2026` and the like; null for text that
 * does not begin with a date, and for days that do not exist. A year of two digits is one from 1961 to 2060.
 *
 * `format`: read by this format of Luxon's alone, `d-LLL-yyyy`, with its time where it names one.
 */
export function parsePrintedDate(text: string, format: string | null = null): PrintedDate | null {
  const tidy = text.replace(/\s+/g, ' ').trim()
  if (format !== null) return byFormat(tidy, format)
  const found = printedDate.exec(tidy)
  if (found?.groups === undefined) return null
  const { month, day, year, iso, name, time } = found.groups
  const date = iso ?? `${month ?? name?.slice(0, 3)} ${day} ${year}`
  const order = iso === undefined ? `${month === undefined ? 'LLL' : 'M'} d yy` : 'yyyy-MM-dd'
  const parsed = DateTime.fromFormat(date, order, { zone: 'utc', locale: 'en-US' })
  return parsed.isValid ? { date: parsed.toISODate(), timeText: time || null } : null
}

const year = String.raw`(?<year>\d{4}|\d{2})(?!\d)`
const monthName = String.raw`(?<name>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?`

/** With a weekday before it, and a time behind it. */
const printedDate = new RegExp(
  String.raw`^(?:[a-z]+day,? )?(?:${[
    String.raw`(?<month>\d{1,2})(?<mark>[/.-])(?<day>\d{1,2})\k<mark>${year}`,
    String.raw`(?<iso>\d{4}-\d{2}-\d{2})(?!\d)`,
    String.raw`(?<day>\d{1,2})(?:st|nd|rd|th)?[ -]${monthName}[ ,-]{1,2}${year}`,
    String.raw`${monthName} (?<day>\d{1,2})(?:st|nd|rd|th)?,? ${year}`,
  ].join('|')})(?:,? ?(?:at|@)?) ?(?<time>.*)$`,
  'i',
)

function byFormat(text: string, format: string): PrintedDate | null {
  const parsed = DateTime.fromFormat(text, format, { zone: 'utc', locale: 'en-US' })
  if (!parsed.isValid) return null
  const timeText = parsed.hour > 0 || parsed.minute > 0 ? parsed.toFormat('hh:mm a') : null
  return { date: parsed.toISODate(), timeText }
}

/**
 * The instant of a wall-clock time such as `10:00 AM ET` on a date. The letters name the zone, without them `timezone`
 * does. null for text without a time of day. Throws ValueError for a time that does not exist.
 */
export function startInstant(date: CalendarDate, timeText: string, timezone: string): Instant | null {
  const { hour, minute, half, letters } = timeOfDay.exec(timeText)?.groups ?? {}
  if (hour === undefined || (minute === undefined && half === undefined)) return null
  const clock = `${hour}:${minute ?? '00'}`
  const at =
    half === undefined
      ? DateTime.fromFormat(`${date} ${clock}`, 'yyyy-MM-dd H:mm', { zone: zoneOf(letters, timezone) })
      : DateTime.fromFormat(`${date} ${clock} ${half}M`, 'yyyy-MM-dd h:mm a', {
          zone: zoneOf(letters, timezone),
          locale: 'en',
        })
  if (!at.isValid) throw new ValueError(`not a time of day: ${timeText}`)
  return at.toUTC().toISO()
}

/** A date and time in one text, as status blocks have it. */
export interface Moment {
  date: CalendarDate
  /** What follows the date, `11:23 AM ET`; null when nothing does. */
  timeText: string | null
  instant: Instant | null
}

/** `05/01/2024 11:23 AM ET`. null for text that does not begin with a date; throws ValueError where it is impossible. */
export function parseMoment(text: string, timezone: string): Moment | null {
  const found = /^(\d{1,2}\/\d{1,2}\/\d{4})\b\s*(.*)$/.exec(text.trim())
  if (found === null) return null
  const date = parseDate(found[1] ?? '')
  if (date === null) throw new ValueError(`not a date: ${text}`)
  const timeText = found[2] || null
  return { date, timeText, instant: timeText === null ? null : startInstant(date, timeText, timezone) }
}

const timeOfDay =
  /(?<!\d)(?<hour>\d{1,2})(?::(?<minute>\d{2}))?(?!\d)\s*(?:(?<half>[AP])\.?M\b\.?)?\s*(?:(?<letters>[ECMP][SD]?T)\b)?/i

const zones: Readonly<Record<string, string>> = {
  E: 'America/New_York',
  C: 'America/Chicago',
  M: 'America/Denver',
  P: 'America/Los_Angeles',
}

/** The letters do not tell summer from winter. Arizona says MT too, and keeps standard time all year. */
function zoneOf(letters: string | undefined, timezone: string): string {
  if (letters === undefined) return timezone
  if (/^M/i.test(letters) && timezone === 'America/Phoenix') return timezone
  return zones[letters.charAt(0).toUpperCase()] ?? timezone
}
