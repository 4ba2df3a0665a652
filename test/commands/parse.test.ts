import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { detailPage, listPage } from '../../src/demo/civilview/pages.ts'
import { inventSales } from '../../src/demo/civilview/sales.ts'
import { foreclosure, itemHtml, loadBody } from '../support/realauctionPages.ts'

let folder: string
const sales = inventSales(['2026-03-25'], '2026-03-18', 2)
const [sale] = sales as [(typeof sales)[number]]
const look = { layout: 'divs', numberHeader: 'Sheriff #' } as const
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gavel-parse-'))
  const files = {
    'answer.json': loadBody([itemHtml('11', foreclosure), itemHtml('12', [['Parcel ID:', '7']])], ['11', '12']),
    'page.html':
      `<div arid="W">${itemHtml('21', foreclosure, { template: 'div' })}</div>` +
      `<div arid="C">${itemHtml('22', foreclosure, { template: 'bare' })}</div>`,
    'ohio.html': itemHtml('31', [
      ['Case #:', '2026 CV 00017 (4)'],
      ['Property Address:', '1 A ST'],
      ['', 'DUNMORE , 45999'],
    ]),
    'empty.json': '\n{"retHTML":"","rlist":""}\n',
    'status.json': '{"ADATA":{"AITEM":[]}}',
    'calendar.html': '<div class="CALBOX" dayid="05/01/2026">1</div>',
    'offline.html': '<div id="Content_Title"><h1>OFFLINE</h1></div>',
    'cut.json': '{"retHTML":"@A@E_ITEM',
    'rows.html': detailPage(sale, { ...look, layout: 'rows' }),
    'divs.html': detailPage(sale, look),
    'list.html': listPage(sales, {
      county: 'Tilbury',
      open: true,
      look,
      link: () => '/Sales/SaleDetails?PropertyId=7',
    }),
    'headerless.html': `<table><tr><td><a href="/Sales/SaleDetails?PropertyId=7">Details</a></td>
      <td>F-26000100</td><td>3/25/2026</td><td>A BANK</td><td>A MAN</td><td>17 B ST...</td></tr></table>`,
    'table.html': `<table><thead><tr><th>Owner</th><th>Parcel #</th><th>Court File #</th><th>Minimum Bid*</th></tr>
      <tr><th>A MAN<br/>A WOMAN</th><th>0017</th><th><a href="https://docket.example/1">26M1</a></th><th>$767.06*</th></tr>
      <tr><th>A MAN</th><th></th><th></th><th>$1.00</th></tr></thead></table>`,
    'short.json': loadBody([itemHtml('41', foreclosure)], ['41', '42']),
  }
  for (const [name, body] of Object.entries(files)) await writeFile(join(folder, name), body)
})

afterAll(() => rm(folder, { recursive: true }))

/** Makes a process fail that loads what parsing does not need. */
const guard = `import { registerHooks } from 'node:module'
registerHooks({ resolve(name, context, next) {
  if (/^(pg|pg-boss|kysely|playwright)\\b/.test(name)) throw new Error('loaded ' + name)
  return next(name, context)
} })`
const guarded = ['--import', `data:text/javascript,${encodeURIComponent(guard)}`]

