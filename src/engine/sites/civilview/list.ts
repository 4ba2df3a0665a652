import type { CheerioAPI } from 'cheerio'
import type { AnyNode } from 'domhandler'
import type { CalendarDate, RawField } from '../../../domain.ts'
import { parsePrintedDate } from '../../convert/dates.ts'
import { labelField } from '../../convert/labels.ts'
import { ScrapeError } from '../../errors.ts'
import { recogniseRefusal } from '../answers.ts'
import { findNextPage } from '../pager.ts'
import { isClosed, loadPage, type ReadTable, readTables, type TableRow } from '../tables.ts'
import { textOf } from '../text.ts'

/** One of the two lists of a county: its sales to come, or those that were sold or cancelled. */
export interface SalesList {
  rows: ListedSale[]
  /** Which list the page says it is: `IsOpen` as chosen in its form; null where the form does not tell. */
  open: boolean | null
  /** The form that asks for the other list; null where the page has none. */
  form: SearchForm | null
  /** Why there may be more than this; null: the list was read to its end. */
  gap: string | null
}

export interface ListedSale {
  /** As printed; blank where the row has none. */
  sheriffNumber: string
  date: CalendarDate | null
  /** The columns by their headers. */
  fields: RawField[]
  /** The page of the sale, which this session alone can open; null where the row has no link to this site. */
  link: URL | null
}

/** Every field of a form as a browser would send it. */
export interface SearchForm {
  action: URL
  fields: Record<string, string>
}

/**
 * Reads a page of SalesSearch. Columns are found by their headers, which vary from county to county; a table without
 * any header has the columns that most counties have.
 *
 * Throws TEMPLATE_CHANGED for a page without a list, and BLOCKED for a captcha: a page says in words that it has no
 * sales, or shows its header without rows.
 */
export function parseList(html: string, page: URL): SalesList {
  const $ = loadPage(html)
  const form = readForm($, page)
  const tables = tablesOf($)
  const [table] = tables
  if (table === undefined) {
    if (form === null || !noSales.test(textOf($.root()[0] as AnyNode))) {
      throw recogniseRefusal(html) ?? new ScrapeError('TEMPLATE_CHANGED', `no list of sales on ${page.pathname}`)
    }
    return { rows: [], open: chosenList($), form, gap: gapOf($, html, [], page) }
  }
  const rows = tables.flatMap((one) => one.rows.map((row) => listedSale(row, page)))
  return { rows, open: chosenList($), form, gap: gapOf($, html, tables, page) }
}

const noSales = /\bno (?:(?:open|sold|cancelled|matching) ?)*(?:sales|records|results|properties|listings)\b/i

const isHeader = (labels: readonly string[]): boolean => {
  const fields = new Set(labels.map(labelField))
  return fields.has('saleNumber') && fields.has('auctionDate')
}

/** In the order of the pages that have no header; the link stands before them. */
const usualColumns = ['Details', 'Sheriff #', 'Sales Date', 'Plaintiff', 'Defendant', 'Address']

function tablesOf($: CheerioAPI): ReadTable[] {
  const known = readTables($, isHeader)
  if (known.length > 0 || $('table th').length > 0) return known
  // Each row says by its link and its date that it is a sale.
  return $('table')
    .toArray()
    .flatMap((element) => {
      const rows = $(element)
        .find('tr')
        .toArray()
        .map((row) => $(row).children('td').toArray())
      const sales = rows.filter((cells) => isDetails($(cells[0]).find('a').attr('href') ?? ''))
      if (sales.length === 0 || !sales.every((cells) => parsePrintedDate($(cells[2]).text()) !== null)) return []
      const fields = (cells: (typeof sales)[number]) =>
        cells.slice(1).map((cell, i) => ({ label: usualColumns[i + 1] ?? '', value: textOf(cell) }))
      return [
        {
          element,
          labels: usualColumns,
          rows: sales.map((cells) => ({ fields: fields(cells), links: [$(cells[0]).find('a').attr('href') ?? ''] })),
        },
      ]
    })
}

function listedSale({ fields, links }: TableRow, page: URL): ListedSale {
  const named = (name: 'saleNumber' | 'auctionDate') =>
    fields.find((field) => labelField(field.label) === name)?.value ?? ''
  const href = links.find(isDetails)
  const link = href !== undefined && URL.canParse(href, page) ? new URL(href, page) : null
  return {
    sheriffNumber: named('saleNumber'),
    date: parsePrintedDate(named('auctionDate'))?.date ?? null,
    // The link's words and its moment's address say nothing of the sale.
    fields: fields.filter((field) => !isDetails(field.href ?? '')),
    link: link?.origin === page.origin ? link : null,
  }
}

const isDetails = (href: string): boolean => /\bSaleDetails\b/i.test(href)

function gapOf($: CheerioAPI, html: string, tables: readonly ReadTable[], page: URL): string | null {
  const elements = tables.map((table) => table.element)
  if (!isClosed(html, elements)) return 'the list was cut off'
  const next = findNextPage($, elements, page, 1)
  return next.kind === 'none' ? null : 'the list goes on on another page'
}

function readForm($: CheerioAPI, page: URL): SearchForm | null {
  const form = $('form').has('[name="IsOpen" i]').first()
  if (form.length === 0) return null
  const action = form.attr('action') ?? ''
  const target = URL.canParse(action, page) ? new URL(action, page) : page
  if (target.origin !== page.origin) return null
  const fields = Object.fromEntries(form.serializeArray().map(({ name, value }) => [name, value]))
  return { action: target, fields }
}

function chosenList($: CheerioAPI): boolean | null {
  const control = $('[name="IsOpen" i]')
  const value = control.is('select') ? control.val() : control.filter('[checked]').attr('value')
  return typeof value === 'string' ? /^true$/i.test(value) : null
}
