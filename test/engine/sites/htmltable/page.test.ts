import { describe, expect, test } from 'vitest'
import { convertItem } from '../../../../src/engine/convert/convertItem.ts'
import type { TableOptions } from '../../../../src/engine/sites/htmltable/options.ts'
import { parseTablePage } from '../../../../src/engine/sites/htmltable/page.ts'
import { htmlTable } from '../../../../src/engine/sites/htmltable/site.ts'

const url = new URL('https://cove.example/sales')
const parse = (html: string, options: TableOptions = {}) => parseTablePage(html, url, options, 1)
const valuesOf = (html: string, options: TableOptions = {}) =>
  parse(html, options).rows.map((row) => row.fields.map((field) => field.value))

const row = (...cells: string[]) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
const table = (...rows: string[]) => `<table>${rows.join('\n')}</table>`
const header = row('Case #', 'Parcel ID', 'Sale Date', 'Minimum Bid')

describe('rows', () => {
  test('titles, notes, repeated headers and blank rows are none', () => {
    const html = table(
      '<tr><td colspan="4">Sales of May</td></tr>',
      header,
      row('26-1', '7', '5/1/26', '$5'),
      header,
      '<tr><td colspan="4">Bring cash.</td></tr>',
      row('26-2', '8', '5/1/26', '$6'),
      row('', '&nbsp;', '', ''),
    )
    expect(valuesOf(html)).toEqual([
      ['26-1', '7', '5/1/26', '$5'],
      ['26-2', '8', '5/1/26', '$6'],
    ])
  })

  test('a cell that spans rows counts in each, one that spans columns in its first', () => {
    const html = table(
      header,
      '<tr><td rowspan="2">26-1</td><td>7</td><td rowspan="2">5/1/26</td><td>$5</td></tr>',
      '<tr><td>8</td><td>$6</td></tr>',
      '<tr><td>26-3</td><td colspan="2">WITHDRAWN</td><td>$7</td></tr>',
    )
    expect(valuesOf(html)).toEqual([
      ['26-1', '7', '5/1/26', '$5'],
      ['26-1', '8', '5/1/26', '$6'],
      ['26-3', 'WITHDRAWN', '$7'],
    ])
    expect(parse(html).rows[2]?.fields.map((field) => field.label)).toEqual(['Case #', 'Parcel ID', 'Minimum Bid'])
  })

  test('a header over two columns names both', () => {
    const html = table(
      '<tr><th>Case #</th><th colspan="2">Address</th></tr>',
      row('26-1', '17 B ST', 'COVE HOLLOW, NC 28999'),
    )
    expect(parse(html).rows[0]?.fields).toEqual([
      { label: 'Case #', value: '26-1' },
      { label: 'Address', value: '17 B ST' },
      { label: '', value: 'COVE HOLLOW, NC 28999' },
    ])
  })

  test('every table with such a header is read, and no layout around it', () => {
    const inner = table(header, row('26-1', '7', '5/1/26', '$5'))
    const html = `<table><tr><td>${inner}</td><td>News</td></tr></table>${table(row('Mon', 'Tue'), row('1', '2'))}${table(header, row('26-2', '8', '5/1/26', '$6'))}`
    expect(valuesOf(html).map(([number]) => number)).toEqual(['26-1', '26-2'])
  })

  test('rows of other elements are read by their selector', () => {
    const block = (...cells: string[]) =>
      `<div class="row">${cells.map((cell) => `<span>${cell}</span>`).join('')}</div>`
    const html = `<div>${block('Case #', 'Parcel ID')}${block('26-1', '7')}</div></html>`
    expect(valuesOf(html, { rowSelector: '.row' })).toEqual([['26-1', '7']])
  })

  test('columns and cells without a header are kept under their place', () => {
    const html = table(row('Case #', 'Parcel ID', ''), row('26-1', '7', 'x', 'y'))
    expect(parse(html).rows[0]?.fields.slice(2)).toEqual([
      { label: 'Column 3', value: 'x' },
      { label: 'Column 4', value: 'y' },
    ])
  })

  test('spans beyond all reason do no harm', () => {
    const html = table(header, '<tr><td rowspan="999999999" colspan="999999999">26-1</td><td>7</td></tr>')
    expect(parse(html).rows[0]?.fields[0]).toEqual({ label: 'Case #', value: '26-1' })
  })
})

