import { load } from 'cheerio/slim'
import { DateTime } from 'luxon'
import { z } from 'zod'
import type { LabelField } from '../../convert/labels.ts'
import type { InputIssue } from '../../outcome.ts'

/** The fields of a prospect that a column can hold, by their names in the schema, and the labels they are read as. */
export const columnFields = {
  caseNumber: 'caseNumber',
  certificateNumber: 'certificateNumber',
  saleNumber: 'saleNumber',
  parcelId: 'parcelId',
  auctionType: 'auctionType',
  auctionDate: 'auctionDate',
  timeText: 'timeText',
  auctionStatus: 'status',
  propertyAddress: 'address',
  city: 'city',
  stateCode: 'stateCode',
  zip: 'zip',
  legalDescription: 'legalDescription',
  plaintiff: 'plaintiff',
  defendant: 'defendant',
  attorney: 'attorney',
  finalJudgmentAmount: 'finalJudgmentAmount',
  plaintiffMaxBid: 'plaintiffMaxBid',
  assessedValue: 'assessedValue',
  openingBid: 'openingBid',
  depositAmount: 'depositAmount',
  saleAmount: 'saleAmount',
  soldTo: 'soldTo',
} as const satisfies Record<string, LabelField>

export type ColumnField = keyof typeof columnFields

const selector = z.string().min(1).max(500).refine(isSelector, 'is no CSS selector')
const pattern = z.string().min(1).max(500).refine(isPattern, 'is no regular expression')
const header = z.string().trim().min(1).max(200)
const date = z.iso.date('must be a day such as 2026-05-01')

/**
 * How a county's page with a table is read. Everything may be left out: then the first rows of every table are
 * searched for a header of labels that Gavel knows.
 */
export const tableOptions = z.strictObject({
  /** CSS of the rows, header included, where they are not all rows of the tables: `#sales tr`, `.list .row`. */
  rowSelector: selector.optional(),
  /** Which of the rows is the header, from 1, where it does not show by its labels. */
  headerRow: z.int().min(1).max(100).optional(),
  /**
   * What the columns hold, by their headers: a prospect's field, or null for one that is kept in the raw data alone.
   * Every header named must be there. Columns that are not named and have a label that Gavel knows are read all the
   * same. Headers match whatever their case, spaces and full stops.
   */
  columns: z
    .record(header, z.enum(Object.keys(columnFields) as [ColumnField, ...ColumnField[]]).nullable())
    .refine((columns) => Object.keys(columns).length <= 100, 'must be at most 100')
    .optional(),
  /** Luxon's format of dates, `d-LLL-yyyy`; without it as county pages write them: `07-JUL-2026`, `5/1/26`. */
  dateFormat: z
    .string()
    .min(1)
    .max(50)
    .refine(isDateFormat, 'must be a format of days, months and years, such as d-LLL-yyyy')
    .optional(),
  /**
   * Where the auction date is: in the column of this header; in the text of an element of the page, as the first group
   * of `pattern` or all that it matches; or this one. Without it a column that names an auction date, and without such
   * a column the listings are undated.
   */
  date: z
    .union([
      z.strictObject({ column: header }),
      z.strictObject({ selector, pattern: pattern.optional() }),
      z.strictObject({ fixed: date }),
    ])
    .optional(),
  /** A regular expression that finds the amount in a cell of money: its first group, else all that it matches. */
  money: pattern.optional(),
})

export type TableOptions = z.infer<typeof tableOptions>

/** Everything that is wrong with the options, by path under `options`. */
export function optionIssues(options: unknown): InputIssue[] {
  const checked = tableOptions.safeParse(options ?? {})
  if (checked.success) return []
  return checked.error.issues
    .flatMap((issue) => flatten(issue))
    .map(({ path, message }) => ({
      path: ['options', ...path.map(String)],
      message,
    }))
}

/** Of a union that nothing fits, what is wrong with the variant that comes nearest. */
function flatten(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const [nearest = []] = issue.errors.toSorted((a, b) => misfit(a) - misfit(b))
  if (misfit(nearest) > 0) {
    return [{ path: issue.path, message: 'must be { column }, { selector, pattern } or { fixed }' }]
  }
  return nearest.map((inner) => ({ path: [...issue.path, ...inner.path], message: inner.message }))
}

/** How many keys a variant lacks or does not know. */
const misfit = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.filter((issue) => issue.code === 'unrecognized_keys' || issue.code === 'invalid_type').length

function isSelector(text: string): boolean {
  if (text.includes('<')) return false
  try {
    load('<p></p>').root().find(text)
    return true
  } catch {
    // What is thrown has no name of its own; finding in nothing can fail in no other way.
    return false
  }
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'i') instanceof RegExp
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** A day must come back from what it is written as. */
function isDateFormat(format: string): boolean {
  const day = DateTime.fromISO('2026-11-28', { zone: 'utc', locale: 'en-US' })
  const read = DateTime.fromFormat(day.toFormat(format), format, { zone: 'utc', locale: 'en-US' })
  return read.isValid && read.toISODate() === '2026-11-28'
}
