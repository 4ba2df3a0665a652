import { createHash } from 'node:crypto'
import type { CheerioAPI } from 'cheerio'
import type { CalendarDate, RawField } from '../../../domain.ts'
import { parsePrintedDate } from '../../convert/dates.ts'
import { type LabelField, labelField, labelKey } from '../../convert/labels.ts'
import { normaliseKey } from '../../convert/normalise.ts'
import { isUntold } from '../../convert/values.ts'
import { ScrapeError } from '../../errors.ts'
import { recogniseRefusal } from '../answers.ts'
import { findNextPage, type NextPage } from '../pager.ts'
import type { LabelReading } from '../site.ts'
import { isClosed, loadPage, type ReadTable, readTables } from '../tables.ts'
import { textOf } from '../text.ts'
import { columnFields, type TableOptions } from './options.ts'

/** One page of a county's table. */
export interface TablePage {
  rows: TablePageRow[]
  /** Whether rows have dates at all. */
  dated: boolean
  /** How the labels of this page are read. */
  reading: LabelReading
  /** The page came to its end. */
  closed: boolean
  next: NextPage
}

export interface TablePageRow {
  fields: RawField[]
  date: CalendarDate | null
  /** Of case, certificate, parcel and address; equal for rows that do not differ in them. */
  key: string
}

/**
 * Reads the tables of a page whose headers are those of the options, or without options hold labels that Gavel knows.
 * `pagesRead`: of the list so far, this one included.
 *
 * Throws TEMPLATE_CHANGED where no table has such a header, where the column or the element of the date is missing or
 * holds no date, and BLOCKED for a captcha.
 */
export function parseTablePage(html: string, url: URL, options: TableOptions, pagesRead: number): TablePage {
  const $ = loadPage(html)
  const columns = new Map(Object.entries(options.columns ?? {}).map(([text, field]) => [labelKey(text), field]))
  const tables = readTables($, (labels) => isHeader(labels, columns), {
    rowSelector: options.rowSelector ?? null,
    headerRow: options.headerRow ?? null,
  })
  if (tables.length === 0) {
    const wanted = columns.size === 0 ? '' : `: ${Object.keys(options.columns ?? {}).join(', ')}`
    throw recogniseRefusal(html) ?? new ScrapeError('TEMPLATE_CHANGED', `no table has the header${wanted}`)
  }
  const labels = [...new Set(tables.flatMap((table) => table.labels))]
  const reading = readingOf(labels, columns, options)
  const dates = dateReader($, tables, reading, options)
  const rows = tables.flatMap((table) =>
    table.rows.map(({ fields }) => ({ fields, date: dates.of(fields), key: keyOf(fields, reading) })),
  )
  const elements = tables.map((table) => table.element)
  return {
    rows,
    dated: dates.dated,
    reading,
    closed: isClosed(html, elements),
    next: findNextPage($, elements, url, pagesRead),
  }
}

/** By options every header they name; without, two labels we know, one of them of what a row is known by. */
function isHeader(labels: readonly string[], columns: ReadonlyMap<string, unknown>): boolean {
  const keys = new Set(labels.map(labelKey))
  if (columns.size > 0) return [...columns.keys()].every((key) => keys.has(key))
  const known = labels.map(labelField).filter((field) => field !== null)
  return known.length >= 2 && known.some((field) => naming.includes(field))
}

const naming: readonly LabelField[] = ['caseNumber', 'certificateNumber', 'parcelId', 'address']

function readingOf(
  labels: readonly string[],
  columns: ReadonlyMap<string, keyof typeof columnFields | null>,
  options: TableOptions,
): LabelReading {
  const fields = labels.flatMap((label): [string, LabelField][] => {
    const field = columns.get(labelKey(label))
    return field === undefined ? [] : [[label, field === null ? 'none' : columnFields[field]]]
  })
  const { date } = options
  const ofDate = date !== undefined && 'column' in date ? labels.filter((label) => isLabel(label, date.column)) : []
  return {
    fields: new Map([...ofDate.map((label): [string, LabelField] => [label, 'auctionDate']), ...fields]),
    money: options.money === undefined ? null : new RegExp(options.money, 'i'),
    dateFormat: options.dateFormat ?? null,
  }
}

const isLabel = (label: string, header: string): boolean => labelKey(label) === labelKey(header)

const namedBy = ({ fields }: LabelReading, label: string): LabelField | null => fields.get(label) ?? labelField(label)

function dateReader(
  $: CheerioAPI,
  tables: readonly ReadTable[],
  reading: LabelReading,
  { date }: TableOptions,
): { dated: boolean; of: (fields: readonly RawField[]) => CalendarDate | null } {
  if (date !== undefined && 'fixed' in date) return { dated: true, of: () => date.fixed }
  if (date !== undefined && 'selector' in date) {
    const found = pageDate($, date, reading.dateFormat)
    return { dated: true, of: () => found }
  }
  const isDate = (label: string) =>
    date === undefined ? namedBy(reading, label) === 'auctionDate' : isLabel(label, date.column)
  const dated = tables.some((table) => table.labels.some(isDate))
  if (date !== undefined && !dated) {
    throw new ScrapeError('TEMPLATE_CHANGED', `no table has the column of the date: ${date.column}`)
  }
  return {
    dated,
    of: (fields) => {
      const text = fields.find(({ label }) => isDate(label))?.value ?? ''
      return parsePrintedDate(text, reading.dateFormat)?.date ?? null
    },
  }
}

function pageDate(
  $: CheerioAPI,
  { selector, pattern }: { selector: string; pattern?: string | undefined },
  format: string | null,
): CalendarDate {
  const element = $.root().find(selector).get(0)
  const text = element === undefined ? '' : textOf(element).slice(0, 10_000)
  const found = pattern === undefined ? [text] : new RegExp(pattern, 'i').exec(text)
  const parsed = found === null ? null : parsePrintedDate(found[1] ?? found[0] ?? '', format)
  if (parsed === null)
    throw new ScrapeError('TEMPLATE_CHANGED', `no date of the sale in ${selector}: ${text.slice(0, 100)}`)
  return parsed.date
}

/** A hash, for nothing of a page's own numbers its rows. */
function keyOf(fields: readonly RawField[], reading: LabelReading): string {
  const parts = naming.map((name) => normaliseKey(textOfField(fields, name, reading)) ?? '')
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

/** All lines of the first column of that name which holds something. */
function textOfField(fields: readonly RawField[], name: LabelField, reading: LabelReading): string {
  for (const [i, { label, value }] of fields.entries()) {
    if (label === '' || namedBy(reading, label) !== name) continue
    const end = fields.findIndex((field, at) => at > i && field.label !== '')
    const lines = [value, ...fields.slice(i + 1, end < 0 ? fields.length : end).map((field) => field.value)]
    const told = lines.filter((line) => !isUntold(line))
    if (told.length > 0) return told.join(' ')
  }
  return ''
}