test('dates are read in every way counties print them', () => {
  const html = (text: string) => table(header, row('26-1', '7', text, '$5'))
  const dateOf = (text: string, options: TableOptions = {}) => parse(html(text), options).rows[0]?.date
  for (const text of [
    '07-JUL-2026',
    '7-Jul-26',
    '07/07/2026',
    '7/7/26 10:00 AM',
    'July 7th, 2026',
    'Tuesday, July 7, 2026',
  ]) {
    expect({ text, date: dateOf(text) }).toEqual({ text, date: '2026-07-07' })
  }
  for (const text of ['TBA', '', '31-FEB-2026', '7/45/26', '77'])
    expect({ text, date: dateOf(text) }).toEqual({ text, date: null })
  expect(dateOf('07.06.2026', { dateFormat: 'dd.MM.yyyy' })).toBe('2026-06-07')
  expect(dateOf('07/07/2026', { dateFormat: 'dd.MM.yyyy' })).toBeNull()
})

describe('the end of a table', () => {
  const rows = [header, row('26-1', '7', '5/1/26', '$5')]
  test('is its own end tag or that of the page', () => {
    expect(parse(table(...rows)).closed).toBe(true)
    expect(parse(`<table>${rows.join('')}`).closed).toBe(false)
    expect(parse(`<table>${rows.join('')}</html>`).closed).toBe(true)
  })

  test.each([
    ['a link to the next page', '<div class="pagination"><a href="?p=2">2</a><a href="?p=2">Next ›</a></div>', 'link'],
    ['a number', '<ul class="pager"><li>1</li><li><a href="?p=2">2</a></li></ul>', 'link'],
    ['a link that needs a script', '<div class="pager"><a href="#">Next</a></div>', 'unreachable'],
    ['a button', '<nav aria-label="pagination"><button>Load more</button></nav>', 'unreachable'],
    ['a count', '<div>Showing 1 to 10 of 57 entries</div>', 'unreachable'],
    ['a link to another host', '<div class="pager"><a href="https://x.example/2">Next</a></div>', 'unreachable'],
    ['a full count', '<div>Showing 1 to 57 of 57 entries</div>', 'none'],
    [
      'a pager at its end',
      '<div class="pager"><a href="?p=1">1</a><a class="disabled" href="?p=2">Next</a></div>',
      'none',
    ],
    [
      'a number right behind it, though nothing calls it a pager',
      '<p><a href="/next">Next meeting</a> <a href="/2">2</a></p>',
      'link',
    ],
    ['a menu', '<p>Notes</p><p>More</p><div><ul><li><a href="/2026">2026</a></li></ul></div>', 'none'],
  ] as const)('%s behind it', (_name, behind, kind) => {
    expect(parse(`<div>${table(...rows)}${behind}</div></html>`).next.kind).toBe(kind)
  })

  test('a pager in a row of its own is found, and is no listing', () => {
    const html = table(...rows, `<tr><td colspan="4"><a href="javascript:__doPostBack('g','Page$2')">2</a></td></tr>`)
    expect(parse(html)).toMatchObject({ next: { kind: 'unreachable' }, rows: [{}] })
  })
})

test('a page without such a table is a changed template, and a captcha is a refusal', () => {
  expect(() => parse('<p>No table here.</p>')).toThrow(expect.objectContaining({ code: 'TEMPLATE_CHANGED' }))
  expect(() => parse(table(row('Case #', 'Judge')))).toThrow(expect.objectContaining({ code: 'TEMPLATE_CHANGED' }))
  expect(() => parse('<title>Just a moment...</title>')).toThrow(expect.objectContaining({ code: 'BLOCKED' }))
})

