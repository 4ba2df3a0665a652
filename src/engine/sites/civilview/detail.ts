import type { CheerioAPI } from 'cheerio'
import type { Element } from 'domhandler'
import type { RawField } from '../../../domain.ts'
import { parsePrintedDate } from '../../convert/dates.ts'
import { labelField } from '../../convert/labels.ts'
import { isClosed, loadPage, readTables } from '../tables.ts'
import { fold, linesOf, textOf } from '../text.ts'

/** The page of one sale. */
export interface SaleDetail {
  /** In page order; empty where the page is none of a sale. An address has its further lines under blank labels. */
  fields: RawField[]
  /** Oldest first, whichever way the page has it. */
  history: SaleStatus[]
  /** The page came to its end. */
  closed: boolean
}

export interface SaleStatus {
  status: string
  /** As printed. */
  date: string
}

/**
 * Reads a sale's page in either layout: rows of a heading and a cell, or since 2025 pairs of `div`s. Fields are found
 * by their labels.
 */
export function parseDetail(html: string): SaleDetail {
  const $ = loadPage(html)
  const pairs = $('.sale-detail-item')
    .toArray()
    .map((item) => [$(item).find('.sale-detail-label').get(0), $(item).find('.sale-detail-value').get(0)] as const)
  const rows = $('tr > .heading-bold')
    .toArray()
    .map((cell) => [cell, $(cell).next('td').get(0)] as const)
  const fields = [...pairs, ...rows].flatMap(([label, value]) =>
    label === undefined ? [] : readField($, label, value),
  )
  return { fields, history: readHistory($), closed: isClosed(html, []) }
}

/**
 * The fields of a sale with its status: that of the last entry of its history by date. In the list of what is over it
 * is the last that says how it ended, for an adjournment bears the date it leads to.
 */
export function withStatus({ fields, history }: SaleDetail, area: 'W' | 'C' | null): RawField[] {
  const ending = area === 'C' ? history.findLast(({ status }) => endings.test(status)) : undefined
  const current = ending ?? history.at(-1)
  if (current === undefined) return fields
  const told = history.map(({ status, date }, i) => ({
    label: i === 0 ? 'Status History' : '',
    value: `${date} ${status}`.trim(),
  }))
  return [...fields, { label: 'Status', value: current.status }, ...told]
}

const endings = /^(?:purchased|sold|unsold|cancel|settled|withdrawn|redeemed|struck|no bid|not sold)/i

function readField($: CheerioAPI, label: Element, value: Element | undefined): RawField[] {
  const name = textOf(label)
  if (value === undefined) return [{ label: name, value: '' }]
  const href = fold($(value).find('a[href]').attr('href') ?? '')
  const link = href === '' ? {} : { href }
  if (labelField(name) !== 'address') return [{ label: name, value: textOf(value), ...link }]
  const [first = '', ...further] = linesOf(value)
  return [{ label: name, value: first, ...link }, ...further.map((line) => ({ label: '', value: line }))]
}

function readHistory($: CheerioAPI): SaleStatus[] {
  const [table] = readTables($, (labels) => labels.includes('Status') && labels.includes('Date'), {
    rowSelector: '#longTable tr',
  })
  const named = (fields: readonly RawField[], label: string) =>
    fields.find((field) => field.label === label)?.value ?? ''
  const read = (table?.rows ?? []).map(({ fields }) => ({
    status: named(fields, 'Status'),
    date: named(fields, 'Date'),
  }))
  const dated = read.map((entry, i) => ({ ...entry, i, day: parsePrintedDate(entry.date)?.date ?? '' }))
  const newestFirst = (dated[0]?.day ?? '') > (dated.at(-1)?.day ?? '')
  return dated
    .sort((a, b) => compare(a.day, b.day) || (newestFirst ? b.i - a.i : a.i - b.i))
    .map(({ status, date }) => ({ status, date }))
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
