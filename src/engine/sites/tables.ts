import { type CheerioAPI, load } from 'cheerio'
import { load as loadMarkup } from 'cheerio/slim'
import type { AnyNode, Element } from 'domhandler'
import type { RawField } from '../../domain.ts'
import { ScrapeError } from '../errors.ts'
import { fold, linesOf, textOf } from './text.ts'

/** A table as it is read: its header's texts by column, and its rows. */
export interface ReadTable {
  /** `''` for a column that continues the one before it, as under a header cell that spans both. */
  labels: string[]
  rows: TableRow[]
  /** The elements that `rows` were read from belong to this one. */
  element: Element
}

export interface TableRow {
  /** Every column, by label; further lines of a cell under a blank label. */
  fields: RawField[]
  /** The addresses that the row links to, as printed. */
  links: string[]
}

/** A header stands near the top: below rows of a title or of notes. */
const headerWithin = 10
/** Beyond this a span is a slip of the pen. */
const widestSpan = 50

/** Browsers nest no deeper either; what is read of tables within tables would take the square of it. */
const deepestPage = 512
/** Elements that are never closed count here. The parser takes the square of it. */
const deepestMarkup = 3000

/**
 * Parses as browsers do, whatever the markup, and remembers where things stood. Throws TEMPLATE_CHANGED for a page that
 * is nested deeper than any that was made on purpose.
 */
export function loadPage(html: string): CheerioAPI {
  checkDepth(loadMarkup(html).root()[0] as AnyNode, deepestMarkup)
  const $ = load(html, { sourceCodeLocationInfo: true })
  checkDepth($.root()[0] as AnyNode, deepestPage)
  return $
}

function checkDepth(root: AnyNode, deepest: number): void {
  const left = [{ node: root, depth: 0 }]
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    const depth = one.depth + 1
    if (depth > deepest) throw new ScrapeError('TEMPLATE_CHANGED', 'the page is nested without end')
    if ('children' in one.node) for (const node of one.node.children) left.push({ node, depth })
  }
}

/**
 * Every table of the page, or every group of rows that `rowSelector` finds, whose header `isHeader` knows, in page
 * order. Cells may be `td` or `th`, above or below; those that span rows or columns count in each row. Left out are
 * blank rows, rows of one cell (titles, notes, pagers) in a table of several columns, and the header where it is
 * repeated.
 *
 * `headerRow`: the header's place among the rows, from 1; null: the first that is known.
 */
export function readTables(
  $: CheerioAPI,
  isHeader: (labels: readonly string[]) => boolean,
  options: { rowSelector?: string | null; headerRow?: number | null } = {},
): ReadTable[] {
  return groupsOf($, options.rowSelector ?? null).flatMap(({ element, rows }) => {
    const grid = gridOf($, rows)
    const { headerRow } = options
    const tried = headerRow ? [headerRow - 1] : grid.slice(0, headerWithin).keys()
    for (const at of tried) {
      const labels = labelsOf(grid[at] ?? [])
      if (!isHeader(labels)) continue
      const below = grid.slice(at + 1).filter((cells) => isListing(cells, labels))
      return { element, labels, rows: below.map((cells) => readRow($, cells, labels)) }
    }
    return []
  })
}

/** Whether the page came to its end: it says so itself, or all these elements were closed. */
export function isClosed(html: string, elements: readonly Element[]): boolean {
  if (/<\/html\s*>/i.test(html.slice(-10_000))) return true
  return elements.length > 0 && elements.every((element) => element.sourceCodeLocation?.endTag != null)
}

interface Cell {
  element: Element
  /** A further column of a cell that spans several. */
  continues: boolean
}

type Cells = (Cell | undefined)[]

function groupsOf($: CheerioAPI, rowSelector: string | null): { element: Element; rows: Element[] }[] {
  if (rowSelector === null) {
    const byTable = Map.groupBy($('table tr').toArray(), (row) => $(row).closest('table').get(0) as Element)
    return [...byTable].map(([element, rows]) => ({ element, rows }))
  }
  const rows = $.root().find(rowSelector).toArray().filter(isElement)
  const byParent = Map.groupBy(rows, (row) => ($(row).closest('table').get(0) ?? row.parent) as Element)
  return [...byParent].map(([element, rows]) => ({ element, rows }))
}

function gridOf($: CheerioAPI, rows: readonly Element[]): Cells[] {
  /** By column: the cell that hangs down into the rows below, and into how many. */
  const hanging = new Map<number, { cell: Cell; left: number }>()
  return rows.map((row) => {
    const cells: Cells = []
    const fall = () => {
      for (let hung = hanging.get(cells.length); hung !== undefined; hung = hanging.get(cells.length)) {
        if (--hung.left === 0) hanging.delete(cells.length)
        cells.push(hung.cell)
      }
    }
    const own = $(row).is('tr') ? $(row).children('td, th') : $(row).children()
    for (const element of own.toArray()) {
      fall()
      const { colspan, rowspan } = spansOf(element)
      for (let column = 0; column < colspan; column++) {
        const cell = { element, continues: column > 0 }
        if (rowspan > 1) hanging.set(cells.length, { cell, left: rowspan - 1 })
        cells.push(cell)
      }
    }
    fall()
    return cells
  })
}

function spansOf(element: Element): { colspan: number; rowspan: number } {
  const of = (name: string) => Math.min(Math.max(Math.trunc(Number(element.attribs[name] ?? 1)) || 1, 1), widestSpan)
  return { colspan: of('colspan'), rowspan: of('rowspan') }
}

const labelsOf = (cells: Cells): string[] =>
  cells.map((cell, i) => (cell?.continues ? '' : (cell && textOf(cell.element)) || `Column ${i + 1}`))

function isListing(cells: Cells, labels: readonly string[]): boolean {
  const own = cells.filter((cell) => cell?.continues === false)
  if (own.length === 1 && labels.length > 1) return false
  if (own.every((cell) => cell === undefined || textOf(cell.element) === '')) return false
  return labelsOf(cells).join('\n') !== labels.join('\n')
}

function readRow($: CheerioAPI, cells: Cells, labels: readonly string[]): TableRow {
  const columns = Math.max(cells.length, labels.length)
  const fields = Array.from({ length: columns }, (_, i) => {
    const cell = cells[i]
    // A blank cell without a name, and the rest of a wide one, say nothing.
    const label = labels[i] ?? `Column ${i + 1}`
    if (cell?.continues) return []
    const [first = '', ...further] = cell === undefined ? [] : linesOf(cell.element)
    if (first === '' && (label === '' || label === `Column ${i + 1}`)) return []
    const href = cell === undefined ? '' : fold($(cell.element).find('a[href]').attr('href') ?? '')
    return [
      { label, value: first, ...(href === '' ? {} : { href }) },
      ...further.map((value) => ({ label: '', value })),
    ]
  }).flat()
  const links = cells
    .filter((cell) => cell?.continues === false)
    .flatMap((cell) => (cell === undefined ? [] : $(cell.element).find('a[href]').toArray()))
    .map((link) => fold(link.attribs['href'] ?? ''))
  return { fields, links }
}

const isElement = (node: AnyNode): node is Element => node.nodeType === 1
