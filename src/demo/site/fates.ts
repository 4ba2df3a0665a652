import type { CalendarDate, RawStatus } from '../../domain.ts'
import { slashes } from './dates.ts'
import { type LabelSet, money } from './listings.ts'
import type { Random } from './random.ts'
import type { Area } from './types.ts'

/** How a listing will end, decided before anybody knows: days seen later show more of it and contradict nothing. */
export interface Fate {
  /** It is closed before its day comes. */
  early: boolean
  final: RawStatus
}

const none: RawStatus = { A: '', B: '', C: '', D: '', SL: '', ST: '' }

/** Draws a fate with the wordings that fit the labels. `place` counts the items of the day: sales follow in order. */
export function drawFate(
  set: LabelSet,
  day: { date: CalendarDate; timeText: string },
  place: number,
  random: Random,
): Fate {
  const early = random.chance(0.14)
  const draw = random.integer(1, 100)
  const price = money(random.integer(400_000, 45_000_000))
  const reason = random.pick(
    early ? reasons[kindOf(set)].filter((text) => !onlyAfterSale.test(text)) : reasons[kindOf(set)],
  )
  if (early) return { early, final: draw <= 8 ? none : { ...none, A: 'B', B: reason } }
  if (draw > 97) return { early, final: none }
  if (draw > 62) return { early, final: { ...none, A: 'B', B: reason } }
  const sold = {
    ...none,
    A: 'Auction Sold',
    B: `${slashes(day.date)} ${clock(place)} ${day.timeText.slice(-2)}`,
    C: 'Amount',
    D: price,
  }
  if (set === 'OH_SHERIFF' && draw > 45) return { early, final: { ...sold, SL: 'Unsold' } }
  return { early, final: { ...sold, SL: 'Sold To', ST: random.pick(buyers[kindOf(set)]) } }
}

/**
 * Where each of a day's listings stands on `today` and what its status slots say. On the day itself the sale is under
 * way: the first third is done, the next listing is being sold.
 */
export function standings(
  fates: readonly Fate[],
  day: { date: CalendarDate; timeText: string; today: CalendarDate },
): { area: Area; status: RawStatus }[] {
  const { date, timeText, today } = day
  const third = Math.floor(fates.length / 3)
  const running = fates.findIndex((fate, place) => place >= third && !fate.early)
  return fates.map((fate, place) => {
    if (fate.early || date < today || (date === today && (place < third || place < running)))
      return { area: 'C', status: fate.final }
    if (date === today && place === running) return { area: 'R', status: none }
    return { area: 'W', status: { ...none, A: 'A', B: `${slashes(date)} ${timeText}` } }
  })
}

type SaleKind = 'foreclosure' | 'taxDeed' | 'sheriff' | 'texas'

function kindOf(set: LabelSet): SaleKind {
  if (set.startsWith('FL_TAX')) return 'taxDeed'
  if (set.startsWith('FL_')) return 'foreclosure'
  return set === 'TX_TAX_SALE' ? 'texas' : 'sheriff'
}

const buyers: Readonly<Record<SaleKind, readonly string[]>> = {
  foreclosure: ['3rd Party Bidder', 'Plaintiff', 'Plaintiff'],
  taxDeed: ['3rd Party Bidder', '3rd Party Bidder', 'Certificate Holder', 'Cert Holder'],
  sheriff: ['3rd Party Bidder', 'Plaintiff'],
  texas: ['3rd Party Bidder'],
}

const reasons: Readonly<Record<SaleKind, readonly string[]>> = {
  foreclosure: [
    'Canceled per Order',
    'Canceled per County',
    'Cancelled per Bankruptcy',
    'Auction to be rescheduled',
    'Rescheduled',
    'Bidder Walked Away',
  ],
  taxDeed: [
    'Redeemed',
    'Redeemed',
    'Redeemed',
    'Redeemed After Sale',
    'Canceled per County',
    'Canceled per Bankruptcy',
  ],
  sheriff: ['CANCELLED BANKRUPTCY CH 13', 'POSTPONED BY ATTORNEY', 'WITHDRAWN – TAX DELINQUENT', 'Canceled per Order'],
  texas: ['Struck Off', 'Canceled per County', 'Redeemed'],
}

const onlyAfterSale = /After Sale|Walked Away|Struck Off/

/** The moment of the sale: from 10:00, four minutes each. */
function clock(place: number): string {
  const minutes = 10 * 60 + 1 + place * 4
  const hour = Math.floor(minutes / 60) % 24
  const text = (value: number) => String(value).padStart(2, '0')
  return `${text(hour % 12 || 12)}:${text(minutes % 60)} ${hour < 12 ? 'AM' : 'PM'}`
}
