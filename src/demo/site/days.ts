import type { CalendarDate } from '../../domain.ts'
import type { Area, SampleDay, SampleItem } from './types.ts'

/** Days in order of their dates. Throws when two have the same date or one listing number occurs twice. */
export function orderedDays(days: readonly SampleDay[]): SampleDay[] {
  const dates = new Set(days.map((day) => day.date))
  if (dates.size < days.length) throw new Error('a sample site holds one day per date')
  const aids = days.flatMap((day) => day.items.map((item) => item.aid))
  if (new Set(aids).size < aids.length) throw new Error('a listing number occurs twice on the sample site')
  return [...days].sort((a, b) => (a.date < b.date ? -1 : 1))
}

export const itemsIn = (day: SampleDay | undefined, area: Area): SampleItem[] =>
  (day?.items ?? []).filter((item) => item.area === area)

/** At least 1. Running auctions have no pager: they are one page, however many. */
export function pageCount(day: SampleDay | undefined, area: Area, pageSize: number): number {
  return area === 'R' ? 1 : Math.max(1, Math.ceil(itemsIn(day, area).length / pageSize))
}

/** The items of one page, counted from 1 and no higher than `pageCount`. */
export function itemsOfPage(day: SampleDay | undefined, area: Area, page: number, pageSize: number): SampleItem[] {
  const items = itemsIn(day, area)
  return area === 'R' ? items : items.slice((page - 1) * pageSize, page * pageSize)
}

/** The days with that day's first waiting item closed and cancelled. */
export function withFirstWaitingClosed(days: readonly SampleDay[], date: CalendarDate): SampleDay[] {
  return days.map((day) => {
    const first = day.date === date ? itemsIn(day, 'W')[0] : undefined
    if (!first) return day
    const status = { A: 'B', B: 'Canceled per Order', C: '', D: '', SL: '', ST: '' }
    const closed: SampleItem = { ...first, area: 'C', status }
    return { ...day, items: [...day.items.filter((item) => item !== first), closed] }
  })
}
