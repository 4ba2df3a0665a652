import { DateTime } from 'luxon'
import { addDays, slashes } from '../../src/demo/site/dates.ts'
import { generateDay } from '../../src/demo/site/generate.ts'
import type { DayType, SampleDay } from '../../src/demo/site/types.ts'

/** The calendar day of now in Florida: a running Gavel knows no other today. */
export const today = DateTime.now().setZone('America/New_York').toISODate() ?? ''

/** That many days from today. */
export const day = (fromToday: number): string => addDays(today, fromToday)

/** Listings are drawn for the days around this one and moved to those around today: the same ones in every run. */
const drawnToday = '2026-03-18'

/** A day of listings as they stand today. */
export function sale(fromToday: number, perDay: number, type: DayType = 'FC', seed = 1): SampleDay {
  const date = day(fromToday)
  const drawnDate = addDays(drawnToday, fromToday)
  const drawn = generateDay(drawnDate, { today: drawnToday, perDay, seed, types: [type] })
  const items = drawn.items.map((item) => ({
    ...item,
    status: { ...item.status, B: item.status.B.replace(slashes(drawnDate), slashes(date)) },
  }))
  return { ...drawn, date, items }
}
