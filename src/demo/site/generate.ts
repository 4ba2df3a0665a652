import type { CalendarDate } from '../../domain.ts'
import { addDays, daysBetween, isWeekend } from './dates.ts'
import { drawFate, standings } from './fates.ts'
import { type Case, inventCase, type LabelSet, listingFields, usualTemplate } from './listings.ts'
import { type Random, seededRandom } from './random.ts'
import type { DayType, ItemTemplate, SampleDay, SampleItem } from './types.ts'

export interface GenerateOptions {
  from: CalendarDate
  /** Nothing is published after it. */
  to: CalendarDate
  /** Days before it are over, that day's sale is under way, later ones wait. */
  today: CalendarDate
  /** Items on a sale day, or the least and the most; 3 to 34 unless told. */
  perDay?: number | readonly [least: number, most: number]
  /** 1 unless told. */
  seed?: number
  /** Which sales the county holds; all kinds unless told. */
  types?: readonly DayType[]
}

/**
 * Believable auction days: a sale on three of five weekdays or so, in templates, labels and values as varied as those of
 * the real sites, with sister parcels of one case. Depends on its arguments alone. Days are drawn one by one, so another
 * range holds the same days, and a later `today` the same listings further on.
 */
export function generateDays(options: GenerateOptions): SampleDay[] {
  const days: SampleDay[] = []
  for (let date = options.from; date <= options.to; date = addDays(date, 1)) {
    if (!isWeekend(date) && seededRandom(options.seed ?? 1, 'sale', date).chance(0.6)) {
      days.push(generateDay(date, options))
    }
  }
  return days
}

/** One such day, on whatever date. */
export function generateDay(date: CalendarDate, options: Omit<GenerateOptions, 'from' | 'to'>): SampleDay {
  const seed = options.seed ?? 1
  const random = seededRandom(seed, 'day', date)
  const [least, most] =
    typeof options.perDay === 'object' ? options.perDay : [options.perDay ?? 3, options.perDay ?? 34]
  const count = random.integer(least, most)
  const type = random.pick(options.types ?? usualTypes)
  const sets = random.pick(setsOfType[type])
  const timeText = sets.includes('TX_TAX_SALE')
    ? '10:00 AM CT'
    : random.pick(['10:00 AM ET', '09:00 AM ET', '11:00 AM ET'])
  const listings = draftListings(sets, count, seededRandom(seed, 'items', date))
  const fateRandom = seededRandom(seed, 'fates', date)
  const fates = listings.map(({ set }, place) => drawFate(set, { date, timeText }, place, fateRandom))
  const now = standings(fates, { date, timeText, today: options.today })
  const first = daysBetween('2015-01-01', date) * 1000 + 1
  const items = listings.map(({ template, fields }, place): SampleItem => {
    const { area, status } = now[place] as (typeof now)[number]
    return { aid: String(first + place), area, template, fields, status }
  })
  return { date, type, timeText, items }
}

const usualTypes: readonly DayType[] = ['FC', 'FC', 'FC', 'TD', 'TD', 'BOTH', 'SHERIFF', 'SHERIFF', 'TREASURER']

/** The label sets that one day of a type may mix. */
const setsOfType: Readonly<Record<DayType, readonly (readonly LabelSet[])[]>> = {
  FC: [
    ['FL_FORECLOSURE'],
    ['FL_FORECLOSURE', 'FL_FORECLOSURE_PUBLICATION'],
    ['FL_FORECLOSURE_MARKET_VALUE'],
    ['FL_FORECLOSURE_PUBLICATION'],
  ],
  TD: [['FL_TAX_DEED'], ['FL_TAX_DEED_KEY'], ['FL_TAX_DEED', 'FL_TAX_DEED_KEY']],
  TREASURER: [['FL_TAX_DEED']],
  BOTH: [['FL_FORECLOSURE', 'FL_TAX_DEED']],
  SHERIFF: [['OH_SHERIFF'], ['PA_SHERIFF'], ['TX_TAX_SALE']],
}

interface Draft {
  set: LabelSet
  template: ItemTemplate
  fields: SampleItem['fields']
}

/** One case in five is sold as two to four parcels; one item in six stands in another template than its neighbours. */
function draftListings(sets: readonly LabelSet[], count: number, random: Random): Draft[] {
  const drafts: Draft[] = []
  let set = random.pick(sets)
  let sold: Case = inventCase(set, random)
  let parcelsLeft = 0
  while (drafts.length < count) {
    if (parcelsLeft === 0) {
      set = random.pick(sets)
      sold = inventCase(set, random)
      parcelsLeft = random.chance(0.2) ? random.integer(2, 4) : 1
    }
    const template = random.chance(1 / 6) ? random.pick(['td', 'th', 'div'] as const) : usualTemplate[set]
    drafts.push({ set, template, fields: listingFields(set, sold, random) })
    parcelsLeft -= 1
  }
  return drafts
}
