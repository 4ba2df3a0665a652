import { expect, test } from 'vitest'
import { parseCalendar } from '../../../../src/engine/sites/realauction/calendar.ts'

const cell = (attributes: string, inner = '') => `<div ${attributes}><span class="CALNUM">1</span>${inner}</div>\n`
const counts = (waiting: number, scheduled: number, code: string) =>
  `<span class="CALMSG"><span class="CALACT">${waiting}</span> / <span  class="CALSCH">${scheduled}</span> ${code}<br> </span>`
const sale = (type: string, groups: string, time = '<span class="CALTIME"> 09:30 AM CT</span>') =>
  ` <span class="CALTEXT">${type}<br>${groups}${time}</span>`

test('every day of the month is there, sale or not', () => {
  const { month, days } = parseCalendar(
    cell('class="CALBOX CALW5" aria-label="July-01-2026"') +
      cell(
        `class='CALBOX CALW5 CALSELT' role="link" aria-label='July-02-2026' dayid='07/02/2026' `,
        sale('Tax Deed', counts(4, 12, 'TD')),
      ),
  )
  expect(month).toBe('2026-07')
  expect([...days.values()]).toEqual([
    { date: '2026-07-01', sale: false, scheduled: null, waiting: null, timeText: null, typeText: null },
    { date: '2026-07-02', sale: true, scheduled: 12, waiting: 4, timeText: '09:30 AM CT', typeText: 'Tax Deed' },
  ])
})

test('a sale day without the class of sale days is known by its dayid', () => {
  const { days } = parseCalendar(cell('class="CALBOX CALW5" dayid="07/06/2026"', sale('<b>Foreclosure</b>', '', '')))
  expect(days.get('2026-07-06')).toEqual({
    date: '2026-07-06',
    sale: true,
    scheduled: null,
    waiting: null,
    timeText: null,
    typeText: 'Foreclosure',
  })
})

test('a day with foreclosures and tax deeds counts both', () => {
  const groups = counts(1, 15, 'FC') + counts(0, 1200, 'TD').replace('1200', '1,200')
  const { days } = parseCalendar(cell('class="CALBOX CALSELB" dayid="07/07/2026"', sale('Foreclosure', groups)))
  expect(days.get('2026-07-07')).toMatchObject({ scheduled: 1215, waiting: 1 })
})

test('two boxes of one day are added up', () => {
  const box = (type: string, groups: string) => cell('class="CALBOX" dayid="07/07/2026"', sale(type, groups))
  const { days } = parseCalendar(box('Foreclosure', counts(2, 3, 'FC')) + box('Tax Deed', counts(4, 5, 'TD')))
  expect(days.get('2026-07-07')).toMatchObject({ scheduled: 8, waiting: 6, typeText: 'Foreclosure' })
})

test('a day whose listings are all closed is still a sale day', () => {
  const { days } = parseCalendar(
    cell('class="CALBOX CALSELF" dayid="07/08/2026"', sale('Foreclosure', counts(0, 37, 'FC'))),
  )
  expect(days.get('2026-07-08')).toMatchObject({ sale: true, scheduled: 37, waiting: 0 })
})

test('a count never swallows its neighbour', () => {
  const { days } = parseCalendar(
    cell('class="CALBOX" dayid="07/09/2026"', sale('Foreclosure', '')) +
      cell('class="CALBOX" dayid="07/10/2026"', sale('Foreclosure', counts(1, 2, 'FC'))),
  )
  expect(days.get('2026-07-09')).toMatchObject({ scheduled: null, waiting: null })
})

test('the days of a neighbouring month prove nothing and are left out', () => {
  const { month, days } = parseCalendar(
    cell('class="CALBOX" aria-label="June-30-2026"') +
      cell('class="CALBOX" aria-label="July-01-2026"') +
      cell('class="CALBOX" aria-label="July-02-2026"') +
      cell('class="CALBOX"'),
  )
  expect(month).toBe('2026-07')
  expect([...days.keys()]).toEqual(['2026-07-01', '2026-07-02'])
})

test('a page without a day has no month', () => {
  expect(parseCalendar('<html><title>Auction Calendar</title></html>')).toEqual({ month: null, days: new Map() })
})

test('a day whose date cannot be read is a changed template', () => {
  expect(() => parseCalendar(cell('class="CALBOX" dayid="13/45/2026"'))).toThrow(
    expect.objectContaining({ code: 'TEMPLATE_CHANGED' }),
  )
})

test('the maintenance page is an offline site', () => {
  expect(() => parseCalendar('<div id="Content_Title"><h1>OFFLINE</h1></div>')).toThrow(
    expect.objectContaining({ code: 'SITE_OFFLINE' }),
  )
})
