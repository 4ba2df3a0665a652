import { DateTime } from 'luxon'
import { addDays } from '../../src/demo/site/dates.ts'
import { generateDay } from '../../src/demo/site/generate.ts'
import type { DayType, SampleDay } from '../../src/demo/site/types.ts'

/** The calendar day of now in Florida: a running Gavel knows no other today. */
export const today = DateTime.now().setZone('America/New_York').toISODate() ?? ''

/** That many days from today. */
export const day = (fromToday: number): string => addDays(today, fromToday)

/** The listings of one day, as they stand today. */
export const sale = (fromToday: number, perDay: number, type: DayType = 'FC', seed = 1): SampleDay =>
  generateDay(day(fromToday), { today, perDay, seed, types: [type] })