describe('conversion by options', () => {
  const convert = (html: string, options: TableOptions = {}) => {
    const { rows, reading } = parse(html, options)
    return rows.map(({ fields, date }) =>
      convertItem(
        {
          sourceKey: '1',
          auctionId: null,
          url: url.href,
          raw: { fields, status: null, area: null },
          auctionDate: date,
          timeText: null,
          reading,
        },
        { platform: 'HTML_TABLE', state: 'NC', timezone: 'America/New_York', today: '2026-03-18', auctionType: null },
      ),
    )
  }

  test('columns, formats and amounts are read as they say, and what is left out is not reported', () => {
    const html = table(
      row('File', 'Tract', 'Day', 'Due', 'Remarks', 'Town', 'State', 'Zip'),
      row('26-1', '7', '2026|05|01', '$17,684.51 2025 Taxes Due', 'corner lot', 'COVE HOLLOW', 'nc', '28999'),
    )
    const [one] = convert(html, {
      columns: { File: 'caseNumber', Tract: 'parcelId', Due: 'openingBid', Remarks: null, Town: 'city' },
      date: { column: 'Day' },
      dateFormat: 'yyyy|MM|dd',
      money: String.raw`\$[\d,.]+`,
    })
    expect(one).toMatchObject({
      kind: 'prospect',
      unknownLabels: [],
      fields: {
        caseNumber: '26-1',
        parcelId: '7',
        auctionDate: '2026-05-01',
        openingBid: '17684.51',
        city: 'COVE HOLLOW',
        stateCode: 'NC',
        zip: '28999',
      },
    })
  })

  test('an amount with a mark, one to be told, and one that is none', () => {
    const html = table(header, ...['$767.06*', '$TBD', 'see note 4'].map((bid, n) => row(`26-${n}`, '7', '', bid)))
    const [marked, untold, none] = convert(html)
    expect(marked).toMatchObject({ fields: { openingBid: '767.06' } })
    expect(untold).toMatchObject({ fields: { openingBid: null } })
    expect(none).toMatchObject({ kind: 'rejected', field: 'openingBid' })
  })

  test('sold is what says so and names an amount', () => {
    const html = table(
      row('Case #', 'Parcel ID', 'Status', 'Sale Amount', 'Sold To'),
      row('26-1', '7', 'Sold', '$9,000.00', '3rd Party'),
      row('26-2', '8', 'Sold', '', ''),
      row('26-3', '9', 'Unsold', '$1.00', ''),
      row('26-4', '10', 'Sold', '$1.00', 'No bid'),
    )
    expect(convert(html)).toMatchObject([
      { fields: { auctionStatus: 'SOLD', saleAmount: '9000.00', buyerType: 'THIRD_PARTY' } },
      { fields: { auctionStatus: 'UNKNOWN', saleAmount: null } },
      { fields: { auctionStatus: 'UNSOLD', saleAmount: null } },
      { fields: { auctionStatus: 'UNKNOWN', saleAmount: null } },
    ])
  })

  test('a row that nothing names is rejected', () => {
    const html = table(header, row('', '', '5/1/26', '$5'))
    expect(convert(html)).toMatchObject([{ kind: 'rejected', field: 'caseNumber' }])
  })

  test('a day that is none is rejected where its column says so', () => {
    const html = table(row('Case #', 'Parcel ID', 'Day'), row('26-1', '7', '13/45/2026'))
    expect(convert(html, { date: { column: 'Day' } })).toMatchObject([{ kind: 'rejected', field: 'auctionDate' }])
  })
})

test.each<[string, unknown, string[]]>([
  ['nothing', {}, []],
  ['null', null, []],
  [
    'everything',
    {
      rowSelector: '#sales tr',
      headerRow: 2,
      columns: { File: 'caseNumber', Notes: null },
      dateFormat: 'd-LLL-yyyy',
      date: { selector: 'h2', pattern: 'on (.*)' },
      money: '[$]([0-9.]+)',
    },
    [],
  ],
  ['an unknown setting', { rows: 'tr' }, ['options']],
  ['a broken selector', { rowSelector: 'tr[' }, ['options.rowSelector']],
  ['markup for a selector', { rowSelector: '<tr>' }, ['options.rowSelector']],
  ['an unknown field', { columns: { File: 'judge' } }, ['options.columns.File']],
  ['a header row of nought', { headerRow: 0 }, ['options.headerRow']],
  ['a format without days', { dateFormat: 'LLL yyyy' }, ['options.dateFormat']],
  ['a broken pattern', { money: '(' }, ['options.money']],
  ['a broken pattern of the date', { date: { selector: 'h2', pattern: '(' } }, ['options.date.pattern']],
  ['a day that is none', { date: { fixed: '2026-02-30' } }, ['options.date.fixed']],
  ['two dates', { date: { fixed: '2026-05-01', column: 'Day' } }, ['options.date']],
  ['several at once', { headerRow: 'x', money: '(' }, ['options.headerRow', 'options.money']],
])('options: %s', (_name, options, paths) => {
  expect(htmlTable.issuesOf(url, options).map((issue) => issue.path.join('.'))).toEqual(paths)
})
