import type { CalendarDate } from '../../domain.ts'
import { addMonths, cellLabel, monthCells, monthName, slashes } from './dates.ts'
import { itemsIn } from './days.ts'
import { page } from './html.ts'
import type { DayType, SampleDay, SampleItem } from './types.ts'

/** The page of one month. `counts: false` leaves out the figures of its sale days. */
export function calendarPage(month: CalendarDate, days: readonly SampleDay[], counts: boolean): string {
  const cells = monthCells(month).map((date) =>
    cell(
      date,
      days.find((day) => day.date === date),
      counts,
    ),
  )
  const weeks = Array.from({ length: Math.ceil(cells.length / 7) }, (_, week) => cells.slice(week * 7, week * 7 + 7))
  return page({
    title: 'Auction Calendar',
    heading: 'Auction Calendar',
    content: `<div class="CALNAV">${monthLink(addMonths(month, -1), 'Previous Month')} <span class="CALMONTH">${monthName(month)}</span> ${monthLink(addMonths(month, 1), 'Next Month')}</div>
${weeks.map((week) => `<div class="CALDAYBOX">\n${week.join('\n')}\n</div>`).join('\n')}`,
  })
}

function monthLink(month: CalendarDate, label: string): string {
  const stamp = encodeURIComponent(`{ts '${month} 00:00:00'}`).replaceAll("'", '%27')
  return `<a href="/index.cfm?zaction=user&zmethod=calendar&selCalDate=${stamp}" aria-label="${label}">${label}</a>`
}

const cellClasses: Record<DayType, string> = {
  FC: ' CALSELF',
  TD: ' CALSELT',
  TREASURER: ' CALSELT',
  BOTH: ' CALSELB',
  SHERIFF: '',
}

function cell(date: CalendarDate | null, day: SampleDay | undefined, counts: boolean): string {
  if (date === null) return '<div class="CALBOX CALW5">&nbsp;</div>'
  const dayNumber = Number(date.slice(8))
  const heading = `<span class="CALNUM">${dayNumber}</span>`
  if (!day) return `<div class="CALBOX CALW5" aria-label="${cellLabel(date)}">${heading}</div>`
  // Both quote styles and a blank before `>` occur on the real pages.
  const quote = dayNumber % 2 === 0 ? '"' : "'"
  const attribute = (name: string, value: string) => `${name}=${quote}${value}${quote}`
  const attributes = [
    attribute('class', `CALBOX CALW5${cellClasses[day.type]}`),
    attribute('role', 'link'),
    attribute('aria-label', cellLabel(date)),
    attribute('dayid', slashes(date)),
  ]
  const time = day.timeText === '' ? '' : `<span class="CALTIME"> ${day.timeText}</span>`
  return `<div ${attributes.join(' ')}${dayNumber % 3 === 0 ? ' ' : ''}>${heading} <span class="CALTEXT">${sales(day, counts)}${time}</span></div>`
}

/** One line for each kind of sale of the day: its name, the items still waiting, all its items. */
function sales(day: SampleDay, counts: boolean): string {
  const lines = kindsOfSale[day.type].map(({ name, code, holds }) => {
    const shown = Number(day.date.slice(8)) % 4 === 0 ? `<b>${name}</b>` : name
    const waiting = itemsIn(day, 'W').filter(holds).length
    const figures = `<span class="CALACT">${waiting}</span> / <span  class="CALSCH">${day.items.filter(holds).length}</span> ${code}<br> `
    return `${shown}<br>${counts ? `<span class="CALMSG">${figures}</span>` : ''}`
  })
  return lines.join('')
}

interface KindOfSale {
  name: string
  code: 'FC' | 'TD'
  holds: (item: SampleItem) => boolean
}

const isTaxDeed = (item: SampleItem): boolean =>
  item.fields.some((field) => field.label === 'Auction Type:' && field.value === 'TAXDEED')

const kindsOfSale: Record<DayType, readonly KindOfSale[]> = {
  FC: [{ name: 'Foreclosure', code: 'FC', holds: () => true }],
  TD: [{ name: 'Tax Deed', code: 'TD', holds: () => true }],
  TREASURER: [{ name: 'Treasurer Deed', code: 'TD', holds: () => true }],
  BOTH: [
    { name: 'Foreclosure', code: 'FC', holds: (item) => !isTaxDeed(item) },
    { name: 'Tax Deed', code: 'TD', holds: isTaxDeed },
  ],
  SHERIFF: [{ name: 'Foreclosure', code: 'FC', holds: () => true }],
}
