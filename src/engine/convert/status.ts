import type { AuctionStatus, BuyerType, CalendarDate, Decimal, Instant, RawData } from '../../domain.ts'
import { parseMoment } from './dates.ts'
import { parseMoney } from './money.ts'
import { ValueError } from './values.ts'

/** The outcome of a listing. */
export interface Outcome {
  auctionStatus: AuctionStatus
  /** The site's own words; null where it has none. */
  auctionStatusText: string | null
  saleAmount: Decimal | null
  soldAt: Instant | null
  soldTo: string | null
  buyerType: BuyerType | null
}

/** What the status depends on beside the raw data. */
export interface StatusContext {
  /** Of a label of the listing, where a site has such a label. */
  statusText: string | null
  /** Of labels of the listing likewise. */
  sale?: Pick<Outcome, 'saleAmount' | 'soldTo'>
  auctionDate: CalendarDate | null
  today: CalendarDate
  /** IANA zone for moments that name none. */
  timezone: string
}

/**
 * The status that a listing's words and its area prove. Words come first; what they do not say is UNKNOWN, never
 * SOLD. Throws ValueError for the moment of a sale that does not exist.
 */
export function readOutcome(raw: Pick<RawData, 'status' | 'area'>, context: StatusContext): Outcome {
  const block = raw.status
  if (block !== null && saysSold(block.A, block.B) && !noSale.test(block.SL) && !noSale.test(block.ST)) {
    const amount = saleAmount(block.D)
    if (amount !== null) return sold(block, amount, context.timezone)
  }
  if (block === null && labelSaysSold(context)) return soldByLabel(context)
  const words = ownWords(block) ?? context.statusText
  return {
    ...nothingSold,
    auctionStatus: statusOfWords(words) ?? statusOfArea(raw.area, words, context),
    auctionStatusText: words,
  }
}

/** CivilView says Purchased and names no amount; elsewhere the word alone proves nothing. */
function labelSaysSold({ statusText, sale }: StatusContext): boolean {
  const words = statusText?.trim() ?? ''
  if (noSale.test(sale?.soldTo ?? '')) return false
  return /^purchased\b/i.test(words) || (/^(auction )?sold$/i.test(words) && sale?.saleAmount != null)
}

function soldByLabel({ statusText, sale }: StatusContext): Outcome {
  const { saleAmount = null, soldTo = null } = sale ?? {}
  const buyerType = soldTo === null ? null : buyerTypeOf(soldTo)
  return { ...nothingSold, auctionStatus: 'SOLD', auctionStatusText: statusText, saleAmount, soldTo, buyerType }
}

const nothingSold = { saleAmount: null, soldAt: null, soldTo: null, buyerType: null }

function sold(block: NonNullable<RawData['status']>, amount: Decimal, timezone: string): Outcome {
  const soldTo = block.ST.trim() || null
  return {
    auctionStatus: 'SOLD',
    auctionStatusText: /\bsold\b/i.test(block.A) ? block.A.trim() : block.B.trim(),
    saleAmount: amount,
    soldAt: parseMoment(block.B, timezone)?.instant ?? null,
    soldTo,
    buyerType: soldTo === null ? null : buyerTypeOf(soldTo),
  }
}

/** `Auction Sold` as the label, or as the reason behind the label or code of a status. */
const saysSold = (label: string, reason: string): boolean =>
  /^(auction )?sold$/i.test((isCode(label) ? reason : label).trim())

/** An amount that does not read is no proof of a sale. */
function saleAmount(text: string): Decimal | null {
  try {
    return parseMoney(text)
  } catch (error) {
    if (error instanceof ValueError) return null
    throw error
  }
}

/** Labels that only say what the next slot holds; FNC=UPDATE abbreviates them as A (Auction Starts) and B. */
const isCode = (label: string): boolean => /^([A-Z]?|auction status)$/i.test(label.trim())

const isStart = (label: string): boolean => /^(A|auction starts)$/i.test(label.trim())

/** What the status block says in words: never the date of a start or of a sale. */
function ownWords(block: RawData['status']): string | null {
  if (block === null) return null
  if (isStart(block.A)) return 'Auction Starts'
  const buyer = [block.SL, block.ST].find((text) => noSale.test(text))
  if (buyer !== undefined) return buyer.trim()
  const said = [isCode(block.A) ? '' : block.A, /^\d/.test(block.B) ? '' : block.B].map((text) => text.trim())
  return said.find((text) => statusOfWords(text) !== null) ?? said.find((text) => text !== '') ?? null
}

const noSale = /\bunsold\b|\bnot sold\b|\bstruck[ -]off\b|\bwalked away\b|\bno bid/i

/** In a text with several, the word that comes first decides: `Canceled, to be rescheduled` is cancelled. */
const outcomes: readonly [RegExp, AuctionStatus][] = [
  [noSale, 'UNSOLD'],
  [/\bredeemed\b/i, 'REDEEMED'],
  [/\bcancel/i, 'CANCELLED'],
  [/\bwithdrawn\b/i, 'CANCELLED'],
  [/\bsettled\b/i, 'CANCELLED'],
  [/\brescheduled\b/i, 'POSTPONED'],
  [/\badjourned\b/i, 'POSTPONED'],
  [/\bpostponed\b/i, 'POSTPONED'],
  [/\b(pending|indefinite) bankruptcy\b/i, 'POSTPONED'],
  [/^scheduled\b/i, 'SCHEDULED'],
]

function statusOfWords(words: string | null): AuctionStatus | null {
  if (words === null) return null
  // "Not cancelled" says nothing of what it is instead.
  const positive = words.replace(/\bnot (?!sold\b)\w+/gi, '')
  const found = outcomes
    .map(([pattern, status]) => ({ at: positive.search(pattern), status }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)
  return found[0]?.status ?? null
}

/** For words that name no outcome, and for none. */
function statusOfArea(area: RawData['area'], words: string | null, context: StatusContext): AuctionStatus {
  const waits = words === null || words === 'Auction Starts'
  if (area === 'R') return 'RUNNING'
  if (!waits) return 'UNKNOWN'
  if (area === 'W') return 'SCHEDULED'
  if (area === null) return words === null ? 'UNKNOWN' : 'SCHEDULED'
  return context.auctionDate !== null && context.auctionDate > context.today ? 'CANCELLED' : 'UNKNOWN'
}

function buyerTypeOf(buyer: string): BuyerType {
  if (/\b(3rd|third)[ -]party\b/i.test(buyer)) return 'THIRD_PARTY'
  if (/\bplaintiff\b/i.test(buyer)) return 'PLAINTIFF'
  if (/\bcert(ificate|\.)? ?holder\b/i.test(buyer)) return 'CERTIFICATE_HOLDER'
  return 'OTHER'
}
