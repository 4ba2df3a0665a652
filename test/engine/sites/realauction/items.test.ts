import { describe, expect, test } from 'vitest'
import { parseItems } from '../../../../src/engine/sites/realauction/items.ts'
import { type Cell, foreclosure, itemHtml, type Template } from '../../../support/realauctionPages.ts'

const foreclosureFields = [
  { label: 'Auction Type:', value: 'FORECLOSURE' },
  { label: 'Case #:', value: '07-2026-CA-000123-XXAX', href: 'https://clerk.example/case?book=11&Page=22' },
  { label: 'Final Judgment Amount:', value: '$139,493.42' },
  { label: 'Parcel ID:', value: '007123-0000', href: 'https://appraiser.example/parcel?RE=0071230000&copy=2' },
  { label: 'Property Address:', value: '14 HERON LANDING CT' },
  { label: '', value: 'ORMISTON, FL- 32999' },
  { label: 'Assessed Value:', value: '$92,567.00' },
  { label: 'Plaintiff Max Bid:', value: 'Hidden' },
]

describe('every template gives the same fields (6.2: no county is silently empty)', () => {
  test.each<Template>(['td', 'th', 'div', 'bare'])('%s', (template) => {
    expect(parseItems(itemHtml('4501', foreclosure, { template }))).toEqual([
      { auctionId: '4501', fields: foreclosureFields, status: null, area: null },
    ])
  })

  test('a page that mixes them', () => {
    const html = (['td', 'th', 'div', 'bare'] as const).map((template, i) =>
      itemHtml(`${i + 1}`, foreclosure, { template }),
    )
    const items = parseItems(html.join(''))
    expect(items.map((item) => item.auctionId)).toEqual(['1', '2', '3', '4'])
    for (const item of items) expect(item.fields).toEqual(foreclosureFields)
  })

  test('rows of bare td and td', () => {
    const html = '<div class="AUCTION_ITEM" aid="9"><table><tr><td>Case #:</td><td>24-7</td></tr></table></div>'
    expect(parseItems(html)[0]?.fields).toEqual([{ label: 'Case #:', value: '24-7' }])
  })
})

test('listings with a further class, a bare id or a bare aid are found, spacers and other markup are not', () => {
  const html = [
    '<a>Property Appraiser</a><table><tr><th>Case #:</th><td>not a listing</td></tr></table>',
    itemHtml('1', foreclosure).replace('AUCTION_ITEM PREVIEW', 'AUCTION_ITEM PREVIEW adc-spacer'),
    itemHtml('2', foreclosure).replace('class="AUCTION_ITEM PREVIEW" aid="2"', ''),
    itemHtml('3', foreclosure).replace('id="AITEM_3"', ''),
  ]
  expect(parseItems(html.join('')).map((item) => [item.auctionId, item.fields.length])).toEqual([
    ['1', 8],
    ['2', 8],
    ['3', 8],
  ])
})

test('labels and values are folded, and a blank label stays a line of its own', () => {
  const cells: Cell[] = [
    ['Plaintiff Max\nBid:', ' $1.00 '],
    [' Property&nbsp;Address : ', '803 ORANGE\n GROVE<br>DRIVE'],
    [' &nbsp; ', 'UNIT 7'],
    ['', 'MIAMI, FL- 33185'],
  ]
  expect(parseItems(itemHtml('5', cells))[0]?.fields).toEqual([
    { label: 'Plaintiff Max Bid:', value: '$1.00' },
    { label: 'Property Address :', value: '803 ORANGE GROVE DRIVE' },
    { label: '', value: 'UNIT 7' },
    { label: '', value: 'MIAMI, FL- 33185' },
  ])
})

test('a label without a cell and a cell without a label lose nothing', () => {
  const html =
    '<div id="AITEM_6"><div class="AD_LBL">Case #:</div><div class="AD_LBL">Parcel ID:</div>' +
    '<div class="AD_DTA">11-22</div><div class="AD_DTA">33-44</div></div>'
  expect(parseItems(html)[0]?.fields).toEqual([
    { label: 'Case #:', value: '' },
    { label: 'Parcel ID:', value: '11-22' },
    { label: '', value: '33-44' },
  ])
})

test('a last row without its end tags is read', () => {
  const html = itemHtml('7', [['Case #:', '1']]).replace('</td></tr></tbody></table>', '')
  expect(parseItems(html + itemHtml('8', foreclosure)).map((item) => item.fields.length)).toEqual([1, 8])
})

test('the text of a single link is the value, links without text only give their address', () => {
  const cells: Cell[] = [
    ['Parcel ID:', '<a href=" /map?p=1 "><img src="pin.gif"></a> 12-34 '],
    ['Case #:', '<a href="/a">TD 1</a> <a href="/b">TD 2</a>'],
    ['Certificate #:', '<a name="x">77</a>'],
  ]
  expect(parseItems(itemHtml('9', cells))[0]?.fields).toEqual([
    { label: 'Parcel ID:', value: '12-34', href: '/map?p=1' },
    { label: 'Case #:', value: 'TD 1 TD 2', href: '/a' },
    { label: 'Certificate #:', value: '77' },
  ])
})

test('nothing a database cannot store comes through', () => {
  const item = parseItems(itemHtml('10', [['Case #:', 'A\u0000B\ud800']]))[0]
  expect(item?.fields[0]?.value).toBe('AB\ufffd')
})

test('the id is the aid, never the case number (6.7)', () => {
  expect(parseItems(itemHtml('1513', foreclosure))[0]?.auctionId).toBe('1513')
  expect(() => parseItems('<div class="AUCTION_ITEM"><div class="AD_LBL">Case #:</div></div>')).toThrow(
    expect.objectContaining({ code: 'TEMPLATE_CHANGED' }),
  )
})

test('a rendered day page tells each listing its area and its status (6.4)', () => {
  const sold = ['Auction Sold', '05/01/2026 11:23 AM ET', 'Amount', '$124,700.00', 'Sold To', 'Plaintiff ']
  const html =
    `<div id="Area_R" arid="R"></div><div id="Area_W" arid="W">${itemHtml('1', foreclosure)}</div>` +
    `<div id="Area_C" arid="C">${itemHtml('2', foreclosure, { stats: sold })}</div>`
  expect(parseItems(html).map(({ auctionId, area, status }) => ({ auctionId, area, status }))).toEqual([
    { auctionId: '1', area: 'W', status: null },
    {
      auctionId: '2',
      area: 'C',
      status: {
        A: 'Auction Sold',
        B: '05/01/2026 11:23 AM ET',
        C: 'Amount',
        D: '$124,700.00',
        SL: 'Sold To',
        ST: 'Plaintiff',
      },
    },
  ])
})
