import { type Expression, type SqlBool, sql } from 'kysely'
import type { AuctionStatus, AuctionType, BuyerType, Decimal } from '../domain.ts'
import {
  contains,
  type DateFilter,
  dateIn,
  type InstantFilter,
  inPlaces,
  instantIn,
  likePattern,
  oneOf,
  type Place,
} from './filters.ts'

/** Both ends included; rows without the value match `known: false` alone. */
export interface DecimalFilter {
  min?: Decimal | null | undefined
  max?: Decimal | null | undefined
  known?: boolean | null | undefined
}

/** What an amount of a prospect can be asked for. */
export const filteredAmounts = [
  'finalJudgmentAmount',
  'plaintiffMaxBid',
  'assessedValue',
  'openingBid',
  'saleAmount',
  'surplus',
] as const

/** Fields are ANDed, values within a list ORed. */
export interface ProspectFilter
  extends Partial<Record<(typeof filteredAmounts)[number], DecimalFilter | null | undefined>> {
  /** Matches one of these, and the rest. */
  anyOf?: readonly ProspectFilter[] | null | undefined
  ids?: readonly string[] | null | undefined
  places?: readonly Place[] | null | undefined
  /** Seen at one of these, in a listing that was not closed. */
  scrapeUrlIds?: readonly string[] | null | undefined
  /** Saved by this job, also when a later job saw it again. */
  jobId?: string | null | undefined
  auctionDate?: DateFilter | null | undefined
  auctionStatus?: readonly AuctionStatus[] | null | undefined
  auctionType?: readonly AuctionType[] | null | undefined
  listed?: boolean | null | undefined
  /** These four are equal once both are normalised: upper case, letters and digits only. */
  caseNumber?: string | null | undefined
  parcelId?: string | null | undefined
  certificateNumber?: string | null | undefined
  auctionId?: string | null | undefined
  /** These three are contained, without case. */
  soldTo?: string | null | undefined
  city?: string | null | undefined
  zip?: string | null | undefined
  buyerType?: readonly BuyerType[] | null | undefined
  /** Each of its words is in the address, the case number, the parcel, a party or the buyer, without case. */
  search?: string | null | undefined
  firstSeenAt?: InstantFilter | null | undefined
  updatedAt?: InstantFilter | null | undefined
}

/** What a filter asks of rows of `prospects`; nothing where every prospect matches it. */
export function prospectConditions(filter: ProspectFilter): Expression<SqlBool>[] {
  return [
    ...anyOf(filter.anyOf),
    ...oneOf('prospects.id', filter.ids),
    ...inPlaces(filter.places, { fips: 'prospects.countyFips', state: 'prospects.countyState' }),
    ...dateIn('prospects.auctionDate', filter.auctionDate),
    ...oneOf('prospects.auctionStatus', filter.auctionStatus),
    ...oneOf('prospects.auctionType', filter.auctionType),
    ...oneOf('prospects.listed', filter.listed == null ? null : [filter.listed]),
    ...seenAt(filter.scrapeUrlIds),
    ...savedBy(filter.jobId),
    ...filteredAmounts.flatMap((amount) => decimalIn(`prospects.${amount}`, filter[amount])),
    ...caseNumberIs(filter.caseNumber),
    ...sameNumber('prospects.parcelId', filter.parcelId),
    ...sameNumber('prospects.certificateNumber', filter.certificateNumber),
    ...sameNumber('prospects.auctionId', filter.auctionId),
    ...contains('prospects.soldTo', filter.soldTo),
    ...contains('prospects.city', filter.city),
    ...contains('prospects.zip', filter.zip),
    ...oneOf('prospects.buyerType', filter.buyerType),
    ...wordsIn(filter.search),
    ...instantIn('prospects.firstSeenAt', filter.firstSeenAt),
    ...instantIn('prospects.updatedAt', filter.updatedAt),
  ]
}

function anyOf(filters: readonly ProspectFilter[] | null | undefined): Expression<SqlBool>[] {
  if (filters == null) return []
  const alternatives = filters.map((filter) => {
    const conditions = prospectConditions(filter)
    return conditions.length === 0 ? sql`true` : sql`(${sql.join(conditions, sql` and `)})`
  })
  return [sql<SqlBool>`(${sql.join(alternatives, sql` or `)})`]
}

function seenAt(scrapeUrlIds: readonly string[] | null | undefined) {
  return oneOf('l.scrapeUrlId', scrapeUrlIds).map(
    (condition) => sql<SqlBool>`exists (select from listings l
      where l.prospect_id = ${sql.ref('prospects.id')} and l.closed_at is null and ${condition})`,
  )
}

function savedBy(jobId: string | null | undefined) {
  if (jobId == null) return []
  return [
    sql<SqlBool>`${sql.ref('prospects.id')} in (select s.prospect_id from job_prospects s where s.job_id = ${jobId})`,
  ]
}

function decimalIn(column: string, filter: DecimalFilter | null | undefined): Expression<SqlBool>[] {
  const amount = sql.ref(column)
  const conditions: Expression<SqlBool>[] = []
  if (filter?.min != null) conditions.push(sql<SqlBool>`${amount} >= ${filter.min}::numeric`)
  if (filter?.max != null) conditions.push(sql<SqlBool>`${amount} <= ${filter.max}::numeric`)
  if (filter?.known === true) conditions.push(sql<SqlBool>`${amount} is not null`)
  if (filter?.known === false) conditions.push(sql<SqlBool>`${amount} is null`)
  return conditions
}

/** Exactly as the indexes of migrations/0012_prospect_filters.ts have it. */
function normalised(text: Expression<unknown>) {
  return sql`upper(regexp_replace(${text}, '[^A-Za-z0-9]', '', 'g'))`
}

function sameNumber(column: string, number: string | null | undefined): Expression<SqlBool>[] {
  if (number == null) return []
  return [sql<SqlBool>`${normalised(sql.ref(column))} = ${normalised(sql`${number}::text`)}`]
}

/** As the site prints it: without its suffix, or with it behind in brackets, `23-CV-0042 (2)`. */
function caseNumberIs(caseNumber: string | null | undefined): Expression<SqlBool>[] {
  const plain = sameNumber('prospects.caseNumber', caseNumber)
  const [, before, suffix] = /^(.*\S)\s*\((\d+)\)\s*$/.exec(caseNumber ?? '') ?? []
  if (before === undefined || suffix === undefined) return plain
  const apart = sql`(${sql.join(sameNumber('prospects.caseNumber', before))} and prospects.case_suffix = ${suffix})`
  return [sql<SqlBool>`(${sql.join([...plain, apart], sql` or `)})`]
}

/** What is searched, exactly as the index prospects_words has it. Keys find numbers that are typed without dashes. */
const words = sql`(coalesce(prospects.property_address, '') || ' ' || coalesce(prospects.city, '') || ' ' ||
  coalesce(prospects.zip, '') || ' ' ||
  coalesce(prospects.case_number, '') || ' ' || coalesce(prospects.case_key, '') || ' ' ||
  coalesce(prospects.parcel_id, '') || ' ' || coalesce(prospects.parcel_key, '') || ' ' ||
  coalesce(prospects.plaintiff, '') || ' ' || coalesce(prospects.defendant, '') || ' ' ||
  coalesce(prospects.sold_to, ''))`

function wordsIn(search: string | null | undefined): Expression<SqlBool>[] {
  const wanted = (search ?? '').split(/\s+/).filter((word) => word !== '')
  return wanted.map((word) => sql<SqlBool>`${words} ilike ${likePattern(word)}`)
}