/** Every run proves that neither database nor browser is loaded. */
async function gavelParse(...args: string[]) {
  const child = spawn(process.execPath, [...guarded, main, 'parse', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const [code, out, err] = await Promise.all([exited, text(child.stdout), text(child.stderr)])
  const lines = out.split('\n').filter((line) => line !== '')
  return { code, items: lines.map((line) => JSON.parse(line)), errors: err.split('\n').filter((line) => line !== '') }
}

test('an answer is printed listing by listing, with its raw fields and its prospect or the reason against it', async () => {
  const { code, items, errors } = await gavelParse('--platform', 'realauction', 'answer.json')
  expect({ code, errors }).toEqual({ code: 0, errors: [] })
  expect(items.map((item) => item.auctionId)).toEqual(['11', '12'])
  expect(Object.keys(items[0])).toEqual(['auctionId', 'fields', 'prospect', 'rejected'])
  expect(items[0].fields.slice(1, 3)).toEqual([
    { label: 'Case #:', value: '07-2026-CA-000123-XXAX', href: 'https://clerk.example/case?book=11&Page=22' },
    { label: 'Final Judgment Amount:', value: '$139,493.42' },
  ])
  expect(items[0].prospect).toMatchObject({
    caseNumber: '07-2026-CA-000123-XXAX',
    auctionDate: null,
    auctionStatus: 'UNKNOWN',
    finalJudgmentAmount: '139493.42',
    stateCode: 'FL',
  })
  expect(items[0].rejected).toBeNull()
  expect(items[1]).toMatchObject({ prospect: null, rejected: 'caseNumber: no case number' })
})

test('date, area and county say what an answer does not', async () => {
  const { items } = await gavelParse(
    '--platform',
    'REALAUCTION',
    '--date',
    '2026-05-01',
    '--area',
    'w',
    '--county',
    'oh/montgomery',
    'ohio.html',
  )
  expect(items[0].prospect).toMatchObject({
    caseNumber: '2026 CV 00017',
    caseSuffix: '4',
    auctionDate: '2026-05-01',
    auctionStatus: 'SCHEDULED',
    city: 'DUNMORE',
    stateCode: 'OH',
    zip: '45999',
  })
})

test('a saved day page keeps its waiting and its closed listings apart (6.4)', async () => {
  const { items } = await gavelParse('--platform', 'REALAUCTION', '--date', '2999-05-01', 'page.html')
  expect(items.map((item) => [item.auctionId, item.prospect.auctionStatus])).toEqual([
    ['21', 'SCHEDULED'],
    ['22', 'CANCELLED'],
  ])
})

test('bodies without listings print nothing', async () => {
  const run = await gavelParse('--platform', 'REALAUCTION', 'empty.json', 'status.json', 'calendar.html')
  expect(run).toEqual({ code: 0, items: [], errors: [] })
})

test('a maintenance page prints nothing and is named', async () => {
  const { code, items, errors } = await gavelParse('--platform', 'REALAUCTION', 'offline.html')
  expect({ code, items }).toEqual({ code: 0, items: [] })
  expect(errors).toEqual([expect.stringContaining('maintenance')])
})

test('the pages of CivilView are read in either layout, and its lists', async () => {
  const { code, items, errors } = await gavelParse(
    '--platform',
    'civilview',
    'rows.html',
    'divs.html',
    'list.html',
    'headerless.html',
    'table.html',
  )
  expect(code).toBe(0)
  expect(errors).toEqual([expect.stringContaining('no list of sales')])
  const [rows, divs, ...listed] = items
  expect(rows.prospect).toMatchObject({
    saleNumber: sale.sheriffNumber,
    auctionDate: '2026-03-25',
    timeText: sale.time,
  })
  expect({ ...divs.prospect, sourceUrl: null }).toEqual({ ...rows.prospect, sourceUrl: null })
  expect(listed.map((item) => item.prospect.saleNumber)).toEqual([
    ...sales.map((one) => one.sheriffNumber),
    'F-26000100',
  ])
  expect(listed.at(-1).fields[1]).toEqual({ label: 'Sales Date', value: '3/25/2026' })
})

test('the rows of a plain table are read by the labels of their columns', async () => {
  const { code, items, errors } = await gavelParse('--platform', 'HTML_TABLE', '--county', 'nc/henderson', 'table.html')
  expect({ code, errors }).toEqual({ code: 0, errors: [] })
  expect(items[0]).toMatchObject({
    auctionId: null,
    fields: [
      { label: 'Owner', value: 'A MAN' },
      { label: '', value: 'A WOMAN' },
      { label: 'Parcel #', value: '0017' },
      { label: 'Court File #', value: '26M1', href: 'https://docket.example/1' },
      { label: 'Minimum Bid*', value: '$767.06*' },
    ],
    prospect: {
      defendant: 'A MAN, A WOMAN',
      parcelId: '0017',
      caseNumber: '26M1',
      openingBid: '767.06',
      stateCode: 'NC',
    },
  })
  expect(items[1]).toMatchObject({ prospect: null, rejected: expect.stringContaining('caseNumber: neither case') })
})

test('ids without markup are named', async () => {
  const { code, items, errors } = await gavelParse('--platform', 'REALAUCTION', 'short.json')
  expect({ code, count: items.length }).toEqual({ code: 0, count: 1 })
  expect(errors).toEqual([expect.stringContaining('42')])
})

test('an unreadable file is one line on stderr, and the others go on', async () => {
  const { code, items, errors } = await gavelParse(
    '--platform',
    'REALAUCTION',
    'missing.json',
    'cut.json',
    '.',
    'answer.json',
  )
  expect(code).toBe(1)
  expect(items).toHaveLength(2)
  expect(errors).toHaveLength(3)
  expect(errors[0]).toContain('missing.json')
  expect(errors[1]).toContain('cut.json')
})

test.each([
  [['--platform', 'ebay', 'page.html'], '--platform'],
  [['--platform', 'REALAUCTION', '--date', '05/41/2026', 'page.html'], '--date'],
  [['--platform', 'REALAUCTION', '--area', 'X', 'page.html'], '--area'],
  [['--platform', 'REALAUCTION', '--county', 'FL/Atlantis', 'page.html'], '--county'],
])('what makes no sense is refused with one line: %j', async (args, named) => {
  const { code, items, errors } = await gavelParse(...args)
  expect({ code, items }).toEqual({ code: 2, items: [] })
  expect(errors).toEqual([expect.stringContaining(named)])
})

test('a command line without its platform is refused', async () => {
  expect((await gavelParse('page.html')).code).toBe(2)
})
