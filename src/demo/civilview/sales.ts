import type { CalendarDate } from '../../domain.ts'
import { addDays, slashes } from '../site/dates.ts'
import { money } from '../site/listings.ts'
import { seededRandom } from '../site/random.ts'
import { streets } from '../site/words.ts'

/** One sheriff's sale as the sample site holds it. */
export interface SampleSale {
  sheriffNumber: string
  caseNumber: string
  /** null: put off for an indefinite time. */
  date: CalendarDate | null
  /** `02:00 PM`; null where the county prints none. */
  time: string | null
  plaintiff: string
  defendant: string
  /** The street's line, further ones, and the town's. */
  address: readonly string[]
  attorney: string
  judgment: string
  upset: string
  parcel: string
  /** Oldest first. */
  history: readonly { status: string; date: CalendarDate }[]
  /** Sold or cancelled: in the other list. */
  over: boolean
}

/**
 * Sales of some days: `perDay` each, those before `today` over, some adjourned to their day from another, and two
 * without a date.
 */
export function inventSales(days: readonly CalendarDate[], today: CalendarDate, perDay = 4): SampleSale[] {
  const dated = days.flatMap((date, day) =>
    Array.from({ length: perDay }, (_, n) => inventSale(day * perDay + n, date, date < today)),
  )
  const undated = [1, 2].map((n) => ({
    ...inventSale(days.length * perDay + n, null, false),
    history: [
      { status: 'Scheduled', date: addDays(today, -90) },
      { status: 'Indefinite Bankruptcy', date: addDays(today, -60) },
    ],
  }))
  return [...dated, ...undated]
}

function inventSale(n: number, date: CalendarDate | null, over: boolean): SampleSale {
  const random = seededRandom('sale', n)
  const amount = random.integer(9_000_000, 60_000_000)
  const last = random.pick(['Adjourned - Plaintiff', 'Adjourned - Court', 'Defendant Adjourned to'])
  const end = random.pick(['Purchased', 'Cancelled/Settled', 'Cancelled'])
  const first = { status: 'Scheduled', date: addDays(date ?? '2026-01-05', -56) }
  const adjourned = { status: last, date: date ?? '2026-01-05' }
  return {
    sheriffNumber: `F-26${String(100 + n).padStart(6, '0')}`,
    caseNumber: `F0${random.digits(5)}25`,
    date,
    time: n % 3 === 0 ? '02:00 PM' : null,
    plaintiff: random.pick(['HARBOR & LOAN TRUST N.A.', 'FIRST TIDEWATER MORTGAGE LLC', 'OAKLINE SERVICING CORP']),
    defendant: `${random.pick(['QUILL', 'MARSH', 'TANDY', 'VOSS'])}, ${random.pick(['A.', 'B.', 'C.'])}; ET AL`,
    address: [
      `${random.integer(1, 990)} ${random.pick(streets)}`,
      ...(n % 5 === 0 ? [`A/K/A LOT ${random.integer(2, 90)}`] : []),
      `EAST TILBURY NJ 0${7990 + (n % 10)}`,
    ],
    attorney: random.pick(['PELL & ROOK, LLC', 'DUNMORE LAW, P.C.']),
    judgment: money(amount),
    // With a space behind a comma, as a hand may type it, or not told.
    upset: n % 4 === 0 ? '' : money(amount + 150_000).replace(/,(\d{3}\.)/, n % 4 === 1 ? ', $1' : ',$1'),
    parcel: `LOT ${random.integer(1, 60)}, BLOCK ${random.integer(100, 2000)}`,
    history: [first, ...(n % 2 === 0 ? [adjourned] : []), ...(over && date !== null ? [{ status: end, date }] : [])],
    over,
  }
}

/** `9/1/2026`, as the site prints dates. */
export const printed = (date: CalendarDate): string => slashes(date).replace(/^0/, '').replace('/0', '/')
