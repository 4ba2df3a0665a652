import type { CalendarDate, RawField, RawStatus } from '../../domain.ts'

/** W waiting, R running, C closed or cancelled: the areas of a day page. */
export type Area = 'W' | 'R' | 'C'
/** td: rows of two td; th: rows of th and td; div: label and value as flat siblings. */
export type ItemTemplate = 'td' | 'th' | 'div'
/**
 * What a calendar cell says: FC foreclosure, TD tax deed, TREASURER treasurer deed, BOTH foreclosures and tax deeds on
 * one day, SHERIFF a cell that has the sale day's attributes but none of its classes.
 */
export type DayType = 'FC' | 'TD' | 'TREASURER' | 'BOTH' | 'SHERIFF'

/** One auction day as the site holds it. */
export interface SampleDay {
  date: CalendarDate
  type: DayType
  /** `10:00 AM ET`; empty: the calendar cell names no time. */
  timeText: string
  /** In the order of the areas' pages. */
  items: SampleItem[]
}

/**
 * One listing as the site holds it. Texts are trimmed and their white space folded, as a parser should give them: the
 * stray blanks and line breaks of the real pages are added when the item is rendered.
 */
export interface SampleItem {
  aid: string
  area: Area
  template: ItemTemplate
  /** In page order; labels with their colon, a blank label continues the field before it. */
  fields: RawField[]
  /** The status call's values, the codes `A` (auction starts) and `B` (auction status) included. */
  status: RawStatus
}

export type RequestKind = 'CALENDAR' | 'PREVIEW' | 'LOAD' | 'UPDATE' | 'ASSET' | 'OTHER'

/** One request as it arrived, in order of arrival. */
export interface RequestRecord {
  method: string
  path: string
  kind: RequestKind
  /** Parameters under their lower-case names, values as sent. */
  query: Readonly<Record<string, string>>
  /** The auction day asked for: of the url for PREVIEW, of the session for LOAD and UPDATE. */
  date: CalendarDate | null
  /** Milliseconds since 1970. */
  at: number
  /** null until an answer has begun: held, or given up by the client. */
  status: number | null
  /** The server session, also one that this answer opened; null: none. */
  sessionId: string | null
  userAgent: string
}
