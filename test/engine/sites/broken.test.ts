import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { detailPage, listPage } from '../../../src/demo/civilview/pages.ts'
import { inventSales } from '../../../src/demo/civilview/sales.ts'
import { ScrapeError } from '../../../src/engine/errors.ts'
import { parseDetail } from '../../../src/engine/sites/civilview/detail.ts'
import { parseList } from '../../../src/engine/sites/civilview/list.ts'
import { parseTablePage } from '../../../src/engine/sites/htmltable/page.ts'

const url = new URL('https://cove.example/sales')
const sales = inventSales(['2026-03-10', '2026-03-25'], '2026-03-18')
const look = { layout: 'divs', numberHeader: 'Sheriff #' } as const
const list = listPage(sales, { county: 'Tilbury', open: true, look, link: () => '/Sales/SaleDetails?PropertyId=7' })
const table =
  '<html><table><tr><th>Case #</th><th>Parcel ID</th><th>Sale Date</th></tr>' +
  '<tr><td rowspan="2">26-1</td><td colspan="2">7<br>8</td></tr><tr><td>5/1/26</td></tr></table></html>'

const parsers = {
  list: { page: list, parse: (html: string): unknown => parseList(html, url) },
  detail: { page: detailPage(sales[0]!, look), parse: (html: string): unknown => parseDetail(html) },
  table: { page: table, parse: (html: string): unknown => parseTablePage(html, url, {}, 1) },
}

const markup = [
  '<table>',
  '</table>',
  '<tr>',
  '<td colspan="9">',
  '</div>',
  '<form>',
  '<a href="//">',
  '&#0;',
  '<!--',
  '\0',
]

describe.each(Object.entries(parsers))('a broken page for the parser of a %s', (_name, { page, parse }) => {
  /** A page is read or refused by name. */
  const survives = (html: string): boolean => {
    try {
      parse(html)
      return true
    } catch (error) {
      return error instanceof ScrapeError
    }
  }

  test('is read or refused, whatever it holds', () => {
    const bytes = fc.uint8Array({ maxLength: 2000 })
    const holds = fc.property(bytes, (some) => survives(Buffer.from(some).toString('latin1')))
    expect(fc.check(holds, { numRuns: 100 })).toMatchObject({ failed: false })
  })

  test('is read or refused, wherever it is cut, and with anything put into it', () => {
    const at = fc.nat({ max: page.length })
    const holds = fc.property(at, at, fc.constantFrom(...markup), (from, to, inserted) =>
      survives(page.slice(0, from) + inserted + page.slice(to)),
    )
    expect(fc.check(holds, { numRuns: 150 })).toMatchObject({ failed: false })
  })

  test.each(['<div>', '<table><tr><td>', '<a>', '<b><p>'])('is read or refused, nested without end: %s', (tag) => {
    expect(survives(page.replace('Case', tag.repeat(5000)))).toBe(true)
    expect(survives(tag.repeat(20_000) + page)).toBe(true)
  })
})
